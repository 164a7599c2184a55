import { setTimeout as sleep } from 'node:timers/promises'
import { type AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions, statsOptions } from '../core/options.ts'
import type { Json } from '../base/json.ts'
import { copyOptions } from '../operations/options.ts'
import { report } from '../core/report.ts'
import type { CommandIo } from './command.ts'
import { exitCodeOf, exitCodes } from './exit.ts'
import { progress } from './progress.ts'
import { logReport, statsTicker } from './stats-ticker.ts'

export interface AttemptsOptions {
  /** The word for messages: `copy`. */
  readonly name: string
  /** Tries all of it again, up to `--retries` times, when that may help. */
  readonly retry: boolean
  /** Shows the summary at the end, and while it runs. */
  readonly stats: boolean
}

/**
 * Runs the work of a command as rclone does: again after errors, with its lines in the log, the summary at the end, and the
 * exit status that goes with the error. The first SIGINT or SIGTERM ends it.
 */
export async function attempts(
  io: CommandIo,
  options: AttemptsOptions,
  work: (ctx: Context) => Promise<void>,
): Promise<number> {
  const shown = options.stats && io.get(copyOptions).progress ? progress(io) : undefined
  const ticker = shown ?? (options.stats ? statsTicker(io) : undefined)
  const signal = AbortSignal.any([io.ctx.signal, io.signals.stop])
  const ctx = io.ctx.with({ signal, log: shown?.log ?? io.ctx.log })
  let error: AppError | undefined
  try {
    error = await retried(ctx, options, work)
  } finally {
    ticker?.stop()
  }
  if (options.stats) summary(io, error !== undefined)
  if (!error) return nothingDone(io, ctx) ? exitCodes.nothingTransferred : exitCodes.ok
  const count = errorsOf(ctx)
  ctx.log.error(
    count <= 1
      ? `Failed to ${options.name}: ${error.message}`
      : `Failed to ${options.name} with ${count} errors: last error was: ${error.message}`,
  )
  return exitCodeOf(error)
}

async function retried(
  ctx: Context,
  { retry }: AttemptsOptions,
  work: (ctx: Context) => Promise<void>,
): Promise<AppError | undefined> {
  const { retries, retriesInterval } = ctx.get(mainOptions)
  for (let attempt = 1; ; attempt++) {
    const error = await failure(ctx, work)
    if (!error) {
      if (attempt > 1) ctx.log.error(`Attempt ${attempt}/${retries} succeeded`)
      return undefined
    }
    if (!retry || ctx.signal.aborted || error.code === 'usage') return error
    if (error.stop === 'no-retry') {
      ctx.log.error("Can't retry any of the errors - not attempting retries")
      return error
    }
    if (error.stop) {
      ctx.log.error('Fatal error received - not attempting retries')
      return error
    }
    ctx.log.error(`Attempt ${attempt}/${retries} failed with ${errorsOf(ctx)} errors and: ${error.message}`)
    if (attempt >= retries) return error
    ctx.stats.resetErrors()
    if (retriesInterval > 0 && retriesInterval < Infinity)
      // Ended while it waits: the next attempt tells.
      await sleep(retriesInterval, undefined, { signal: ctx.signal }).catch(() => {})
  }
}

/** The error that an attempt ended with, counted. */
async function failure(ctx: Context, work: (ctx: Context) => Promise<void>): Promise<AppError | undefined> {
  const before = errorsOf(ctx)
  try {
    await work(ctx)
    return undefined
  } catch (reason) {
    const error = toAppError(reason)
    if (errorsOf(ctx) === before) ctx.stats.error(error)
    return error
  }
}

type Snapshot = { readonly [key: string]: Json }

function errorsOf(ctx: Context): number {
  return Number((ctx.stats.snapshot() as Snapshot).errors)
}

function nothingDone(io: CommandIo, ctx: Context): boolean {
  return io.get(copyOptions).errorOnNoTransfer && Number((ctx.stats.snapshot() as Snapshot).transfers) === 0
}

/** The block of numbers at the end: with -v, after errors when asked for, and always of a dry run. */
function summary(io: CommandIo, failed: boolean): void {
  const { oneLine, unit, fileNameLength, interval } = io.get(statsOptions)
  if (interval <= 0 && !failed) return
  const lines = report(io.ctx.stats.snapshot(), { oneLine, unit, nameLength: fileNameLength })
  const { dryRun, progress } = io.get(copyOptions)
  if (progress) return
  logReport(io, dryRun ? 'notice' : 'info', lines)
}
