import { promises as fsp, type BigIntStats } from 'node:fs'
import { rethrow, toAppError } from '../../base/error.ts'
import { asCanonical, nameOf, parentOf } from '../../base/path.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Entry, FileEntry } from '../../remote/remote.ts'
import { type DiskStats, toFileEntry, type TimeType } from './entry.ts'
import type { OsPath } from './names.ts'
import { secondsOf } from './times.ts'
import { absent, isAbsent, leafOf, type Tree } from './tree.ts'

/** The ending of the small file that stands for a symbolic link with `--links`; its content is where the link leads. */
const SUFFIX = '.rclonelink'

/** True for an entry that `linkEntry` made: a link has no version, so that its bytes are never shared. */
export function isLinkEntry(file: FileEntry): boolean {
  return file.version === undefined && file.path.endsWith(SUFFIX)
}

/** True for a path whose content is a link with `--links`. */
export function namesLink(path: string): boolean {
  return path.endsWith(SUFFIX) && nameOf(path) !== SUFFIX
}

/** The path of the link itself. */
export function linkPath(path: string): string {
  return path.slice(0, -SUFFIX.length)
}

/** The entry that stands for a link at `path`. */
export function linkEntry(path: string, stats: DiskStats, time: TimeType): FileEntry {
  const { kind, size, modTime } = toFileEntry(path, stats, time)
  return { kind, path: path + SUFFIX, size, modTime }
}

/** The entry for a name that ends in `.rclonelink`, when there is such a link. */
export async function findLink(tree: Tree, path: string, time: TimeType): Promise<FileEntry | undefined> {
  const found = await readLink(tree, path)
  return found && linkEntry(linkPath(path), found.stats, time)
}

/** Where the link leads that an entry stands for, as text in the encoding of the disk. */
export async function linkTarget(tree: Tree, path: string): Promise<Buffer> {
  const found = await readLink(tree, path)
  if (!found) throw absent(path)
  return found.target
}

/** A link that is to be. */
export interface NewLink {
  /** The path of the entry that stands for it. */
  readonly path: string
  /** Where it leads, in the encoding of the disk. */
  readonly target: Uint8Array
  readonly modTime: Nanoseconds | undefined
  readonly ifAbsent: boolean
  /** A free name to make it under. */
  readonly temp: string
}

/** Makes a link, or puts it in the place of what has its name. Throws `exists` for `ifAbsent`, `is-directory`. */
export async function writeLink(tree: Tree, { path, target, modTime, ifAbsent, temp }: NewLink): Promise<void> {
  const plain = asCanonical(linkPath(path))
  const directory = await tree.enter(parentOf(plain), false)
  const place = directory.at(leafOf(plain))
  const made = ifAbsent ? place : directory.at(temp)
  try {
    await fsp.symlink(Buffer.from(target), made)
    if (modTime !== undefined) await setTime(made, modTime)
    if (!ifAbsent) await fsp.rename(made, place)
  } catch (error) {
    if (!ifAbsent) await fsp.rm(made, { force: true })
    throw toAppError(error)
  } finally {
    await directory.close()
  }
}

/** Sets the time of the link that an entry stands for, and not of what it leads to. */
export async function setLinkTime(tree: Tree, { path }: Entry, time: Nanoseconds): Promise<void> {
  const directory = await tree.openDirectory(parentOf(path))
  try {
    await setTime(directory.at(leafOf(linkPath(path))), time).catch(rethrow)
  } finally {
    await directory.close()
  }
}

async function setTime(place: OsPath, time: Nanoseconds): Promise<void> {
  await fsp.lutimes(place, secondsOf(time), secondsOf(time))
}

/** What the disk knows of the link that an entry stands for; undefined when it is gone. */
export async function linkStats(tree: Tree, { path }: Entry): Promise<BigIntStats | undefined> {
  return (await readLink(tree, path))?.stats
}

async function readLink(tree: Tree, path: string): Promise<{ stats: BigIntStats; target: Buffer } | undefined> {
  if (!namesLink(path)) return undefined
  const plain = linkPath(path)
  try {
    const directory = await tree.openDirectory(parentOf(plain))
    try {
      const place = directory.at(leafOf(plain))
      const stats = await fsp.lstat(place, { bigint: true })
      return stats.isSymbolicLink() ? { stats, target: await fsp.readlink(place, { encoding: 'buffer' }) } : undefined
    } finally {
      await directory.close()
    }
  } catch (error) {
    if (isAbsent(error)) return undefined
    const { code } = toAppError(error)
    if (code === 'not-found' || code === 'not-directory' || code === 'invalid') return undefined
    throw toAppError(error)
  }
}
