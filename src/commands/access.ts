import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Gate } from '../auth/authenticate.ts'
import { Authorization } from '../auth/authorize.ts'
import { authOptions } from '../auth/options.ts'
import { diskPlaces, isBelow, parseRules, placeBelow, type Rules } from '../auth/rules.ts'
import { WatchedFile } from '../auth/watched-file.ts'
import { AppError } from '../base/error.ts'
import { isInside } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { isReading } from '../http/methods.ts'
import type { HttpRequest, Middleware } from '../http/message.ts'
import { originOptions } from '../origin/options.ts'
import { rootText } from '../remote/remote.ts'
import { parseSpec } from '../remote/spec.ts'
import { vfsOptions } from '../vfs/options.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { type Mount, type Mounts, placeAmong, type Wanted } from './mounts.ts'
import type { ServerParts } from './server.ts'

/** A rules file. */
export type RulesFile = WatchedFile<Rules>

/** The file of `--rules`. Throws `invalid` when it cannot be read, `usage` with what does not go with it. */
export function openRules(parts: ServerParts, gate: Gate | undefined): RulesFile | undefined {
  const path = parts.get(originOptions).rules
  if (path === '') return undefined
  if (parts.get(authOptions).authProxy.length > 0)
    throw new AppError('usage', '--rules and --auth-proxy do not go together: the program decides what a user sees')
  const { caseInsensitive, noUnicodeNormalization } = parts.get(vfsOptions)
  const settings = { cwd: process.cwd(), isDirectory, ignoreCase: caseInsensitive, normalize: !noUnicodeNormalization }
  const file = new WatchedFile<Rules>(path, {
    what: 'rules file',
    log: parts.ctx.log,
    read: (bytes) => parseRules(bytes, settings),
    sayRead: ({ size }) => `${size} rules`,
  })
  if (!gate && file.value.namesUsers)
    throw new AppError(
      'usage',
      `${path} asks for a login, and nobody can log in: give --htpasswd, --gpac-users or --user`,
    )
  return file
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/**
 * What a rules file says is to be served: its folders and remotes, but for those that lie in another one, or in a live folder,
 * and have no name.
 */
export function wantedBy({ path, value: { directories } }: RulesFile, liveDirs: readonly Mount[]): readonly Wanted[] {
  const there = directories.filter(({ places: [place = ''] }) => !place.startsWith('/') || isDirectory(place))
  const live = liveDirs.flatMap((dir) => placesBelow(dir, ''))
  const inner = (places: readonly string[]) =>
    places.some((place) => live.some((dir) => isBelow(place, dir))) ||
    there.some((other) => other.places.some((dir) => places.some((place) => place.startsWith(`${dir}/`))))
  const outer = there.filter(({ places, name }) => name !== undefined || !inner(places))
  return outer.map(({ title, name }) => ({ spec: title, name, by: `[${title}] of ${path}` }))
}

/** Says which sections guard nothing of what is served: a word that is misspelt would leave all open. */
export function sayIdle(
  parts: ServerParts,
  file: RulesFile,
  served: readonly (Pick<Mounts, 'all'> | undefined)[],
): void {
  const roots = served.flatMap((mounts) => mounts?.all ?? []).flatMap((mount) => placesBelow(mount, ''))
  for (const { title, name, places } of file.value.directories) {
    const [place = ''] = places
    const isThere = !place.startsWith('/') || existsSync(place)
    const meets = roots.some((root) => places.some((at) => isBelow(at, root) || isBelow(root, at)))
    // What begins with a slash and is not there is a URL.
    if (name !== undefined || (meets ? isThere : title.startsWith('/') && !isThere)) continue
    const why = meets ? 'is not there' : 'guards nothing: it is not in what is served'
    parts.ctx.log.warn(`[${title}] of ${file.path} ${why}`)
  }
}

export interface Guarded {
  readonly file: RulesFile
  readonly gate: Gate | undefined
  readonly login: Middleware | undefined
  readonly mounts: Mounts | undefined
  readonly root: Vfs | undefined
  /** Where uploads go. */
  readonly uploads: Mounts | undefined
  /** Folders that are read and written, in front of all else. */
  readonly liveDirs: readonly Mount[]
}

/** Holds requests to the rules of a file. */
export function authorizationOf(
  parts: ServerParts,
  { file, gate, login, mounts, root, uploads, liveDirs }: Guarded,
): Authorization {
  const { caseInsensitive, noUnicodeNormalization } = parts.get(vfsOptions)
  const placesIn = (served: Mounts | undefined, path: string) =>
    placeAmong({ all: [...liveDirs, ...(served?.all ?? [])] }, path, placesBelow) ?? []
  const placesOf = (path: string) => placesIn(mounts, path)
  const placesToWrite = (path: string) => placesIn(uploads, path)

  /** The tree may find what is asked for under another name. */
  const hasTwins = (path: string) => caseInsensitive || (!noUnicodeNormalization && /[^\0-\x7f]/.test(path))

  function places(ctx: Context, request: HttpRequest): readonly string[] | Promise<readonly string[]> {
    const { path } = request
    if (!isReading(request)) return placesToWrite(path)
    const isLive = liveDirs.some(({ name }) => isInside(path, name))
    if (!root || isLive || !hasTwins(path)) return placesOf(path)
    return root.lookup(ctx, path).then((node) => placesOf(node?.entry.path ?? path))
  }
  const takesUploads = uploads !== undefined || liveDirs.length > 0
  const where = { places, placesOf, placesToWrite }
  return new Authorization({ rules: () => file.value, groups: gate?.groups, login, ...where, takesUploads })
}

/** Where a path of a mount lies, as rules have it: by the name of its remote, and by where that is. */
function placesBelow({ spec, remote }: Mount, path: string): readonly string[] {
  const { info } = remote
  const named = parseSpec(spec).kind === 'local' ? [] : [placeBelow(spec, path)]
  if (!info.traits.isLocal) return [...named, placeBelow(rootText(info), path)]
  const stored = remote.storedPath?.({ kind: 'directory', path, modTime: 0n }) ?? path
  return [...named, ...diskPlaces(join(info.root, stored))]
}
