import type { Context } from '../core/context.ts'
import type { Entry, FileEntry, Remote } from './remote.ts'

/** A file with its own time, and what else its storage knows of it; a request where the listing only had that of the upload. */
export async function ownTime(ctx: Context, remote: Remote, file: FileEntry): Promise<FileEntry> {
  if (!file.timeOfUpload) return file
  const found = await (remote.describe?.(ctx, file) ?? remote.stat(ctx, file.path))
  if (found?.kind === 'file' && !found.timeOfUpload) return found
  // Of one that is gone the next request will tell.
  const { timeOfUpload: _, ...known } = file
  return known
}

/** So many are asked for at once; the limits of the storage decide how many of them are under way. */
const AT_ONCE = 1000

/** Entries of a listing with the files' own times; the same array where there is nothing to ask. */
export async function ownTimes(ctx: Context, remote: Remote, entries: readonly Entry[]): Promise<readonly Entry[]> {
  if (!entries.some((entry) => entry.kind === 'file' && entry.timeOfUpload)) return entries
  const known: Entry[] = []
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const some = entries.slice(at, at + AT_ONCE)
    known.push(...(await Promise.all(some.map(async (e) => (e.kind === 'file' ? await ownTime(ctx, remote, e) : e)))))
  }
  return known
}
