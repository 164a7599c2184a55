import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'

/** The error for a folder that is not there, in the words that scripts look for. */
export function directoryNotFound(cause?: unknown): AppError {
  return new AppError('not-found', 'directory not found', { cause })
}

/** The error for a file where only a folder will do. */
export function isFile(): AppError {
  return new AppError('not-directory', 'is a file not a directory')
}

/** The error for a folder where only a file will do. */
export function isFolder(): AppError {
  return new AppError('is-directory', 'is a directory not a file')
}

/** Errors of storage where a file and a folder can't have one name, each in its own words, in the same for all. */
export function clash(error: AppError): AppError {
  const { code } = error
  if (code === 'is-directory') return new AppError(code, "can't overwrite directory with file", { cause: error })
  if (code === 'not-directory') return new AppError(code, "can't overwrite file with directory", { cause: error })
  return error
}

/** The file at a path. Throws `not-found`, and `is-directory` for a folder. */
export async function fileAt(ctx: Context, remote: Remote, path: string): Promise<FileEntry> {
  const entry = await remote.stat(ctx, path)
  if (!entry) throw new AppError('not-found', 'object not found')
  if (entry.kind === 'directory') throw isFolder()
  return entry
}
