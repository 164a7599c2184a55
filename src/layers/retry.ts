import { wait } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { derive } from '../base/derive.ts'
import { type AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import type { Layer } from '../remote/remote.ts'
import { around, extend } from './extend.ts'

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly tries: number
  /** The first wait, in ms; it doubles up to `longest`. */
  readonly first: number
  readonly longest: number
  /** A number in [0, 1): waits are spread, so that clients do not come back all at once. */
  readonly random: () => number
}

/** How calls to a storage are tried again, as the user wants it (`--low-level-retries`). */
export function retryPolicy(ctx: Context): RetryPolicy {
  return { tries: ctx.get(mainOptions).lowLevelRetries, first: 10, longest: 2000, random: Math.random }
}

/** Tries storage calls again when that may help, and takes up a broken read where it broke. */
export function retrying(policy: RetryPolicy): Layer {
  return (inner) =>
    extend(
      around(inner, (ctx, _op, call) => retry(ctx, policy, call)),
      {
        async open(ctx, file, range) {
          const start = range?.start ?? 0
          const end = range?.end ?? Infinity
          const openAt = (at: number) => retry(ctx, policy, () => inner.open(ctx, file, { start: at, end }))
          return derive(await openAt(start), (first) => resumed(ctx, policy, first, (bytes) => openAt(start + bytes)))
        },
      },
    )
}

/** The result of `call`, tried as often as the policy allows while its errors say that trying again may help. */
export async function retry<T>(ctx: Context, policy: RetryPolicy, call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (reason) {
      const error = toAppError(reason)
      if (error.retry === false || attempt >= policy.tries || ctx.signal.aborted) throw error
      await pause(ctx, error, attempt, policy)
    }
  }
}

/** A body that goes on from `again(bytes so far)` when it breaks. */
async function* resumed(
  ctx: Context,
  policy: RetryPolicy,
  body: Body,
  again: (bytes: number) => Promise<Body>,
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0
  for (let attempt = 1, source = body; ; attempt++) {
    const before = bytes
    try {
      for await (const chunk of source) {
        bytes += chunk.length
        yield chunk
      }
      return
    } catch (reason) {
      const error = toAppError(reason)
      if (bytes > before) attempt = 1
      if (error.retry === false || attempt >= policy.tries || ctx.signal.aborted) throw error
      ctx.log.debug(`reading goes on at byte ${bytes} after: ${error.message}`)
      await pause(ctx, error, attempt, policy)
      source = await again(bytes)
    }
  }
}

async function pause(ctx: Context, error: AppError, attempt: number, policy: RetryPolicy): Promise<void> {
  const asked = typeof error.retry === 'object' ? error.retry.afterMs : 0
  const backoff = Math.min(policy.longest, policy.first * 2 ** (attempt - 1))
  const ms = Math.max(asked, backoff * (0.5 + policy.random() / 2))
  ctx.log.debug(`trying again in ${Math.round(ms)} ms: ${error.message}`)
  await wait(ms, ctx.signal)
}
