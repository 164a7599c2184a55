import { toNanoseconds } from '../base/duration.ts'
import { AppError } from '../base/error.ts'
import { formatSize } from '../base/size.ts'
import type { Context } from '../core/context.ts'
import { hashKinds } from '../remote/hash.ts'
import { ownTime } from '../remote/own-time.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { type CopyOptions, copyOptions } from './options.ts'

/** A file and the storage it is in. */
export interface Held {
  readonly remote: Remote
  readonly file: FileEntry
}

/**
 * What is to be done about a file that both sides have: nothing, copy it, or only set the time of the destination; `ask` =
 * the listings do not tell, the times or the checksums have to be asked for.
 */
export type Verdict = 'same' | 'copy' | 'touch' | 'ask'

/** The checksum of a file as its storage knows it; `''` when it does not. */
export async function hashOf(ctx: Context, { remote, file }: Held, kind: string): Promise<string> {
  const known = file.hashes?.[kind]
  if (known) return known.toLowerCase()
  if (!remote.hash || !remote.info.hashes.includes(kind)) return ''
  return (await remote.hash(ctx, file, kind)).toLowerCase()
}

/** The first kind of checksum that both storages have. */
export function commonHash(a: Remote, b: Remote): string | undefined {
  return hashKinds.find((kind) => a.info.hashes.includes(kind) && b.info.hashes.includes(kind))
}

/**
 * Times that differ by less than this many ns are the same: the coarser of both storages, at least `--modify-window`.
 * Undefined when one of them has no times of its own.
 */
export function modifyWindow(ctx: Context, a: Remote, b: Remote): bigint | undefined {
  const { precision: left } = a.info
  const { precision: right } = b.info
  if (left === undefined || right === undefined) return undefined
  const window = toNanoseconds(ctx.get(copyOptions).modifyWindow)
  const coarsest = BigInt(Math.ceil(Math.max(left, right, 1)))
  return window > coarsest ? window : coarsest
}

/** Compares by what the listings say (rclone's rule, serve-http.md 5.3). */
export function compareListed(ctx: Context, source: Held, target: Held, window: bigint | undefined): Verdict {
  const options = ctx.get(copyOptions)
  if (options.ignoreExisting) return 'same'
  if (options.ignoreTimes) return 'copy'
  if (needsOwnTimes(options, source.file, target.file)) return 'ask'
  if (!options.updateOlder) return compareContent(options, source.file, target.file, window)
  return compareAge(options, source.file, target.file, window)
}

/** Whether times matter that have to be asked for first: listings had those of the uploads. */
function needsOwnTimes(options: CopyOptions, source: FileEntry, target: FileEntry): boolean {
  if (!source.timeOfUpload && !target.timeOfUpload) return false
  return options.updateOlder || !(options.sizeOnly || options.checksum || sizesDiffer(options, source, target))
}

function sizesDiffer(options: CopyOptions, source: FileEntry, target: FileEntry): boolean {
  return !options.ignoreSize && source.size >= 0 && target.size >= 0 && source.size !== target.size
}

function compareContent(options: CopyOptions, source: FileEntry, target: FileEntry, window?: bigint): Verdict {
  if (sizesDiffer(options, source, target)) return 'copy'
  if (options.sizeOnly) return 'same'
  if (options.checksum) return 'ask'
  if (window === undefined) return 'same'
  return near(source, target, window) ? 'same' : 'ask'
}

function compareAge(options: CopyOptions, source: FileEntry, target: FileEntry, window = 1n): Verdict {
  const difference = target.modTime - source.modTime
  if (difference >= window) return 'same'
  if (sizesDiffer(options, source, target)) return 'copy'
  if (difference <= -window) return options.sizeOnly ? 'same' : 'ask'
  return options.checksum ? 'ask' : 'same'
}

/** True when two times are the same within a window in ns. */
export function near(a: FileEntry, b: FileEntry, window: bigint): boolean {
  const difference = a.modTime - b.modTime
  return difference < window && -difference < window
}

/** Ends an `ask`: by the files' own times, by the checksums. */
export async function compareAsked(
  ctx: Context,
  source: Held,
  target: Held,
  window: bigint | undefined,
): Promise<Exclude<Verdict, 'ask'>> {
  const options = ctx.get(copyOptions)
  if (needsOwnTimes(options, source.file, target.file)) {
    const [left, right] = await Promise.all([withOwnTime(ctx, source), withOwnTime(ctx, target)])
    const listed = compareListed(ctx, left, right, window)
    return listed === 'ask' ? await compareAsked(ctx, left, right, window) : listed
  }
  const { checksum, refreshTimes } = options
  const same = await sameHash(ctx, source, target)
  if (same === false) return 'copy'
  if (checksum) return 'same'
  if (same === undefined && !refreshTimes) return 'copy'
  return window !== undefined && near(source.file, target.file, window) ? 'same' : 'touch'
}

async function withOwnTime(ctx: Context, { remote, file }: Held): Promise<Held> {
  return { remote, file: await ownTime(ctx, remote, file) }
}

/** Whether the first common checksum is the same; undefined when there is none that both know. */
export async function sameHash(ctx: Context, source: Held, target: Held): Promise<boolean | undefined> {
  const kind = commonHash(source.remote, target.remote)
  if (kind === undefined) return undefined
  const [left, right] = await Promise.all([hashOf(ctx, source, kind), hashOf(ctx, target, kind)])
  if (left === '' || right === '') return undefined
  if (left !== right) ctx.log.debug(`${kind} = ${left}, ${right} at the destination`, { object: source.file.path })
  return left === right
}

/** The error of `--immutable`. */
export function immutableModified(): AppError {
  return new AppError('exists', 'immutable file modified', { stop: 'no-retry' })
}

/** ` (size 1.177Mi)` for a line about a file. */
export function sizeNote(size: number): string {
  return ` (size ${formatSize(size)})`
}
