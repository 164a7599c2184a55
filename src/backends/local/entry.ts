import type { BigIntStats } from 'node:fs'
import type { Nanoseconds } from '../../base/time.ts'
import type { DirEntry, Entry, FileEntry } from '../../remote/remote.ts'
import type { LocalOptions } from './index.ts'

export type TimeType = LocalOptions['timeType']

/**
 * Names one state of a file: inode and time of the last change of inode or content. A file that is replaced, written in
 * place, or whose modification time is set back has another version.
 */
export function versionOf(stats: BigIntStats): string {
  return `${stats.ino.toString(36)}-${stats.ctimeNs.toString(36)}`
}

/** True when both stats are of the same state of the same file. */
export function sameState(a: BigIntStats, b: BigIntStats): boolean {
  return a.ctimeNs === b.ctimeNs && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.dev === b.dev
}

export function toEntry(path: string, stats: BigIntStats, time: TimeType): Entry {
  return stats.isDirectory() ? toDirEntry(path, stats, time) : toFileEntry(path, stats, time)
}

export function toFileEntry(path: string, stats: BigIntStats, time: TimeType): FileEntry {
  return { kind: 'file', path, size: Number(stats.size), modTime: timeOf(stats, time), version: versionOf(stats) }
}

export function toDirEntry(path: string, stats: BigIntStats, time: TimeType): DirEntry {
  return { kind: 'directory', path, modTime: timeOf(stats, time) }
}

function timeOf(stats: BigIntStats, type: TimeType): Nanoseconds {
  switch (type) {
    case 'atime':
      return stats.atimeNs
    case 'btime':
      return stats.birthtimeNs
    case 'ctime':
      return stats.ctimeNs
    default:
      return stats.mtimeNs
  }
}
