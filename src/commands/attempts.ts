import type { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { statsOptions } from '../core/options.ts'
import type { MarkWord } from '../core/outcomes.ts'
import { countErrors, retried } from '../operations/attempts.ts'
import { copyOptions } from '../operations/options.ts'
import { amount } from '../core/report.ts'
import type { CommandIo } from './command.ts'
import { exitCodeOf, exitCodeOfSignal, exitCodes } from './exit.ts'
import { interactive } from './interactive.ts'
import { progress } from './progress.ts'
import { logStats, statsTicker } from './stats-ticker.ts'

export interface AttemptsOptions {
  /** The word for messages: `copy`. */
  readonly name: string
  /** Tries all of it again, up to `--retries` times, when that may help. */
  readonly retry: boolean
  /** Shows the summary at the end, and while it runs. */
  readonly stats: boolean
}

/** For those who see a copy end: what they have, and what next. */
const INTERRUPTED =
  'Interrupted: files that were under way are left as they were before. Do it again to go on where this ended'

/**
 * Runs the work of a command as rclone does: again after errors, with its lines in the log, the summary at the end, and the
 * exit status that goes with the error. The first SIGINT or SIGTERM ends it.
 */
export async function attempts(
  io: CommandIo,
  options: AttemptsOptions,
  work: (ctx: Context) => Promise<void>,
): Promise<number> {
  const flags = io.get(copyOptions)
  if (flags.dryRun) io.outcomes.enabled = true
  const asking = flags.interactive && !flags.dryRun ? interactive(io) : undefined
  // Questions and a block that is drawn over and over don't go together.
  const shown = options.stats && flags.progress && !asking ? progress(io) : undefined
  const ticker = shown ?? (options.stats ? statsTicker(io) : undefined)
  const signal = AbortSignal.any([io.ctx.signal, io.signals.stop])
  const confirm = asking ? { confirm: asking.confirm } : {}
  const ctx = io.ctx.with({ signal, log: shown?.log ?? io.ctx.log, ...confirm })
  let error: AppError | undefined
  try {
    error = await retried(ctx, work, { retry: options.retry })
  } finally {
    ticker?.stop()
    asking?.close()
  }
  if (options.stats) summary(io, error !== undefined)
  if (options.stats && flags.dryRun) sayDryRun(io)
  if (!error) return nothingDone(io, ctx) ? exitCodes.nothingTransferred : exitCodes.ok
  return failed(io, ctx, options, error)
}

/** Says that it failed, or that it was interrupted; gives the exit status. */
function failed(io: CommandIo, ctx: Context, options: AttemptsOptions, error: AppError): number {
  const { received } = io.signals
  if (received) {
    ctx.log.error(options.stats ? INTERRUPTED : 'Interrupted before the end')
    return exitCodeOfSignal(received)
  }
  const count = countErrors(ctx)
  ctx.log.error(
    count <= 1
      ? `Failed to ${options.name}: ${error.message}`
      : `Failed to ${options.name} with ${count} errors: last error was: ${error.message}`,
  )
  return exitCodeOf(error)
}

function nothingDone(io: CommandIo, ctx: Context): boolean {
  const { transfers } = ctx.stats.snapshot() as { readonly transfers: number }
  return io.get(copyOptions).errorOnNoTransfer && transfers === 0
}

/** What a dry run would have done, in one line. */
function sayDryRun(io: CommandIo): void {
  const { counts } = io.outcomes.page(io.ctx.stats.name, { limit: 0 })
  const said = (word: MarkWord, what: string) =>
    counts[word].files > 0 ? [`${counts[word].files} ${what} (${amount(counts[word].bytes)})`] : []
  const parts = [
    ...said('new', 'new'),
    ...said('changed', 'changed'),
    ...said('deleted', 'deleted'),
    ...said('failed', 'failed'),
  ]
  const { files: same } = counts.matched
  const rest = same > 0 ? `, ${same} the same` : ''
  io.ctx.log.notice(`Dry run: ${parts.length > 0 ? parts.join(', ') : 'nothing to do'}${rest}`)
}

/** The block of numbers at the end: with -v, after errors when asked for, and always of a dry run. */
function summary(io: CommandIo, failed: boolean): void {
  if (io.get(statsOptions).interval <= 0 && !failed) return
  const { dryRun, progress } = io.get(copyOptions)
  if (!progress) logStats(io, dryRun ? 'notice' : 'info')
}
