import { AppError } from '../base/error.ts'

/** The error for a folder that is not there, in the words that scripts look for. */
export function directoryNotFound(cause?: unknown): AppError {
  return new AppError('not-found', 'directory not found', { cause })
}

/** The error for a file that is not there. */
export function objectNotFound(cause?: unknown): AppError {
  return new AppError('not-found', 'object not found', { cause })
}
