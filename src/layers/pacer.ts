import { wait } from '../base/abort.ts'
import { toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { Layer } from '../remote/remote.ts'
import { around } from './extend.ts'

export interface Pace {
  /** The first wait after a storage said that it is asked too often, in ms; it doubles up to `longest`. */
  readonly first: number
  readonly longest: number
  /** The clock, in ms. */
  readonly now: () => number
}

/**
 * Slows all calls to one storage when it says that it is asked too often (429, 503, Retry-After), and speeds up again as they
 * succeed: each call that is refused would make it worse for all.
 */
export function paced({ first, longest, now }: Pace): Layer {
  /** Between the beginnings of two calls, in ms. */
  let interval = 0
  let next = 0

  async function turn(ctx: Context): Promise<void> {
    const ms = next - now()
    next = Math.max(next, now()) + interval
    if (ms > 0) await wait(ms, ctx.signal)
  }

  function refused(afterMs: number): void {
    interval = Math.min(longest, Math.max(first, interval * 2))
    next = Math.max(next, now() + Math.max(interval, afterMs))
  }

  return (inner) =>
    around(inner, async (ctx, _op, call) => {
      await turn(ctx)
      try {
        const result = await call()
        interval = interval < first ? 0 : interval / 2
        return result
      } catch (reason) {
        const { code, retry } = toAppError(reason)
        if (code === 'rate-limited') refused(typeof retry === 'object' ? retry.afterMs : 0)
        throw reason
      }
    })
}
