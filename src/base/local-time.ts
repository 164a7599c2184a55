import { subSecond, toMs, type Nanoseconds } from './time.ts'

/** `2001-02-03 04:05:06.000000000` in the zone of this machine. */
export function localTime(time: Nanoseconds, digits = 9): string {
  const { clock } = parts(time)
  return `${clock.replace('T', ' ')}${fraction(time, digits)}`
}

/** RFC 3339 in the zone of this machine, `2001-02-03T04:05:06.123+01:00`, with `Z` for UTC. */
export function rfc3339(time: Nanoseconds, digits: number): string {
  const { clock, offset } = parts(time)
  return `${clock}${fraction(time, digits)}${zone(offset)}`
}

/** As `rfc3339`, with as many decimals as there are: how metadata has times. */
export function rfc3339Nano(time: Nanoseconds): string {
  const { clock, offset } = parts(time)
  const decimals = fraction(time, 9).replace(/\.?0+$/, '')
  return `${clock}${decimals}${zone(offset)}`
}

/** Date and time up to the second, and the minutes that they are ahead of UTC. */
function parts(time: Nanoseconds): { clock: string; offset: number } {
  const ms = toMs(time)
  const date = new Date(ms)
  const offset = -date.getTimezoneOffset()
  const text = (offset === 0 ? date : new Date(ms + offset * 60_000)).toISOString()
  return { clock: text.slice(0, -'.000Z'.length), offset }
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
