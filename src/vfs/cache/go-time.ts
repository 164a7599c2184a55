import type { Nanoseconds } from '../../base/time.ts'

const SECOND = 1_000_000_000n

/** `2026-11-20T18:12:33.068907148Z`, as rclone's metadata has times (RFC 3339, no zeros at the end of the fraction). */
export function formatJsonTime(time: Nanoseconds): string {
  const { date, clock, fraction } = parts(time)
  return `${date}T${clock}${fraction}Z`
}

/** `2026-11-20 18:12:33.068907148 +0000 UTC`, as rclone's fingerprints have times. */
export function formatFingerprintTime(time: Nanoseconds): string {
  const { date, clock, fraction } = parts(time)
  return `${date} ${clock}${fraction} +0000 UTC`
}

/** Reads a time of RFC 3339 in any zone; undefined when it is none. */
export function parseJsonTime(text: string): Nanoseconds | undefined {
  const [, seconds, fraction = '', zone] =
    /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/.exec(text) ?? []
  const ms = seconds === undefined ? NaN : Date.parse(`${seconds}${zone}`)
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

function parts(time: Nanoseconds) {
  const rest = ((time % SECOND) + SECOND) % SECOND
  const iso = new Date(Number((time - rest) / 1_000_000n)).toISOString()
  const digits = rest.toString().padStart(9, '0').replace(/0+$/, '')
  return { date: iso.slice(0, 10), clock: iso.slice(11, 19), fraction: digits === '' ? '' : `.${digits}` }
}
