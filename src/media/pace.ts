import { wait } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { framesOf } from './formats.ts'

export interface Pace {
  /** As it plays, or bytes a second. */
  readonly rate: 'auto' | number
  /** Media type: tells how long what was read plays. */
  readonly type: string
  readonly signal: AbortSignal
  /** Called when the bytes do not tell how long they play: nothing holds them back then. */
  readonly unknown: () => void
}

/** Bytes that are looked at and let go at once. */
const STEP = 1024
/** Being ahead by less than this (ms) is not worth a timer. */
const TOLERANCE = 15
/** After this many bytes it must be known how long they play. */
const PATIENCE = 256 * 1024

/** Lets a body through no faster than it plays. */
export async function* paced(body: Body, { rate, type, signal, unknown }: Pace): AsyncGenerator<Uint8Array> {
  const frames = rate === 'auto' ? framesOf(type) : undefined
  let begun: number | undefined
  let passed = 0
  let gaveUp = false
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += STEP) {
      const step = chunk.subarray(at, at + STEP)
      frames?.push(step)
      passed += step.length
      const due = rate === 'auto' ? frames?.time : (passed / rate) * 1000
      if (due !== undefined) {
        begun ??= performance.now() - due
        const early = begun + due - performance.now()
        if (early > TOLERANCE) await wait(early, signal)
      } else if (passed > PATIENCE && !gaveUp) {
        gaveUp = true
        unknown()
      }
      yield step
    }
  }
}
