import { AppError } from '../base/error.ts'
import type { Range } from '../base/range.ts'
import type { Context } from '../core/context.ts'
import type { Transfer } from '../core/stats.ts'
import { hashBody } from '../remote/hash.ts'
import { ownTime } from '../remote/own-time.ts'
import type { FileEntry } from '../remote/remote.ts'
import { CHUNK, Spool } from '../spool/spool.ts'
import type { Checksum, FileJob } from './copy.ts'
import { copyOptions } from './options.ts'

/** Each stream reads so many bytes at a time. */
const PART = 64 * 1024 * 1024

/** True for a large file that is worth several streams: not between two disks of this machine, where one is as fast. */
export function wantsStreams(ctx: Context, { source, file, target }: FileJob): boolean {
  const { multiThreadCutoff, multiThreadStreams, metadata } = ctx.get(copyOptions)
  if (!target.openWriter || metadata || multiThreadStreams < 2 || multiThreadCutoff < 0) return false
  return file.size >= multiThreadCutoff && !(source.info.traits.isLocal && target.info.traits.isLocal)
}

/**
 * Copies a file by several reads at once (`--multi-thread-streams`). As with any copy nothing is visible before all is there;
 * when one stream fails the others end with it. With `expected`, what was stored is read behind the streams, and has that
 * checksum before it gets its name. Undefined when it turns out that nobody knows its size.
 */
export async function copyInStreams(
  ctx: Context,
  job: FileJob,
  transfer: Transfer,
  expected: Checksum | undefined,
): Promise<FileEntry | undefined> {
  const { source, file, target, path } = job
  const halt = new AbortController()
  const own = ctx.with({ signal: AbortSignal.any([ctx.signal, halt.signal]) })
  const { size, modTime } = await ownTime(ctx, source, file)
  if (size < 0) return undefined
  const writer = await target.openWriter?.(own, path, { size, modTime })
  if (!writer) throw new AppError('unsupported', `${target.info.description} can't be written in several places`)
  const spool = new Spool(writer, { size })
  const parts = partsOf(size)
  const stream = async () => {
    for (const part of parts) await copyPart(own, job, { transfer, spool }, part)
  }
  const work = Array.from({ length: ctx.get(copyOptions).multiThreadStreams }, stream)
  if (expected) work.push(checkBehind(spool, expected, own.signal))
  try {
    await Promise.all(work)
    return await writer.commit()
  } catch (error) {
    halt.abort(error)
    throw error
  } finally {
    await Promise.allSettled(work)
    await writer.close()
  }
}

/** Reads what was stored, in order, as soon as it is there: throws when it is not what the source says that it has. */
async function checkBehind(spool: Spool, { kind, digest }: Checksum, signal: AbortSignal): Promise<void> {
  // One buffer for all: a new one for each chunk of a large file costs as much as reading it.
  const into = Buffer.allocUnsafe(CHUNK)
  const stored = await hashBody(spool.follow({ start: 0, end: Infinity }, { signal, into }), kind)
  if (stored === digest) return
  const problem = `corrupted on transfer: ${kind} hashes differ ${JSON.stringify(digest)} vs ${JSON.stringify(stored)}`
  throw new AppError('io', problem, { retry: 'now' })
}

/** The parts of a file, each given to one taker. */
function* partsOf(size: number): Generator<Range> {
  for (let start = 0; start < size; start += PART) yield { start, end: Math.min(size, start + PART) }
}

interface Way {
  readonly transfer: Transfer
  readonly spool: Spool
}

async function copyPart(ctx: Context, job: FileJob, { transfer, spool }: Way, part: Range): Promise<void> {
  const { source, file, budget } = job
  const opened = await source.open(ctx, file, part)
  let at = part.start
  for await (const chunk of transfer.account(budget ? budget.meter(opened) : opened, () => ctx.signal)) {
    if (at + chunk.length > part.end) throw new AppError('invalid', `the source gave more than it was asked for`)
    await spool.write(chunk, at)
    at += chunk.length
  }
  if (at < part.end)
    throw new AppError('invalid', `the source ended after ${at} of ${file.size} bytes`, { retry: 'now' })
}
