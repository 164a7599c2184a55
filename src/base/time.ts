/**
 * Points in time are `bigint` nanoseconds since 1970 (UTC): modification times keep the precision that file systems and
 * rclone's cache fingerprints have. Durations are plain numbers of milliseconds.
 */
export type Nanoseconds = bigint

const MS = 1_000_000n

/** Nanoseconds from a Date or from milliseconds. */
export function fromMs(time: Date | number): Nanoseconds {
  return BigInt(Math.round(Number(time))) * MS
}

/** The years 1 to 9999 (ms): no date that we write has room for others. */
const FIRST_DATE = -62_135_596_800_000
const LAST_DATE = Date.UTC(9999, 11, 31)

/**
 * Whole milliseconds, rounded down. A time that no date can show, as disks and remotes may hold, is the nearest that one can: a
 * file that has it makes no listing fail.
 */
export function toMs(time: Nanoseconds): number {
  const ms = Number(time >= 0n ? time / MS : (time - MS + 1n) / MS)
  return Math.min(Math.max(ms, FIRST_DATE), LAST_DATE)
}

export function toDate(time: Nanoseconds): Date {
  return new Date(toMs(time))
}

/** IMF-fixdate, `Sat, 03 Feb 2001 04:05:06 GMT` (RFC 9110 section 5.6.7). */
export function toHttpDate(time: Nanoseconds): string {
  return toDate(time).toUTCString()
}

/** The nanoseconds within the second, 0 to 999,999,999. */
export function subSecond(time: Nanoseconds): number {
  const rest = Number(time % 1_000_000_000n)
  return rest < 0 ? rest + 1_000_000_000 : rest
}
