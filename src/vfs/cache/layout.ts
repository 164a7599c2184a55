import { join, resolve } from 'node:path'
import { parseEncoding, encodePath, decodePath } from '../../remote/encoding.ts'
import type { RemoteInfo } from '../../remote/remote.ts'
import { cacheName, parseSpec } from '../../remote/spec.ts'

/** Names on the disk of the cache are those of rclone there: `/`, `.` and `..` inside a name are replaced. */
const disk = parseEncoding('Slash,Dot')

/** Where the cache of one remote lies on the disk, in rclone's layout (serve-http.md 2.4), and beside it what is ours alone. */
export interface Layout {
  /** The root of the data files. */
  readonly data: string
  /** The root of the metadata. */
  readonly meta: string
  /** What is being written, and records of what was written and is not in its place yet. */
  readonly pending: string
  /** Data whose metadata cannot be read: nobody knows whether it was uploaded. */
  readonly lost: string
  /** Where listings are kept. */
  readonly listings: string
  /** Directories to lock: those of the remotes above this one, then its own. */
  readonly locks: readonly string[]
}

/** The layout below `cacheDir` for the remote that `text` opened. */
export function layoutOf(cacheDir: string, text: string, info: RemoteInfo): Layout {
  const dir = resolve(cacheDir)
  const place = placeOf(text, info)
  const own = (kind: string) => join(dir, 'vfsState', kind, ...place)
  return {
    data: join(dir, 'vfs', ...place),
    meta: join(dir, 'vfsMeta', ...place),
    pending: own('pending'),
    lost: own('lost'),
    listings: join(own('listings'), 'listings.sqlite'),
    locks: place.map((_, depth) => join(dir, 'vfsState', 'lock', ...place.slice(0, depth + 1))),
  }
}

/** A path of the remote as the cache has it on the disk, below one of the roots. */
export function diskPath(path: string): string {
  return encodePath(disk, path)
}

/** The path of the remote for one on the disk. */
export function shownPath(path: string): string {
  return decodePath(disk, path)
}

/** The name of the remote, then the segments of its root. */
function placeOf(text: string, { name, root }: RemoteInfo): readonly string[] {
  const spec = parseSpec(text)
  const own = spec.kind !== 'local' && Object.keys(spec.overrides).length > 0
  return [own ? cacheName(spec) : name, ...root.split('/').filter((segment) => segment !== '')].map((segment) =>
    disk.encodeName(segment),
  )
}
