import { subSecond, toMs, type Nanoseconds } from '../base/time.ts'

/** Digits of the second for a precision in ns: 9 for a nanosecond, 0 for a second and for storage without times. */
export function fractionDigits(precision: number | undefined): number {
  if (precision === undefined || precision >= 1e9) return 0
  return 9 - Math.max(0, Math.ceil(Math.log10(Math.max(1, precision))))
}

/** `2001-02-03 04:05:06.000000000` in the zone of this machine. */
export function localTime(time: Nanoseconds, digits = 9): string {
  const { date, clock } = parts(time)
  return `${date} ${clock}${fraction(time, digits)}`
}

/** RFC 3339 in the zone of this machine, `2001-02-03T04:05:06.123+01:00`, with `Z` for UTC. */
export function rfc3339(time: Nanoseconds, digits: number): string {
  const { date, clock, offset } = parts(time)
  return `${date}T${clock}${fraction(time, digits)}${zone(offset)}`
}

function parts(time: Nanoseconds): { date: string; clock: string; offset: number } {
  const ms = toMs(time)
  const offset = -new Date(ms).getTimezoneOffset()
  const [date = '', clock = ''] = new Date(ms + offset * 60_000).toISOString().split('T')
  return { date, clock: clock.slice(0, 8), offset }
}

function fraction(time: Nanoseconds, digits: number): string {
  return digits === 0 ? '' : `.${subSecond(time).toString().padStart(9, '0').slice(0, digits)}`
}

function zone(minutes: number): string {
  if (minutes === 0) return 'Z'
  const two = (n: number) => String(n).padStart(2, '0')
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
