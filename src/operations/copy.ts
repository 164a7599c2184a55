import { type Body, FileSlice } from '../base/body.ts'
import { derive, discard } from '../base/derive.ts'
import { AppError, toAppError } from '../base/error.ts'
import { join } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { unfiltered } from '../core/filter.ts'
import type { Transfer, TransferEnds } from '../core/stats.ts'
import { retry, retryPolicy } from '../layers/retry.ts'
import { hasher } from '../remote/hash.ts'
import { parseTime } from '../remote/mtime.ts'
import { ownTime } from '../remote/own-time.ts'
import { type FileEntry, type PutInfo, type Remote, rootText } from '../remote/remote.ts'
import { acrossFrom, type Bridge } from './bridge.ts'
import type { Budget } from './budget.ts'
import { commonHash, hashOf } from './compare.ts'
import { leaveOut } from './leave-out.ts'
import { addsMetadata, metadataToKeep } from './metadata.ts'
import { copyOptions } from './options.ts'
import { copyInStreams, wantsStreams } from './streams.ts'

/** A checksum: its kind, one of `hashKinds`, and its value in hex. */
export interface Checksum {
  readonly kind: string
  readonly digest: string
}

/** One file to be copied or moved. */
export interface FileJob {
  readonly source: Remote
  readonly file: FileEntry
  readonly target: Remote
  /** Where it goes at the target. */
  readonly path: string
  /** What is there now. */
  readonly existing?: FileEntry | undefined
  /** When both sides are one storage. */
  readonly bridge?: Bridge | undefined
  readonly budget?: Budget | undefined
}

/**
 * Copies a file: by the storage itself where it can, else through this program. The destination keeps what it had until all
 * bytes are there, with the size that was announced and the checksum that both sides know. Errors that may pass are tried
 * again, `--low-level-retries` times. Gives undefined when it is left out (`--dry-run`, `--interactive`).
 */
export async function copyFile(ctx: Context, job: FileJob): Promise<FileEntry | undefined> {
  const { file } = job
  if (await pretend(ctx, file, 'copy')) return undefined
  const transfer = ctx.stats.transfer(file.path, file.size, 'transfer', endsOf(job))
  try {
    job.budget?.begin(file.size)
    const { written, how } = await transport(ctx, job, transfer, false)
    transfer.done()
    ctx.log.info(`Copied (${how})${renamed(job)}`, { object: file.path })
    return written
  } catch (reason) {
    const error = toAppError(reason)
    transfer.done(error)
    throw error
  }
}

/**
 * Copies a small file between two disks of this machine without a wait. Undefined when that can't be, which leaves everything
 * as it was: `copyFile` does it then.
 */
export function copyNow(ctx: Context, { source, file, target, path, existing }: FileJob): FileEntry | undefined {
  if (!source.readNow || !target.putNow || !ctx.stats.unlimited) return undefined
  const bytes = source.readNow(file)
  if (!bytes) return undefined
  try {
    const replaces = existing !== undefined || ctx.get(copyOptions).noCheckDest
    const written = target.putNow(path, bytes, { size: file.size, modTime: file.modTime, durable: false, replaces })
    if (!written) return undefined
    ctx.stats.whole(file.path, bytes.length)
    if (ctx.log.enabled('info'))
      ctx.log.info(`Copied (${existing ? 'replaced existing' : 'new'})`, { object: file.path })
    return written
  } catch (reason) {
    const error = toAppError(reason)
    ctx.stats.transfer(file.path, file.size).done(error)
    throw error
  }
}

/**
 * Moves a file: by the storage itself where it can; else copies it, reads the copy back to compare checksums where both sides
 * have one in common, and only then removes the source.
 */
export async function moveFile(ctx: Context, job: FileJob): Promise<FileEntry | undefined> {
  const { file, source, bridge } = job
  if (await pretend(ctx, file, 'move')) return undefined
  if (bridge?.remote.move) {
    const moved = await serverSideMove(ctx, job, bridge)
    if (moved) return moved
  }
  const transfer = ctx.stats.transfer(file.path, file.size, 'transfer', endsOf(job))
  try {
    job.budget?.begin(file.size)
    const { written, how } = await transport(ctx, job, transfer, true)
    transfer.done()
    ctx.log.info(`Copied (${how})${renamed(job)}`, { object: file.path })
    await source.remove(ctx, file)
    ctx.stats.count('deletes')
    ctx.log.info('Deleted', { object: file.path })
    return written
  } catch (reason) {
    const error = toAppError(reason)
    transfer.done(error)
    throw error
  }
}

/** Whether a file is left out; what `--dry-run` leaves out is counted as done, so that the summary shows it. */
async function pretend(ctx: Context, file: FileEntry, action: string): Promise<boolean> {
  if (!(await leaveOut(ctx, action, { object: file.path, size: file.size }))) return false
  if (ctx.get(copyOptions).dryRun) ctx.stats.sent(Math.max(0, file.size))
  return true
}

function endsOf({ source, file, target, path }: FileJob): TransferEnds {
  return { srcFs: rootText(source.info), srcRemote: file.path, dstFs: rootText(target.info), dstRemote: path }
}

const renamed = ({ file, path }: FileJob) => (path === file.path ? '' : ` to: ${path}`)

async function serverSideMove(ctx: Context, job: FileJob, bridge: Bridge): Promise<FileEntry | undefined> {
  const { file, path } = job
  const transfer = ctx.stats.transfer(file.path, file.size, 'check', endsOf(job))
  try {
    const moved = await bridge.remote.move?.(unfiltered(ctx), acrossFrom(bridge, file), join(bridge.to, path))
    transfer.done()
    if (!moved) return undefined
    ctx.stats.count('renames')
    ctx.stats.count('serverSideMoves')
    ctx.stats.count('serverSideMoveBytes', Math.max(0, file.size))
    ctx.log.info(`Moved (server-side)${renamed(job)}`, { object: file.path })
    return { ...moved, path }
  } catch (reason) {
    const error = toAppError(reason)
    if (ctx.signal.aborted || error.code === 'not-found' || error.code === 'no-space') {
      transfer.done(error)
      throw error
    }
    transfer.done()
    // Two disks, or links in between: what can't be renamed can be copied.
    ctx.log.debug(`can't be moved by the storage itself, copying: ${error.message}`, { object: file.path })
    return undefined
  }
}

interface Transported {
  readonly written: FileEntry
  readonly how: string
}

async function transport(ctx: Context, job: FileJob, transfer: Transfer, readBack: boolean): Promise<Transported> {
  const { bridge, file, path, existing } = job
  // A disk copies as fast through this program, with progress and --bwlimit.
  if (bridge?.remote.copy && !bridge.remote.info.traits.isLocal && !addsMetadata(ctx)) {
    const written = await bridge.remote.copy(unfiltered(ctx), acrossFrom(bridge, file), join(bridge.to, path))
    ctx.stats.count('serverSideCopies')
    ctx.stats.count('serverSideCopyBytes', Math.max(0, file.size))
    return { written: { ...written, path }, how: 'server-side copy' }
  }
  const written = await retry(ctx, retryPolicy(ctx), () => stream(ctx, job, transfer, readBack))
  return { written, how: existing ? 'replaced existing' : 'new' }
}

/** One attempt to copy the bytes. */
async function stream(ctx: Context, job: FileJob, transfer: Transfer, readBack: boolean): Promise<FileEntry> {
  const { source, file } = job
  const { ignoreChecksum } = ctx.get(copyOptions)
  const kind = ignoreChecksum ? undefined : hashToCheck(job, readBack)
  const written = wantsStreams(ctx, job) ? await streamed(ctx, job, transfer, kind) : undefined
  if (written) return written
  const opened = await source.open(ctx, file)
  try {
    return await passed(ctx, job, { transfer, opened, kind, readBack })
  } catch (error) {
    // A storage that failed before it asked for the first byte has left it open.
    await discard(opened).catch(() => {})
    throw error
  }
}

interface Passing {
  readonly transfer: Transfer
  readonly opened: Body
  readonly kind: string | undefined
  readonly readBack: boolean
}

/** Stores what was opened, and looks whether it is what the source has. */
async function passed(ctx: Context, job: FileJob, passing: Passing): Promise<FileEntry> {
  const { source, file, target, path, budget } = job
  const { transfer, opened, kind, readBack } = passing
  if (opened instanceof FileSlice) opened.confirmAtEnd = true
  const counted = transfer.account(budget ? budget.meter(opened) : opened, () => ctx.signal)
  // After it was opened: some storage knows its time, and its checksum, then.
  const whole = { ...job, file: await ownTime(ctx, source, file) }
  const info = { ...putInfo(ctx, whole, kind, readBack), ...(await described(ctx, whole)) }
  // What the source knows is checked where the bytes go into the storage.
  const known = kind === undefined ? undefined : info.hashes?.[kind]
  const compared = target.info.traits.isLocal && !readBack ? undefined : kind
  const sum: Sum = { digest: known?.toLowerCase() ?? '' }
  const body = compared === undefined || known ? counted : derive(counted, (bytes) => summed(bytes, compared, sum))
  const stored = await target.put(ctx, path, body, info)
  await verify(ctx, whole, stored, compared === undefined ? undefined : { kind: compared, digest: sum.digest })
  return stored
}

/** A copy by several reads. Parts that come in any order have no checksum on the way: what the source knows is compared. */
async function streamed(
  ctx: Context,
  job: FileJob,
  transfer: Transfer,
  kind: string | undefined,
): Promise<FileEntry | undefined> {
  const { source, file, target } = job
  const digest = kind === undefined ? '' : await hashOf(ctx, { remote: source, file }, kind)
  const expected = kind === undefined || digest === '' ? undefined : { kind, digest }
  // What this machine stored costs little to read while more is coming; other storage may know the checksum by itself.
  const { isLocal } = target.info.traits
  const written = await copyInStreams(ctx, job, transfer, isLocal ? expected : undefined)
  if (written) await verify(ctx, job, written, isLocal ? undefined : expected)
  return written
}

function putInfo(ctx: Context, job: FileJob, kind: string | undefined, readBack: boolean): PutInfo {
  const { source, file, existing } = job
  const { ignoreSize, noCheckDest } = ctx.get(copyOptions)
  const known = kind === undefined ? undefined : file.hashes?.[kind]
  return {
    ...(file.size >= 0 && !ignoreSize ? { size: file.size } : {}),
    modTime: file.modTime,
    ...(file.contentType === undefined ? {} : { contentType: file.contentType }),
    ...(known && kind ? { hashes: { [kind]: known } } : {}),
    hash: (wanted) => hashOf(ctx, { remote: source, file }, wanted),
    // The source of a move is removed next; that of a copy is there to be copied again.
    durable: readBack,
    ...(existing === undefined && !noCheckDest ? { replaces: false } : {}),
  }
}

/** With `--metadata`: that, and the time that it tells. */
async function described(ctx: Context, { source, file }: FileJob): Promise<Pick<PutInfo, 'metadata' | 'modTime'>> {
  const metadata = await metadataToKeep(ctx, source, file)
  const modTime = parseTime(metadata?.mtime)
  return { ...(metadata ? { metadata } : {}), ...(modTime === undefined ? {} : { modTime }) }
}

interface Sum {
  digest: string
}

async function* summed(body: Body, kind: string, sum: Sum): AsyncGenerator<Uint8Array, void> {
  const hash = hasher(kind)
  for await (const chunk of body) {
    hash.update(chunk)
    yield chunk
  }
  sum.digest = hash.digest()
}

/**
 * The checksum to compare. A disk to itself has nothing to compare it with but a second reading, which is done before a
 * source is removed, not after each copy.
 */
function hashToCheck({ source, target }: FileJob, readBack: boolean): string | undefined {
  if (!readBack && source.info.traits.slowHash && target.info.traits.slowHash) return undefined
  if (source.info.traits.isLocal && target.info.traits.isLocal && !readBack) return undefined
  return commonHash(source, target)
}

/** Throws, after it removed the copy, when that is not what was sent. */
async function verify(
  ctx: Context,
  { target, file, path }: FileJob,
  written: FileEntry,
  sent: Checksum | undefined,
): Promise<void> {
  let wrong: string | undefined
  if (!ctx.get(copyOptions).ignoreSize && file.size >= 0 && written.size >= 0 && written.size !== file.size)
    wrong = `corrupted on transfer: sizes differ ${file.size} vs ${written.size}`
  else if (sent) {
    const stored = await hashOf(ctx, { remote: target, file: written }, sent.kind)
    if (stored !== '' && stored !== sent.digest)
      wrong = `corrupted on transfer: ${sent.kind} hashes differ ${JSON.stringify(sent.digest)} vs ${JSON.stringify(stored)}`
  }
  if (wrong === undefined) return
  ctx.log.error(`${wrong}. Removing failed copy`, { object: path })
  await target.remove(ctx, written).catch((error: unknown) => {
    ctx.log.error(`Failed to remove failed copy: ${toAppError(error).message}`, { object: path })
  })
  throw new AppError('io', wrong, { retry: 'now' })
}
