import { promises as fsp, type BigIntStats } from 'node:fs'
import { toAppError } from '../../base/error.ts'
import { nameOf, parentOf } from '../../base/path.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { type DiskStats, toFileEntry, type TimeType } from './entry.ts'
import { absent, isAbsent, leafOf, type Tree } from './tree.ts'

/** The ending of the small file that stands for a symbolic link with `--links`; its content is where the link leads. */
const SUFFIX = '.rclonelink'

/** True for an entry that `linkEntry` made: a link has no version, so that its bytes are never shared. */
export function isLinkEntry(file: FileEntry): boolean {
  return file.version === undefined && file.path.endsWith(SUFFIX)
}

/** The entry that stands for a link at `path`. */
export function linkEntry(path: string, stats: DiskStats, time: TimeType): FileEntry {
  const { kind, size, modTime } = toFileEntry(path, stats, time)
  return { kind, path: path + SUFFIX, size, modTime }
}

/** The entry for a name that ends in `.rclonelink`, when there is such a link. */
export async function findLink(tree: Tree, path: string, time: TimeType): Promise<FileEntry | undefined> {
  const found = await readLink(tree, path)
  return found && linkEntry(path.slice(0, -SUFFIX.length), found.stats, time)
}

/** Where the link leads that an entry stands for, as text in the encoding of the disk. */
export async function linkTarget(tree: Tree, path: string): Promise<Buffer> {
  const found = await readLink(tree, path)
  if (!found) throw absent(path)
  return found.target
}

/** What the disk knows of the link that an entry stands for; undefined when it is gone. */
export async function linkStats(tree: Tree, { path }: FileEntry): Promise<BigIntStats | undefined> {
  return (await readLink(tree, path))?.stats
}

async function readLink(tree: Tree, path: string): Promise<{ stats: BigIntStats; target: Buffer } | undefined> {
  const plain = path.slice(0, -SUFFIX.length)
  if (!path.endsWith(SUFFIX) || nameOf(plain) === '') return undefined
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
