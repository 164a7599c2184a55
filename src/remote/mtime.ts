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
