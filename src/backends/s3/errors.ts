import { bodyOf, collect } from '../../base/body.ts'
import { AppError, type ErrorCode, type Retry } from '../../base/error.ts'
import type { ClientResponse } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { statusError } from '../../net/status.ts'
import { parseXml, textOf, type XmlElement } from '../../net/xml.ts'

/** What the error codes of S3 mean (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html); else the status tells. */
const codes: Readonly<Record<string, ErrorCode>> = {
  AccessDenied: 'denied',
  AllAccessDisabled: 'denied',
  BadDigest: 'io',
  BucketAlreadyExists: 'exists',
  BucketAlreadyOwnedByYou: 'exists',
  BucketNotEmpty: 'not-empty',
  EntityTooLarge: 'too-large',
  ExpiredToken: 'denied',
  InvalidAccessKeyId: 'denied',
  InvalidObjectState: 'unsupported',
  InvalidRange: 'range',
  KeyTooLongError: 'not-found',
  MethodNotAllowed: 'unsupported',
  NoSuchBucket: 'not-found',
  NoSuchKey: 'not-found',
  NoSuchUpload: 'not-found',
  NoSuchVersion: 'not-found',
  NotImplemented: 'unsupported',
  PreconditionFailed: 'precondition',
  QuotaExceeded: 'no-space',
  RequestTimeTooSkewed: 'denied',
  SignatureDoesNotMatch: 'denied',
}
/** Trying again may help, whatever the status is. */
const temporary: Readonly<Record<string, ErrorCode>> = {
  BadDigest: 'io',
  ConditionalRequestConflict: 'busy',
  IncompleteBody: 'io',
  InternalError: 'io',
  OperationAborted: 'busy',
  RequestTimeout: 'io',
  ServiceUnavailable: 'rate-limited',
  SlowDown: 'rate-limited',
  Throttling: 'rate-limited',
  TooManyRequests: 'rate-limited',
  XAmzContentSHA256Mismatch: 'io',
}
const LONGEST_ANSWER = 64 * 1024
const LONGEST_MESSAGE = 300

/** An answer that is an error. */
export interface Problem {
  readonly error: AppError
  /** The region in which the bucket is, when the error is about that. */
  readonly region: string | undefined
}

/** Reads an answer with a status of 300 or more; `what` it is about leads the message. */
export async function problemOf(response: ClientResponse, what: string): Promise<Problem> {
  const { status, headers } = response
  const document = await documentOf(response)
  const region = headers['x-amz-bucket-region'] ?? textOf(document, 'Region')
  const base = statusError(status === 301 || status === 307 ? 400 : status, what, headers['retry-after'])
  const error = document ? errorOf(document, what, base) : base
  return { error, region }
}

/** The error in a document `<Error>`, which may come with status 200 as well. `base` tells what the document does not. */
export function errorOf(document: XmlElement, what: string, base?: AppError): AppError {
  const name = textOf(document, 'Code') ?? ''
  const text = (textOf(document, 'Message') ?? '').replaceAll(/[\0-\x1f\x7f]+/g, ' ').slice(0, LONGEST_MESSAGE)
  const message = `${what}: ${text === '' ? '' : `${text} `}(${name === '' ? 'no code' : name})`
  const passing = temporary[name]
  if (passing) return new AppError(passing, message, { retry: waitOf(base) })
  return new AppError(codes[name] ?? base?.code ?? 'io', message, {
    retry: codes[name] ? false : (base?.retry ?? 'now'),
  })
}

function waitOf(base: AppError | undefined): Retry {
  return base && typeof base.retry === 'object' ? base.retry : 'now'
}

async function documentOf({ headers, body }: ClientResponse): Promise<XmlElement | undefined> {
  if (headers['content-length'] === '0' || !/xml/.test(headers['content-type'] ?? 'xml')) {
    await leave(body)
    return undefined
  }
  try {
    const bytes = await collect(body, LONGEST_ANSWER)
    return bytes.length === 0 ? undefined : await parseXml(bodyOf(bytes))
  } catch {
    // What is no error document leaves the status, which says enough.
    return undefined
  }
}
