import { AppError } from '../../base/error.ts'
import { nameOf } from '../../base/path.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { DirEntry, Entry, FileEntry } from '../../remote/remote.ts'
import { type Attributes, typeOf } from './attributes.ts'

/** The protocol counts whole seconds. */
export const SECOND = 1_000_000_000n

/** The entry of a file or directory; undefined for sockets, devices and links that were not followed. */
export function entryOf(path: string, attributes: Attributes): Entry | undefined {
  const type = typeOf(attributes)
  if (type === 'file') return fileEntry(path, attributes)
  if (type === 'directory') return { kind: 'directory', path, modTime: modTimeOf(attributes) } satisfies DirEntry
  return undefined
}

export function fileEntry(path: string, attributes: Attributes): FileEntry {
  return { kind: 'file', path, size: attributes.size ?? -1, modTime: modTimeOf(attributes) }
}

/** Throws `not-found` when a file that was opened is not the one of the entry. */
export function refuseChanged(file: FileEntry, now: Attributes): void {
  if (typeOf(now) === 'directory') throw new AppError('is-directory', `${file.path} is a directory`)
  const sameSize = file.size < 0 || now.size === undefined || now.size === file.size
  const sameTime = file.modTime === 0n || now.mtime === undefined || modTimeOf(now) === file.modTime
  if (sameSize && sameTime) return
  throw new AppError('not-found', `${nameOf(file.path)} has changed since it was looked up`, { retry: 'now' })
}

export function modTimeOf({ mtime = 0 }: Attributes): Nanoseconds {
  return BigInt(mtime) * SECOND
}
