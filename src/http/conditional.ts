import { toMs, type Nanoseconds } from '../base/time.ts'
import type { HttpRequest } from './message.ts'

/** What is known about the representation that a request would get now. */
export interface Validators {
  /** With its quotes and `W/`; absent when nothing is known. */
  readonly etag?: string | undefined
  /** Time of last modification; 0 or absent when it is not known. */
  readonly modTime?: Nanoseconds | undefined
  /** False when there is no such resource yet: for conditional uploads. */
  readonly exists?: boolean
}

/**
 * What the conditions of a request come to: go on; go on without the range; 304; 412.
 */
export type Verdict = 'proceed' | 'ignore-range' | 'not-modified' | 'failed'

/**
 * Evaluates If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since and If-Range in the order of RFC 9110 section
 * 13.2.2. Times compare by the second. A condition that cannot be read is as good as absent, except that If-Match with no
 * readable tag fails. HEAD is judged like GET; `now` (ms) decides whether a date is strong enough for If-Range.
 */
export function evaluate(
  request: Pick<HttpRequest, 'method' | 'header'>,
  known: Validators,
  now = Date.now(),
): Verdict {
  const reads = request.method === 'GET' || request.method === 'HEAD'
  const exists = known.exists ?? true
  const modified = known.modTime ? BigInt(Math.floor(toMs(known.modTime) / 1000)) : undefined

  const ifMatch = request.header('if-match')
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, known.etag, exists, 'strong')) return 'failed'
  } else if (exists && isAfter(modified, request.header('if-unmodified-since'))) return 'failed'

  const ifNoneMatch = request.header('if-none-match')
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, known.etag, exists, 'weak')) return reads ? 'not-modified' : 'failed'
  } else if (reads && isAfter(modified, request.header('if-modified-since')) === false) return 'not-modified'

  const ifRange = request.header('if-range')
  return ifRange === undefined || isCurrent(ifRange.trim(), known.etag, modified, now) ? 'proceed' : 'ignore-range'
}

/** Whether the resource changed after the date; undefined when either is unknown. */
function isAfter(modified: bigint | undefined, date: string | undefined): boolean | undefined {
  if (modified === undefined || date === undefined) return undefined
  const seconds = parseHttpDate(date)
  return seconds === undefined ? undefined : modified > BigInt(seconds)
}

/** If-Range: a tag must match strongly, a date exactly, and the date must be over (section 8.8.2.2). */
function isCurrent(value: string, etag: string | undefined, modified: bigint | undefined, now: number): boolean {
  if (value.startsWith('"') || value.startsWith('W/')) return value === etag && !value.startsWith('W/')
  const seconds = parseHttpDate(value)
  return seconds !== undefined && modified === BigInt(seconds) && seconds < Math.floor(now / 1000)
}

/** The entity tags of a list, as written; reading ends at the first thing that is not one. */
export function* tagsOf(list: string): Generator<string> {
  // One sticky expression from tag to tag: its work is linear in the length of the header.
  const tag = /[\s,]*((?:W\/)?"[\x21\x23-\x7e\x80-\uffff]*")[ \t]*(?=,|$)/y
  for (let found = tag.exec(list); found; found = tag.exec(list)) yield found[1] as string
}

function matches(list: string, etag: string | undefined, exists: boolean, compare: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return exists
  if (etag === undefined || !exists) return false
  if (compare === 'strong' && etag.startsWith('W/')) return false
  const opaque = etag.startsWith('W/') ? etag.slice(2) : etag
  for (const tag of tagsOf(list)) {
    if (tag === opaque) return true
    if (compare === 'weak' && tag.startsWith('W/') && tag.length === opaque.length + 2 && tag.endsWith(opaque))
      return true
  }
  return false
}

const months = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec'
const time = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`
const forms = [
  String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) (?<month>${months}) (?<year>\d{4}) ${time} GMT`,
  String.raw`(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-(?<month>${months})-(?<year>\d\d) ${time} GMT`,
  String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>${months}) (?<day>[ \d]\d) ${time} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`))

/**
 * Seconds since 1970 of an HTTP date in one of its three forms (RFC 9110 section 5.6.7: IMF-fixdate, RFC 850, asctime);
 * undefined for anything else. Two-digit years are at most 50 years ahead of `now` (ms).
 */
export function parseHttpDate(text: string, now = Date.now()): number | undefined {
  for (const form of forms) {
    const part = form.exec(text.trim())?.groups
    if (!part) continue
    const [day, hour, minute, second] = [part.day, part.hour, part.minute, part.second].map(Number) as [
      number,
      number,
      number,
      number,
    ]
    if (day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined
    let year = Number(part.year)
    if (part.year?.length === 2) {
      const present = new Date(now).getUTCFullYear()
      year += present - (present % 100)
      if (year > present + 50) year -= 100
    }
    const month = months.split('|').indexOf(part.month as string)
    const date = new Date(0)
    date.setUTCFullYear(year, month, day)
    date.setUTCHours(hour, minute, second)
    return Math.floor(date.getTime() / 1000)
  }
  return undefined
}
