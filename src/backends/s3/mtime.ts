import { fromMs, type Nanoseconds } from '../../base/time.ts'

const SECOND = 1_000_000_000n

/** A time as the metadata `mtime` has it: seconds since 1970 with as many decimals as it needs (serve-http.md 4.3). */
export function formatMtime(time: Nanoseconds): string {
  const [sign, abs] = time < 0n ? ['-', -time] : ['', time]
  const decimals = (abs % SECOND).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${abs / SECOND}${decimals === '' ? '' : `.${decimals}`}`
}

/** The time in the metadata `mtime`; undefined when it is none. */
export function parseMtime(text: string | undefined): Nanoseconds | undefined {
  const [, sign, seconds, decimals = ''] = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(text?.trim() ?? '') ?? []
  if (seconds === undefined) return undefined
  const time = BigInt(seconds) * SECOND + BigInt(decimals.slice(0, 9).padEnd(9, '0'))
  return sign === '-' ? -time : time
}

/** A time as headers and listings write it; 1970 when it is none. */
export function parseServerTime(text: string | undefined): Nanoseconds {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? 0n : fromMs(ms)
}
