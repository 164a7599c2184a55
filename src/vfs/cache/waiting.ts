import { isInside, join, nameOf, parentOf } from '../../base/path.ts'
import type { DirEntry, Entry } from '../../remote/remote.ts'
import type { FileCache } from './cache.ts'

/** The entries of a directory that wait to be uploaded, and the folders of those that lie deeper, by name. */
export function waitingIn(cache: FileCache, dir: string): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const path of cache.waitingPaths) {
    const item = path !== dir && isInside(path, dir) ? cache.waiting(path) : undefined
    if (!item) continue
    const [name = '', ...deeper] = (dir === '' ? path : path.slice(dir.length + 1)).split('/')
    if (deeper.length === 0) entries.set(name, cache.entryOf(item))
    else if (!entries.has(name)) entries.set(name, folder(join(dir, name), item.modTime))
  }
  return entries
}

/** What waits under a path, itself or below it. */
export function waitingEntry(cache: FileCache, path: string): Entry | undefined {
  return waitingIn(cache, parentOf(path)).get(nameOf(path))
}

function folder(path: string, modTime: bigint): DirEntry {
  return { kind: 'directory', path, modTime }
}
