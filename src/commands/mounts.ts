import { combine } from '../backends/combine.ts'
import { formatCsv } from '../base/csv.ts'
import { AppError } from '../base/error.ts'
import { isEntryName, isInside } from '../base/path.ts'
import { originOptions } from '../origin/options.ts'
import type { Remote } from '../remote/remote.ts'
import { formatSpec, parseSpec, splitSpec } from '../remote/spec.ts'
import type { FileCache } from '../vfs/cache/cache.ts'
import type { CacheAt } from '../vfs/cache/caches.ts'
import { vfsOptions } from '../vfs/options.ts'
import { withoutSecrets } from './secrets.ts'
import type { ServerParts } from './server.ts'

/** What to serve, and under which name; without one it has the name of its folder, or is the root when it is the only one. */
export interface Wanted {
  readonly spec: string
  readonly name?: string | undefined
  /** How the user asked for it, for messages: `--read films`. */
  readonly by: string
}

/** A remote that is served. */
export interface Mount {
  /** The first segment of its URLs; `''` = it is the root. */
  readonly name: string
  readonly spec: string
  readonly remote: Remote
  /** The file cache that it is seen through. */
  readonly cache?: FileCache | undefined
}

/** All that a server shows, as one remote. */
export interface Mounts {
  /** What would open the same remote: the name of the tree for `vfs/*`. */
  readonly spec: string
  readonly remote: Remote
  /** For people. */
  readonly description: string
  /** One with the name `''`, or some with names. */
  readonly all: readonly Mount[]
}

/** What a path of the whole is in the mount that it leads into; undefined when it leads into none. */
export function placeAmong<T>(
  { all }: Pick<Mounts, 'all'>,
  path: string,
  place: (mount: Mount, path: string) => T,
): T | undefined {
  for (const mount of all) {
    const { name } = mount
    if (name === '') return place(mount, path)
    if (isInside(path, name)) return place(mount, path.slice(name.length + 1))
  }
  return undefined
}

/** What `--read` and the argument of the command ask for, in this order. */
export function wantedOf(argument: string | undefined, read: readonly string[]): readonly Wanted[] {
  const given = argument === undefined ? [] : [{ spec: argument, by: argument }]
  return [...given, ...read.map(parseRead)]
}

/** `[NAME=]REMOTE:PATH`. A name ends at the first `=`, and has no slash, colon or comma, as a remote has before one. */
function parseRead(text: string): Wanted {
  const [, name, spec] = /^([^=/:,\\]+)=(.+)$/s.exec(text) ?? []
  return name === undefined || spec === undefined
    ? { spec: text, by: `--read ${text}` }
    : { spec, name, by: `--read ${text}` }
}

/**
 * Opens what is to be served: one thing without a name is the root, all others are folders of a root that holds nothing else.
 * Throws `usage` for names that do not fit, `not-found` for what is not there.
 */
export async function openMounts(parts: ServerParts, wanted: readonly Wanted[]): Promise<Mounts | undefined> {
  const [first, ...others] = wanted
  if (!first) return undefined
  if (others.length === 0 && first.name === undefined) {
    const { remote, cache } = await openRoot(parts, first.spec)
    return {
      spec: first.spec,
      remote,
      description: remote.info.description,
      all: [{ name: '', spec: first.spec, remote, cache }],
    }
  }
  const named = new Map<string, string>()
  for (const one of wanted) {
    const name = one.name ?? ownName(one.spec)
    if (one.name !== undefined && !isEntryName(name))
      throw new AppError(
        'usage',
        `${one.by}: the name ${JSON.stringify(name)} has to be that of one folder, without a slash`,
      )
    if (!isEntryName(name))
      throw new AppError('usage', `${one.by} has no name of its own to be found under: give one as NAME=REMOTE:PATH`)
    if (named.has(name))
      throw new AppError('usage', `${one.by} would be found under /${name}/ as another one is: give NAME=REMOTE:PATH`)
    named.set(name, one.spec)
  }
  const all: Mount[] = []
  for (const [name, spec] of named) all.push({ name, spec, ...(await openRoot(parts, spec)) })
  const upstreams = formatCsv(
    [...named].map(([name, spec]) => `${name}=${spec}`),
    ' ',
  )
  const description = [...named.keys()].map((name) => `/${name}/`).join(', ')
  return {
    spec: formatSpec({ kind: 'inline', backend: 'combine', overrides: { upstreams }, path: '' }),
    remote: combine(new Map(all.map(({ name, remote }) => [name, remote])), description),
    description,
    all,
  }
}

/** The file caches that a whole is seen through, and where. */
export function cachesOf({ all }: Pick<Mounts, 'all'>): readonly CacheAt[] {
  return all.flatMap(({ name, cache }) => (cache ? [{ cache, at: name }] : []))
}

/** The name that a remote or folder has by itself: `films` of `nas:media/films`, `nas` of `nas:`. */
function ownName(text: string): string {
  const spec = parseSpec(text.replace(/(?<=[^:/])\/+$/, ''))
  const { name } = splitSpec(spec)
  if (name !== '' || spec.kind === 'local') return name
  return spec.kind === 'named' ? spec.name : spec.backend
}

/** A remote to serve, without the secrets of the program. */
async function openRoot(parts: ServerParts, spec: string): Promise<Pick<Mount, 'remote' | 'cache'>> {
  const { remote } = await (await parts.remotes()).openAt(spec, { exec: parts.exec ?? true })
  const { allowMissingRoot } = parts.get(originOptions)
  // Storage without real directories cannot tell a missing root from an empty one.
  const knows = remote.info.traits.emptyDirectories
  if (!allowMissingRoot && knows && !(await remote.stat(parts.ctx, '')))
    throw new AppError('not-found', `directory not found: ${spec}. ${await elsewhere(parts, spec)}`)
  return await throughCache(parts, withoutSecrets(parts, remote), spec)
}

/** A remote as it is to be seen: through a file cache, when there is to be one. */
export async function throughCache(
  { caches, get }: Pick<ServerParts, 'caches' | 'get'>,
  remote: Remote,
  spec: string,
): Promise<Pick<Mount, 'remote' | 'cache'>> {
  return (await caches.over(remote, spec, get(vfsOptions))) ?? { remote }
}

/** What a person may have meant by a directory that is not there. */
async function elsewhere(parts: ServerParts, spec: string): Promise<string> {
  if ((await parts.config()).sections().includes(spec)) return `The remote of that name is written ${spec}:`
  return '--allow-missing-root starts all the same'
}
