import { throwIfAborted } from '../base/abort.ts'
import { toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { DirEntry, Entry, Remote } from '../remote/remote.ts'
import { batchesOf } from '../remote/listing.ts'
import { ownTimes } from '../remote/own-time.ts'
import { Frontier, listedAhead } from './frontier.ts'
import { copyOptions } from './options.ts'
import { directoryNotFound } from './missing.ts'

export interface WalkOptions {
  /** Where to begin; `''` is the root. */
  readonly from?: string
  /** Folders within folders as well, down to `--max-depth`. */
  readonly recurse?: boolean
  /** Called for a folder that cannot be listed; the walk goes on. Without it, the error is thrown. */
  readonly failed?: (error: Error, dir: string) => void
  /** With the files' own times, also where each of them costs a request. */
  readonly times?: boolean
  /** How a folder is listed; `listing` without it. */
  readonly list?: (ctx: Context, remote: Remote, dir: string) => Promise<readonly Entry[]>
}

interface Job {
  readonly dir: string
  readonly depth: number
}

/** All entries of a folder, in no order. Throws `not-found` with rclone's words when there is none. */
export async function entriesOf(ctx: Context, remote: Remote, dir: string): Promise<Entry[]> {
  const entries: Entry[] = []
  try {
    for await (const batch of batchesOf(remote.list(ctx, dir))) for (const entry of batch) entries.push(entry)
  } catch (reason) {
    const error = toAppError(reason)
    throw error.code === 'not-found' ? directoryNotFound(error) : error
  }
  ctx.stats.count('listed', entries.length)
  return entries
}

/** All entries of a folder by name. Throws as `entriesOf` does. */
export async function listing(ctx: Context, remote: Remote, dir: string): Promise<Entry[]> {
  return (await entriesOf(ctx, remote, dir)).sort(byPath)
}

/** Entries below a folder: those of one folder by name, then those of each folder in it. `--checkers` folders are listed at once. */
export async function* walk(ctx: Context, remote: Remote, options: WalkOptions = {}): AsyncGenerator<Entry> {
  for await (const entries of walkFolders(ctx, remote, options)) yield* entries
}

/** As `walk`, folder by folder. */
export async function* walkFolders(
  ctx: Context,
  remote: Remote,
  options: WalkOptions = {},
): AsyncGenerator<readonly Entry[]> {
  const { from = '', recurse = true, failed, times, list = listing } = options
  const { maxDepth } = ctx.get(copyOptions)
  const deepest = maxDepth >= 0 ? maxDepth : recurse ? Infinity : 1
  const frontier = new Frontier(
    listedAhead(ctx, remote),
    (job: Job) => list(ctx, remote, job.dir),
    (entries) => entries.length,
  )
  frontier.push([{ dir: from, depth: 1 }])
  for (let next = frontier.next(); next; next = frontier.next()) {
    throwIfAborted(ctx.signal)
    const { dir, depth } = next.job
    let entries: readonly Entry[]
    try {
      entries = await next.result
    } catch (error) {
      throwIfAborted(ctx.signal)
      if (!failed) throw error
      failed(toAppError(error), dir)
      continue
    }
    yield times ? await ownTimes(ctx, remote, entries) : entries
    if (depth < deepest)
      frontier.push(
        entries.filter((e): e is DirEntry => e.kind === 'directory').map((e) => ({ dir: e.path, depth: depth + 1 })),
      )
  }
}

function byPath(a: Entry, b: Entry): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}
