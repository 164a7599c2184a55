import { AppError, type ErrorCode, messageOf } from '../../base/error.ts'

/** What servers write behind 550 and 553, which stand for everything; the first that fits counts. */
const sentences: readonly (readonly [RegExp, ErrorCode])[] = [
  [/not empty/i, 'not-empty'],
  [/not a directory/i, 'not-directory'],
  [/is a directory|not a (regular|plain) file/i, 'is-directory'],
  [/no such|not found|not exist|doesn't exist|cannot find|can't find|too long/i, 'not-found'],
  [/exists/i, 'exists'],
  [/permission|denied|not allowed|forbidden|not permitted/i, 'denied'],
  [/quota|no space|disk full/i, 'no-space'],
]

/** The code of a reply that refuses, 400 to 599; undefined for errors that are none. */
export function replyCode(reason: unknown): number | undefined {
  const code = (reason as { code?: unknown } | null | undefined)?.code
  return typeof code === 'number' ? code : undefined
}

/** What a server's refusal, or the end of its connection, means (RFC 959 section 4.2). */
export function replyError(reason: unknown): AppError {
  if (reason instanceof AppError) return reason
  const code = replyCode(reason)
  if (code === undefined)
    return new AppError('io', `the FTP connection was lost: ${messageOf(reason)}`, { cause: reason, retry: 'now' })
  const message = `the FTP server says: ${messageOf(reason)}`
  if (code === 421) return new AppError('busy', message, { cause: reason, retry: { afterMs: 1000 } })
  if (code === 425 || code === 426) return new AppError('io', message, { cause: reason, retry: 'now' })
  if (code === 452 || code === 552) return new AppError('no-space', message, { cause: reason })
  if (code === 530 || code === 532) return new AppError('denied', message, { cause: reason })
  if (code === 500 || code === 502 || code === 504) return new AppError('unsupported', message, { cause: reason })
  const meaning = sentences.find(([pattern]) => pattern.test(message))?.[1]
  if (meaning !== undefined) return new AppError(meaning, message, { cause: reason })
  // What begins with 4 may pass.
  return new AppError('io', message, { cause: reason, retry: code < 500 ? 'now' : false })
}
