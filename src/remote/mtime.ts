import { subSecond, toMs, type Nanoseconds } from '../base/time.ts'

const SECOND = 1_000_000_000n

/** A time as object stores keep it beside an object: RFC 3339 in UTC, to the nanosecond. */
export function formatTime(time: Nanoseconds): string {
  return `${new Date(toMs(time)).toISOString().slice(0, -'.000Z'.length)}.${subSecond(time).toString().padStart(9, '0')}Z`
}

/** The time of a text in RFC 3339; undefined when it is none. */
export function parseTime(text: string | undefined): Nanoseconds | undefined {
  const [, clock, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/i.exec(text ?? '') ?? []
  const ms = Date.parse(`${clock}${zone}`)
  return Number.isNaN(ms) ? undefined : (BigInt(ms) / 1000n) * SECOND + BigInt(fraction.padEnd(9, '0'))
}

/** A time as rclone keeps it beside objects of S3 and Swift: seconds since 1970 with decimals. */
export function formatSeconds(time: Nanoseconds): string {
  const [sign, absolute] = time < 0n ? ['-', -time] : ['', time]
  const decimals = (absolute % SECOND).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${absolute / SECOND}${decimals === '' ? '' : `.${decimals}`}`
}

/** The time of a text in seconds; undefined when it is none. */
export function parseSeconds(text: string | undefined): Nanoseconds | undefined {
  const [, sign, seconds, decimals = ''] = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(text?.trim() ?? '') ?? []
  if (seconds === undefined) return undefined
  const time = BigInt(seconds) * SECOND + BigInt(decimals.slice(0, 9).padEnd(9, '0'))
  return sign === '-' ? -time : time
}
