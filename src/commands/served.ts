import { authentication, type Gate } from '../auth/authenticate.ts'
import type { Authorization } from '../auth/authorize.ts'
import { keepPrivate } from '../auth/private.ts'
import type { Middleware } from '../http/message.ts'
import { type HttpOptions, httpOptions } from '../http/options.ts'
import { originOptions } from '../origin/options.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { authorizationOf, openRules, sayIdle, wantedBy } from './access.ts'
import { openHook } from './hooking.ts'
import { type LiveDir, openLiveDirs } from './live-dirs.ts'
import { cachesOf, type Mounts, openMounts, wantedOf } from './mounts.ts'
import type { ServerParts } from './server.ts'
import type { Trees } from './trees.ts'
import { openUploads, type Uploads } from './writing.ts'

/** What a server shows and takes, and to whom. */
export interface Served {
  readonly mounts: Mounts | undefined
  readonly root: Vfs | undefined
  readonly uploads: Uploads | undefined
  /** Folders for live media, in front of all else. */
  readonly liveDirs: readonly LiveDir[]
  /** Set when `--rules` says who may do what. */
  readonly authorization: Authorization | undefined
  /** Sees each request that was let in, and may answer it; undefined = there is no `--hook`. */
  readonly hook: Middleware | undefined
  /** Asks for a login, everywhere or where the rules need one; undefined = everybody may do everything. */
  readonly auth: Middleware | undefined
}

/** Opens what the argument of the command, `--read`, `--write` and `--rules` name. Throws when anything of it is not right. */
export async function openServed(
  parts: ServerParts,
  argument: string | undefined,
  { trees, gate }: { readonly trees: Trees; readonly gate: Gate | undefined },
): Promise<Served> {
  const file = openRules(parts, gate)
  const asked = wantedOf(argument, parts.get(originOptions).read)
  const liveDirs = await openLiveDirs(parts)
  const mounts = await openMounts(parts, file && asked.length === 0 ? wantedBy(file, liveDirs) : asked)
  const root = mounts && trees.over(mounts.remote, mounts.spec, cachesOf(mounts))
  const uploads = await openUploads(parts, { mounts, root }, file?.value.writable ?? false)
  const shown = { mounts, root, uploads, liveDirs }
  if (!file)
    return {
      ...shown,
      authorization: undefined,
      auth: gate && loginOf(parts, gate),
      hook: await openHook(parts, { groups: gate?.groups }),
    }
  // A browser that gets into only a part of what there is shows what it is that asks.
  const login = gate && loginOf(parts, { ...gate, realm: gate.realm || 'sluice' })
  sayIdle(parts, file, [mounts, uploads, { all: liveDirs }])
  const authorization = authorizationOf(parts, { file, gate, login, ...shown })
  const hook = await openHook(parts, { guard: authorization.middleware, groups: gate?.groups, rules: file })
  return { ...shown, authorization, auth: authorization.middleware, hook }
}

/** Asks for a login; what is given then is for that user alone. */
function loginOf(parts: ServerParts, gate: Gate): Middleware {
  const ask = authentication(gate)
  return (next) => ask(setsCaching(parts.get(httpOptions)) ? next : keepPrivate(next))
}

/** Whether the operator says how answers may be cached. */
function setsCaching({ responseHeader }: HttpOptions): boolean {
  return responseHeader.some((text) => /^\s*cache-control\s*:/i.test(text))
}
