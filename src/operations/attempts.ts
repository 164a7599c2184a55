import { setTimeout as sleep } from 'node:timers/promises'
import { type AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'

/**
 * Does the whole work again, up to `--retries` times, when that may help, which it does not when remotes are written or
 * configured wrongly; the errors of an attempt before it are forgotten in the stats. Gives the error of the last one.
 */
export async function retried(
  ctx: Context,
  work: (ctx: Context) => Promise<void>,
  { retry = true }: { readonly retry?: boolean } = {},
): Promise<AppError | undefined> {
  const { retries, retriesInterval } = ctx.get(mainOptions)
  for (let attempt = 1; ; attempt++) {
    const failed = await failure(ctx, work)
    if (!failed) {
      if (attempt > 1) ctx.log.error(`Attempt ${attempt}/${retries} succeeded`)
      return undefined
    }
    const { error, early } = failed
    if (!retry || ctx.signal.aborted || error.code === 'usage' || (early && error.code === 'invalid')) return error
    if (error.stop === 'no-retry') {
      ctx.log.error("Can't retry any of the errors - not attempting retries")
      return error
    }
    if (error.stop) {
      ctx.log.error('Fatal error received - not attempting retries')
      return error
    }
    ctx.log.error(`Attempt ${attempt}/${retries} failed with ${countErrors(ctx)} errors and: ${error.message}`)
    if (attempt >= retries) return error
    ctx.stats.resetErrors()
    if (retriesInterval > 0 && retriesInterval < Infinity)
      // Ended while it waits: the next attempt tells.
      await sleep(retriesInterval, undefined, { signal: ctx.signal }).catch(() => {})
  }
}

interface Failure {
  readonly error: AppError
  /** Nothing had failed before: the work did not come as far as its files. */
  readonly early: boolean
}

/** The error that an attempt ended with, counted. */
async function failure(ctx: Context, work: (ctx: Context) => Promise<void>): Promise<Failure | undefined> {
  const before = countErrors(ctx)
  try {
    await work(ctx)
    return undefined
  } catch (reason) {
    const error = toAppError(reason)
    const early = countErrors(ctx) === before
    if (early) ctx.stats.error(error)
    return { error, early }
  }
}

/** The errors that were counted so far. */
export function countErrors(ctx: Context): number {
  return (ctx.stats.snapshot() as { readonly errors: number }).errors
}
