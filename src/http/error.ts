import { STATUS_CODES } from 'node:http'
import { AppError, toAppError, type ErrorCode } from '../base/error.ts'
import type { HeaderList, HttpResponse, Middleware } from './message.ts'
import type { Refusal } from './strict.ts'

/** The HTTP status of each error code: the one table of this floor. */
export const errorTable: Readonly<Record<ErrorCode, number>> = {
  'not-found': 404,
  'is-directory': 409,
  'not-directory': 404,
  exists: 409,
  'not-empty': 409,
  denied: 403,
  unauthenticated: 401,
  range: 416,
  precondition: 412,
  'too-large': 413,
  unsupported: 501,
  'rate-limited': 503,
  busy: 503,
  invalid: 400,
  'no-space': 507,
  aborted: 503,
  usage: 400,
  io: 500,
}

/** A short plain answer: `message` (by default the reason phrase of the status) and a line break, never sniffed as anything else. */
export function textResponse(status: number, message = reasonOf(status), headers: HeaderList = []): HttpResponse {
  return {
    status,
    headers: ['content-type', 'text/plain; charset=utf-8', 'x-content-type-options', 'nosniff', ...headers],
    body: `${message}\n`,
  }
}

/** The answer to a request whose head is refused; a 405 says which methods there are (RFC 9110 section 15.5.6). */
export function refusalResponse({ status, message }: Refusal): HttpResponse {
  return textResponse(status, message, status === 405 ? ['allow', 'GET, HEAD, OPTIONS'] : [])
}

/** The reason phrase of a status: `Not Found`. */
export function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? `Status ${status}`
}

/**
 * The answer for whatever was thrown. Our own message goes out only when the request is to blame and it names no absolute
 * path; everything else says no more than the status does. Never a stack.
 */
export function errorResponse(reason: unknown): HttpResponse {
  const error = toAppError(reason)
  const status = statusOf(error)
  const headers: HeaderList = []
  if (status === 502 || status === 503) headers.push('retry-after', String(retryAfter(error)))
  return textResponse(status, isPublic(error, status) ? error.message : undefined, headers)
}

/** A storage that fails, and may answer the next time, is another's failure and not ours (RFC 9110 section 15.6.3). */
function statusOf({ code, retry }: AppError): number {
  return code === 'io' && retry !== false ? 502 : errorTable[code]
}

function retryAfter(error: AppError): number {
  return typeof error.retry === 'object' ? Math.max(1, Math.ceil(error.retry.afterMs / 1000)) : 1
}

function isPublic(error: AppError, status: number): boolean {
  return status < 500 && error.cause === undefined && !/[\r\n]|(?:^|[^\w.])[/\\]\w|[A-Za-z]:\\/.test(error.message)
}

/** Turns what the handlers behind it throw into an answer. Failures that are ours (5xx) are logged, the client's are not. */
export function errors(): Middleware {
  return (next) =>
    function answerErrors(ctx, request) {
      function failed(reason: unknown): HttpResponse {
        const response = errorResponse(reason)
        const { code, message } = toAppError(reason)
        if (response.status >= 500 && code !== 'aborted') ctx.log.error(message, { object: request.path })
        return response
      }
      try {
        const response = next(ctx, request)
        return response instanceof Promise ? response.catch(failed) : response
      } catch (reason) {
        return failed(reason)
      }
    }
}
