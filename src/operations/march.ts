import { throwIfAborted } from '../base/abort.ts'
import { isAscii } from '../base/ascii.ts'
import { toAppError } from '../base/error.ts'
import { join, nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { ownTimes } from '../remote/own-time.ts'
import type { Entry, FileEntry, Remote } from '../remote/remote.ts'
import { Frontier, listedAhead } from './frontier.ts'
import { copyOptions } from './options.ts'
import { entriesOf } from './walk.ts'

/**
 * What two trees have under one name; at least one of the two is there. Both are files or both are folders: object stores have
 * a file and a folder of one name, elsewhere a file and a folder are two matches.
 */
export interface Match {
  readonly source?: Entry
  readonly target?: Entry
  /** Where the source's file belongs at the target: its name there when it has one already, whatever its case. */
  readonly path: string
}

/** One folder of both trees, read whole and without an error. */
export interface Step {
  readonly matches: readonly Match[]
}

export interface MarchOptions {
  /** Sees the source; its filter decides what is there. */
  readonly source: Remote
  readonly target: Remote
  /** Filter and signal for the target's side; the source's when absent. */
  readonly targetCtx?: Context
  /** Enters folders that only the target has as well. */
  readonly targetOnly?: boolean
  /** Looks files up at the target one by one instead of listing it. */
  readonly lookUp?: boolean
  /** Takes the target to be empty. */
  readonly blind?: boolean
  /** Asks for the own times of the source's files where a listing lacks them. */
  readonly sourceTimes?: boolean
  /** Called for a folder that could not be read on one side. Nothing of that folder is given then, on either side. */
  failed(error: Error, side: 'source' | 'target', dir: string): void
}

interface Job {
  readonly source: string | undefined
  readonly target: string | undefined
  /** The target is known not to have that folder. */
  readonly absent?: boolean
  readonly depth: number
}

interface Listed {
  readonly source: readonly Entry[]
  readonly target: readonly Entry[]
  readonly failure?: { readonly error: Error; readonly side: 'source' | 'target' }
}

/**
 * Walks two trees in step, `--checkers` folders at once, in order. Memory holds the folders that are being read, not the trees.
 * Files that have a name twice, or twice but for its case or Unicode form where that does not count, are left out with a notice; so are folders.
 */
export async function* march(ctx: Context, options: MarchOptions): AsyncGenerator<Step> {
  const { maxDepth, noUnicodeNormalization, ignoreCaseSync } = ctx.get(copyOptions)
  const deepest = maxDepth < 0 ? Infinity : maxDepth
  const fold = ignoreCaseSync || options.target.info.traits.caseInsensitive === true
  const key = (entry: Entry) => keyOf(entry, fold, !noUnicodeNormalization)
  const frontier = new Frontier<Job, Listed>(
    listedAhead(ctx, options.source, options.target),
    (job) => read(ctx, options, job),
    ({ source, target }) => source.length + target.length,
  )
  frontier.push([{ source: '', target: '', depth: 1 }])
  for (let next = frontier.next(); next; next = frontier.next()) {
    throwIfAborted(ctx.signal)
    const listed = await next.result
    throwIfAborted(ctx.signal)
    const { job } = next
    if (listed.failure) {
      options.failed(listed.failure.error, listed.failure.side, job[listed.failure.side] ?? '')
      continue
    }
    const parts = {
      source: unique(ctx, listed.source, key, 'source'),
      target: unique(ctx, listed.target, key, 'destination'),
    }
    const matches = merged(parts.source, parts.target, job.target ?? '')
    yield { matches }
    if (job.depth < deepest) frontier.push(jobsBelow(matches, job.depth + 1, options))
  }
}

/** Never throws, so that a failure is told in its turn. */
async function read(ctx: Context, options: MarchOptions, job: Job): Promise<Listed> {
  const { target, lookUp, blind } = options
  const targetCtx = options.targetCtx ?? ctx
  const skip = job.target === undefined || job.absent || blind || lookUp
  const [left, right] = await Promise.allSettled([
    job.source === undefined ? [] : sourceEntries(ctx, options, job.source),
    skip ? [] : existing(targetCtx, target, job.target ?? ''),
  ])
  if (left.status === 'rejected') return { ...nothing, failure: { error: toAppError(left.reason), side: 'source' } }
  if (right.status === 'rejected') return { ...nothing, failure: { error: toAppError(right.reason), side: 'target' } }
  if (!lookUp || job.target === undefined || blind) return { source: left.value, target: right.value }
  try {
    return { source: left.value, target: await lookedUp(targetCtx, target, left.value, job.target) }
  } catch (error) {
    return { ...nothing, failure: { error: toAppError(error), side: 'target' } }
  }
}

const nothing: Listed = { source: [], target: [] }

async function sourceEntries(ctx: Context, options: MarchOptions, dir: string): Promise<readonly Entry[]> {
  const { source, sourceTimes } = options
  const entries = await entriesOf(ctx, source, dir)
  return sourceTimes ? await ownTimes(ctx, source, entries) : entries
}

/** The entries of a folder of the target; one that is not there has none. */
async function existing(ctx: Context, target: Remote, dir: string): Promise<Entry[]> {
  try {
    return await entriesOf(ctx, target, dir)
  } catch (error) {
    if (toAppError(error).code === 'not-found') return []
    throw error
  }
}

async function lookedUp(ctx: Context, target: Remote, entries: readonly Entry[], dir: string): Promise<Entry[]> {
  const found: Entry[] = []
  const files = entries.filter((entry) => entry.kind === 'file')
  const next = files[Symbol.iterator]()
  await Promise.all(
    Array.from({ length: Math.max(1, ctx.get(mainOptions).checkers) }, async () => {
      for (const entry of next) {
        throwIfAborted(ctx.signal)
        const there = await target.stat(ctx, join(dir, nameOf(entry.path)))
        if (there) found.push(there)
      }
    }),
  )
  return found
}

function keyOf({ path, kind }: Entry, fold: boolean, normalize: boolean): string {
  const name = nameOf(path)
  // Only names beyond ASCII have other forms.
  const plain = normalize && !isAscii(name) ? name.normalize('NFC') : name
  const folded = fold ? plain.toLowerCase() : plain
  // A folder comes right after a file of its name.
  return kind === 'file' ? folded : `${folded}\0`
}

interface Keyed {
  readonly key: string
  readonly entry: Entry
}

/** The entries in order of their keys, without those whose key came before. */
function unique(ctx: Context, entries: readonly Entry[], key: (entry: Entry) => string, where: string): Keyed[] {
  const keyed = entries.map((entry) => ({ key: key(entry), entry }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.entry.path < b.entry.path ? -1 : 1))
  return keyed.filter(({ key, entry }, i) => {
    if (i === 0 || keyed[i - 1]?.key !== key) return true
    const what = entry.kind === 'file' ? 'object' : 'directory'
    ctx.log.notice(`Duplicate ${what} found in ${where} - ignoring`, { object: entry.path })
    return false
  })
}

function merged(source: readonly Keyed[], target: readonly Keyed[], targetDir: string): Match[] {
  const matches: Match[] = []
  for (let s = 0, t = 0; s < source.length || t < target.length;) {
    const [left, right] = [source[s], target[t]]
    if (left && (!right || left.key < right.key)) {
      matches.push({ source: left.entry, path: join(targetDir, nameOf(left.entry.path)) })
      s++
    } else if (right && (!left || right.key < left.key)) {
      matches.push({ target: right.entry, path: right.entry.path })
      t++
    } else {
      matches.push({ source: left?.entry, target: right?.entry, path: right?.entry.path ?? '' })
      s++
      t++
    }
  }
  return matches
}

function jobsBelow(matches: readonly Match[], depth: number, { targetOnly, lookUp }: MarchOptions): Job[] {
  const jobs: Job[] = []
  for (const { source, target, path } of matches)
    if (source?.kind === 'directory')
      jobs.push({ source: source.path, target: path, absent: !target && !lookUp, depth })
    else if (target?.kind === 'directory' && targetOnly) jobs.push({ source: undefined, target: path, depth })
  return jobs
}

/** True for a match of two files. */
export function bothFiles(match: Match): match is { source: FileEntry; target: FileEntry; path: string } {
  return match.source?.kind === 'file' && match.target?.kind === 'file'
}
