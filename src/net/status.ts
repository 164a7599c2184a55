import { AppError, type ErrorCode, type Retry } from '../base/error.ts'
import { http } from '../base/node-http.ts'

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  // A login that is missing or wrong is ours: whoever asks us can do nothing about it.
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  405: 'unsupported',
  409: 'busy',
  410: 'not-found',
  412: 'precondition',
  413: 'too-large',
  416: 'range',
  423: 'busy',
  429: 'rate-limited',
  501: 'unsupported',
  503: 'rate-limited',
  507: 'no-space',
}
const temporary: ReadonlySet<number> = new Set([408, 423, 425, 429, 500, 502, 503, 504])
/** What a server asks for is honoured up to this. */
const LONGEST_WAIT_MS = 60_000

/** The error that a status above 399 stands for (RFC 9110 section 15.5), with the wait that the server asks for. */
export function statusError(status: number, what: string, retryAfter?: string, now = Date.now()): AppError {
  const message =
    status === 401 ? `${what}: 401, the server wants another login` : `${what}: the server answered ${status}`
  return new AppError(codes[status] ?? 'io', message, { retry: temporary.has(status) ? wait(retryAfter, now) : false })
}

/** Retry-After is a count of seconds or a date (RFC 9110 section 10.2.3). */
function wait(retryAfter: string | undefined, now: number): Retry {
  if (retryAfter === undefined) return 'now'
  const ms = /^\d+$/.test(retryAfter.trim()) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now
  return Number.isFinite(ms) ? { afterMs: Math.min(LONGEST_WAIT_MS, Math.max(0, ms)) } : 'now'
}

/** A status as people read it: `404 Not Found`. */
export function statusText(status: number): string {
  return `${status} ${http.STATUS_CODES[status] ?? ''}`.trimEnd()
}
