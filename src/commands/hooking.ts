import type { Groups } from '../auth/users.ts'
import type { Middleware } from '../http/message.ts'
import { hooked } from '../origin/hooked.ts'
import { HookModule } from '../origin/hook-module.ts'
import { originOptions } from '../origin/options.ts'
import { filesOf } from '../origin/origin.ts'
import { vfsOptions } from '../vfs/options.ts'
import type { RulesFile } from './access.ts'
import type { ServerParts } from './server.ts'
import { writingOrigins } from './writing.ts'

export interface HookingParts {
  /** Holds a request to the rules; there are none without it. */
  readonly guard?: Middleware
  readonly rules?: RulesFile
  readonly groups?: (() => Groups) | undefined
}

/** The module of `--hook` as a middleware. Throws `invalid` when it cannot be loaded. */
export async function openHook(
  parts: ServerParts,
  { guard = (next) => next, rules, groups }: HookingParts,
): Promise<Middleware | undefined> {
  const { hook } = parts.get(originOptions)
  if (hook === '') return undefined
  const module = await HookModule.open(hook, parts.ctx.log)
  return hooked({
    origins: writingOrigins(parts),
    files: filesOf(parts.get(originOptions), !parts.get(vfsOptions).noSeek),
    guard,
    current: () => module.current(),
    open: async (text) => await (await parts.remotes()).openAt(text),
    groupsOf({ name }) {
      const all = [...(rules?.value.groups ?? []), ...(groups?.() ?? [])]
      return [...new Set(all.filter(([, members]) => members.has(name)).map(([group]) => group))]
    },
  })
}
