import { AppError } from '../../base/error.ts'
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

/** Whether a directory has any entry, shown or not. */
export async function holdsSomething(session: Session, full: string): Promise<boolean> {
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
