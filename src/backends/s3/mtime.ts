import { fromMs, type Nanoseconds } from '../../base/time.ts'

/** A time as headers and listings write it; 1970 when it is none. */
export function parseServerTime(text: string | undefined): Nanoseconds {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? 0n : fromMs(ms)
}
