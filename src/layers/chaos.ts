import type { Body } from '../base/body.ts'
import { derive } from '../base/derive.ts'
import { AppError } from '../base/error.ts'
import type { Layer } from '../remote/remote.ts'
import { around, extend } from './extend.ts'

export interface ChaosPolicy {
  /** The same seed gives the same faults. */
  readonly seed: number
  /** How many of a hundred calls fail. */
  readonly percent: number
}

/** For tests: calls fail now and then with an error that asks for another try, and bodies break in the middle. */
export function chaos({ seed, percent }: ChaosPolicy): Layer {
  const random = numbers(seed)
  const strikes = () => random() * 100 < percent
  return (inner) => {
    const failing = around(inner, async (_ctx, op, call) => {
      if (strikes()) throw new AppError('io', `chaos: ${op.name} failed`, { retry: 'now' })
      return await call()
    })
    return extend(failing, {
      open: async (ctx, file, range) => derive(await failing.open(ctx, file, range), (body) => cut(body, strikes)),
    })
  }
}

async function* cut(body: Body, strikes: () => boolean): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    const half = chunk.length >> 1
    if (strikes()) {
      if (half > 0) yield chunk.subarray(0, half)
      throw new AppError('io', 'chaos: the body broke', { retry: 'now' })
    }
    yield chunk
  }
}

/** Numbers in [0, 1) that look random (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
