import type { AppError, ErrorCode } from '../base/error.ts'
import { encodeInPieces, encodeJson, isLong } from '../base/json.ts'
import type { HeaderList, HttpResponse } from '../http/message.ts'

/** The status of a failed call by the code of its error; all others are 500 (rc.md 1.5). */
const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  usage: 400,
  denied: 403,
  'not-found': 404,
  'too-large': 413,
  unsupported: 500,
}

export function statusOf(error: AppError): number {
  return statuses[error.code] ?? 500
}

/** What clients read of an error. */
export interface ErrorObject {
  readonly error: string
  readonly input: object | null
  readonly path: string
  readonly status: number
}

export function errorObject(error: AppError, path: string, input: object | null): ErrorObject {
  return { error: error.message, input, path, status: statusOf(error) }
}

/** The answer for a failed call. */
export function errorAnswer(object: ErrorObject, headers: HeaderList = []): HttpResponse {
  return json(object.status, object, headers)
}

/** An answer in the JSON of this API. */
export function json(status: number, value: object, headers: HeaderList = []): HttpResponse {
  const body = isLong(value) ? encodeInPieces(value) : encodeJson(value)
  return { status, headers: ['content-type', 'application/json', ...headers], body }
}
