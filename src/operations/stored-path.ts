import { AppError } from '../base/error.ts'
import type { Entry, Remote } from '../remote/remote.ts'

/** Gives the paths under which the entries of a remote are stored. Throws `unsupported` for one that does not encrypt names. */
export function storedPathOf(remote: Remote): (entry: Entry) => string {
  const storedPath = remote.storedPath?.bind(remote)
  if (!storedPath) throw new AppError('unsupported', 'names as they are stored need a remote of type "crypt"')
  return storedPath
}
