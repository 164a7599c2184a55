import { wait } from '../base/abort.ts'
import { Bucket } from '../base/bucket.ts'
import { Semaphore } from '../base/semaphore.ts'
import type { Context } from '../core/context.ts'
import type { Layer } from '../remote/remote.ts'
import { around } from './extend.ts'

export interface Limits {
  /** Calls under way at once. */
  readonly calls: number
  /** Calls that may begin each second; 0 = unlimited. */
  readonly perSecond: number
  /** Calls that may begin at once before `perSecond` holds. */
  readonly burst: number
}

/** Holds storage calls to `--checkers` at once and `--tpslimit` a second. */
export function limited(limits: Limits): Layer {
  const slots = new Semaphore(limits.calls)
  const bucket = new Bucket(limits.perSecond)
  let credit = limits.burst
  async function turn(ctx: Context): Promise<void> {
    if (limits.perSecond <= 0) return
    const ms = bucket.book(1)
    if (credit > 0) credit--
    else if (ms >= 1) await wait(ms, ctx.signal)
  }
  return (inner) =>
    around(inner, async (ctx, _op, call) => {
      await turn(ctx)
      return await slots.run(ctx.signal, call)
    })
}
