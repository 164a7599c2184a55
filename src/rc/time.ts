import { fromMs } from '../base/time.ts'
import { rfc3339 } from '../base/local-time.ts'

/** A time (ms since 1970) as clients read it: RFC 3339 in the zone of this machine; the year 1 for what has not been yet. */
export function wireTime(ms: number | undefined): string {
  return ms === undefined ? '0001-01-01T00:00:00Z' : rfc3339(fromMs(ms), 3)
}
