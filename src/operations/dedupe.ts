import { AppError } from '../base/error.ts'
import { ordered } from '../base/ordered.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { hashOf } from './compare.ts'
import { deleteFile } from './delete.ts'
import { Faults } from './faults.ts'
import { teller } from './teller.ts'
import { walk } from './walk.ts'

/** Files of one content. */
export interface Duplicates {
  readonly hash: string
  /** Two at least, in the order in which they were found. */
  readonly files: readonly FileEntry[]
}

/** Which file of several is kept; of those that are equal, `newest` and `largest` keep the last one, the others the first. */
export type Keep = 'first' | 'newest' | 'oldest' | 'largest' | 'smallest'

/**
 * Files of one content, by the checksum that the storage has of them. Only those are asked for it that have their size in
 * common with another one. Throws `unsupported` when the storage has no checksums.
 */
export async function duplicates(ctx: Context, remote: Remote): Promise<Duplicates[]> {
  const [kind] = remote.info.hashes
  if (kind === undefined)
    throw new AppError('unsupported', `${remote.info.description} has no checksums, so files can't be compared by them`)
  const faults = new Faults(ctx)
  const failed = (error: Error, dir: string) => faults.log(dir, 'error listing: ', error)
  const bySize = new Map<number, FileEntry[]>()
  for await (const entry of walk(ctx, remote, { failed, times: true }))
    if (entry.kind === 'file') gather(bySize, entry.size, entry)
  async function* likely() {
    for (const files of bySize.values()) if (several(files)) yield* files
  }
  const byHash = new Map<string, FileEntry[]>()
  const hashed = ordered(likely(), ctx.get(mainOptions).checkers, async (file) => {
    ctx.stats.count('checks')
    try {
      return { file, hash: await hashOf(ctx, { remote, file }, kind) }
    } catch (error) {
      faults.log(file.path, 'Failed to hash: ', error)
      return undefined
    }
  })
  for await (const one of hashed) if (one && one.hash !== '') gather(byHash, one.hash, one.file)
  faults.throw()
  return [...byHash].filter(([, files]) => several(files)).map(([hash, files]) => ({ hash, files }))
}

function gather<K>(groups: Map<K, FileEntry[]>, key: K, file: FileEntry): void {
  const group = groups.get(key)
  if (group) group.push(file)
  else groups.set(key, [file])
}

const several = (files: readonly FileEntry[]) => files.length > 1

/** Deletes all but one of some files; failures are noted. */
export async function keepOne(
  ctx: Context,
  remote: Remote,
  { hash, files }: Duplicates,
  kept: FileEntry,
  faults: Faults,
): Promise<void> {
  const tell = teller(ctx)
  let deleted = 0
  for (const file of files) {
    if (file === kept) continue
    try {
      if (!(await deleteFile(ctx, remote, file))) continue
      tell('-', file)
      deleted++
    } catch (error) {
      faults.log(file.path, "Couldn't delete: ", error)
      tell('!', file, error)
    }
  }
  if (deleted > 0) ctx.log.notice(`Deleted ${deleted} extra copies`, { object: hash })
}

const byTime = (a: FileEntry, b: FileEntry) => (a.modTime < b.modTime ? -1 : a.modTime > b.modTime ? 1 : 0)
const bySizeOf = (a: FileEntry, b: FileEntry) => a.size - b.size

/** The file to keep. */
export function chosen(files: readonly FileEntry[], keep: Keep): FileEntry {
  const sorted = files.toSorted(keep === 'newest' || keep === 'oldest' ? byTime : keep === 'first' ? () => 0 : bySizeOf)
  return sorted.at(keep === 'newest' || keep === 'largest' ? -1 : 0) as FileEntry
}
