/** What went wrong, as a closed set. One table per wire (http/error.ts, rc, exit.ts) maps a code to a status. */
export type ErrorCode =
  | 'not-found'
  | 'is-directory'
  | 'not-directory'
  | 'exists'
  | 'not-empty'
  | 'denied'
  | 'unauthenticated'
  | 'range'
  | 'precondition'
  | 'too-large'
  | 'unsupported'
  | 'rate-limited'
  | 'busy'
  | 'invalid'
  | 'no-space'
  /** The command line is wrong. */
  | 'usage'
  | 'aborted'
  | 'io'

/** Whether trying again can help: never, at once, or after a wait in ms. */
export type Retry = false | 'now' | { readonly afterMs: number }

/**
 * What an error means for the whole of a job, when it is more than this one thing that failed: `no-retry` = doing all of it
 * again can't help, the others = nothing more may be begun (`max-transfer` and `max-duration`: the user's own limit).
 */
export type Stop = 'no-retry' | 'fatal' | 'max-transfer' | 'max-duration'

/** The only error class: `code` picks the HTTP status and the exit code, `retry` drives the retry layer. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly retry: Retry
  readonly stop: Stop | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retry?: Retry; stop?: Stop } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retry = options.retry ?? false
    this.stop = options.stop
  }
}

const nodeCodes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-directory',
  EISDIR: 'is-directory',
  EEXIST: 'exists',
  ENOTEMPTY: 'not-empty',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ELOOP: 'not-found',
  ENAMETOOLONG: 'not-found',
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EBUSY: 'busy',
  EMFILE: 'busy',
  ENFILE: 'busy',
  EINVAL: 'invalid',
  ABORT_ERR: 'aborted',
}
const temporary = new Set(['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'EMFILE', 'ENFILE'])

/** Translates whatever was thrown. Node errors are recognised by their `code`; the original is kept as `cause`. */
export function toAppError(reason: unknown): AppError {
  if (reason instanceof AppError) return reason
  const code = errorCode(reason)
  const message = messageOf(reason)
  if (reason instanceof Error && reason.name === 'AbortError')
    // Node wraps what a signal was aborted with.
    return reason.cause instanceof AppError ? reason.cause : new AppError('aborted', message, { cause: reason })
  return new AppError(nodeCodes[code ?? ''] ?? 'io', message, {
    cause: reason,
    retry: code !== undefined && temporary.has(code) ? 'now' : false,
  })
}

/** True when a storage could not be asked, which says nothing of what is there. */
export function isOutage(reason: unknown): boolean {
  const { code } = toAppError(reason)
  return code === 'io' || code === 'busy' || code === 'rate-limited'
}

/** Throws whatever was thrown as an AppError: for `.catch(rethrow)` at the edge to Node. */
export function rethrow(reason: unknown): never {
  throw toAppError(reason)
}

/** The `code` of a Node error ("ENOENT"), or undefined. */
export function errorCode(reason: unknown): string | undefined {
  const code = (reason as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** The sentence to show a person for whatever was thrown: of a Node error without the words that only programs need. */
export function messageOf(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason)
  // "write EPROTO 40B3…:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/…"
  const [, library, why] = /:error:[0-9A-F]+:([^:]+):[^:]*:([^:]+):/.exec(reason.message) ?? []
  if (why !== undefined) return `${library}: ${why}`
  // "ENOENT: no such file or directory, open '/x'"
  const [, sentence, path] = /^[A-Z]+: (.+?), \w+(?: '(.*)')?$/s.exec(reason.message) ?? []
  if (sentence === undefined || errorCode(reason) === undefined) return reason.message
  return path === undefined ? sentence : `${sentence}: ${path}`
}
