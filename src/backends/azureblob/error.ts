import { AppError, type ErrorCode, messageOf, toAppError } from '../../base/error.ts'
import { statusError } from '../../net/status.ts'

/** Codes of the service that say more than the status of the answer. */
const codes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  BlobAlreadyExists: ['exists', 'it exists already'],
  ContainerBeingDeleted: ['busy', 'the container of that name is being deleted'],
  BlobArchived: ['unsupported', 'it is in the archive tier: set another tier, or archive_tier_delete to replace it'],
  SnapshotsPresent: ['busy', 'it has snapshots: see delete_snapshots'],
  InvalidBlockList: ['busy', 'somebody else has stored a file of this name meanwhile'],
}

/** An error of the library, as one of ours. */
export function azureError(reason: unknown, what: string): AppError {
  if (reason instanceof AppError) return reason
  const { statusCode, code, response } = reason as {
    statusCode?: number
    code?: string
    response?: { headers?: { get(name: string): string | undefined } }
  }
  if (statusCode === undefined || statusCode < 400) return toAppError(reason)
  const known = code === undefined ? undefined : codes[code]
  if (known) return new AppError(known[0], `${what}: ${known[1]}`, { cause: reason })
  const error = statusError(statusCode, what, response?.headers?.get('retry-after'))
  // What follows the first line is about the request, not about the trouble.
  const [sentence = code] = messageOf(reason).split('\n')
  return new AppError(error.code, code ? `${error.message}: ${sentence}` : error.message, {
    cause: reason,
    retry: error.retry,
  })
}

/** The result of a call of the library, or its error as one of ours. */
export async function azure<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (reason) {
    throw azureError(reason, what)
  }
}
