import { AppError, toAppError } from '../../base/error.ts'
import { isEntryName, join, nameOf, parentOf } from '../../base/path.ts'
import { type Attributes, typeOf } from './attributes.ts'
import type { Session } from './session.ts'
import { existing } from './temp-file.ts'

/** Joins paths of the server, the first of which may be `/`. */
export function below(dir: string, path: string): string {
  return dir.endsWith('/') ? `${dir}${path}` : join(dir, path)
}

/** The directory that a path of the server is in. */
export function above(full: string): string {
  return parentOf(full) || (full.startsWith('/') ? '/' : '.')
}

/** Makes a directory and those above it; one that is there is fine. */
export async function makeDirectory(session: Session, full: string): Promise<void> {
  const found = await existing(session, full)
  if (found) return refuseFile(full, found)
  if (full !== '.' && full !== '/') await makeDirectory(session, above(full))
  try {
    await session.makeDirectory(full)
  } catch (error) {
    // Somebody else may have made it meanwhile.
    const now = await existing(session, full)
    if (!now) throw error
    refuseFile(full, now)
  }
}

/** Removes an empty directory. Throws `not-empty`, `not-found`. */
export async function removeDirectory(session: Session, full: string): Promise<void> {
  try {
    await session.removeDirectory(full)
  } catch (error) {
    // The protocol has no word for it.
    if (toAppError(error).code === 'io' && !session.end && (await holdsSomething(session, full)))
      throw new AppError('not-empty', `${nameOf(full)} is not empty`, { cause: error })
    throw error
  }
}

/** Gives a directory another place, whose parents are made. Throws `exists` for one that is taken. */
export async function moveDirectory(session: Session, from: string, to: string): Promise<void> {
  if (await existing(session, to)) throw new AppError('exists', `${nameOf(to)} exists already`)
  await makeDirectory(session, above(to))
  await session.rename(from, to)
}

/** Whether a directory has any entry, shown or not. */
async function holdsSomething(session: Session, full: string): Promise<boolean> {
  const handle = await session.openDirectory(full)
  try {
    for (let names = await session.readDirectory(handle); names; names = await session.readDirectory(handle))
      if (names.some(({ name }) => isEntryName(name))) return true
    return false
  } finally {
    session.close(handle).catch(() => {})
  }
}

function refuseFile(full: string, attributes: Attributes): void {
  if (typeOf(attributes) !== 'directory') throw new AppError('not-directory', `${nameOf(full)} is a file`)
}
