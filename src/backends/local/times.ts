import { futimes } from 'node:fs'
import { promisify } from 'node:util'
import { rethrow } from '../../base/error.ts'
import type { Nanoseconds } from '../../base/time.ts'

const SECOND = 1_000_000_000n

const setTimes = promisify(futimes)

/** The precision of times that are set, in ns: Node takes seconds as a floating-point number, good to about 0.2 µs today. */
export const TIME_PRECISION = 1000

/** The nearest time in seconds that Node takes: before 1970 as text, for a number would mean now. */
export function secondsOf(time: Nanoseconds): number | string {
  const seconds = Number(time / SECOND) + Number(time % SECOND) / Number(SECOND)
  return seconds < 0 ? String(seconds) : seconds
}

/** Sets the times of modification and access of an open file or directory, within `TIME_PRECISION`. */
export async function setFdTime(fd: number, time: Nanoseconds, accessed = time): Promise<void> {
  await setTimes(fd, secondsOf(accessed), secondsOf(time)).catch(rethrow)
}
