import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode, rethrow } from './error.ts'

/** Systems that cannot open directories, or cannot put one on the disk, are taken at their word. */
const cannotSync = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'])

/** Makes the names in a directory last through a power cut. Throws what the disk throws. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    await using directory = await open(path, 'r')
    await directory.sync()
  } catch (error) {
    if (!cannotSync.has(errorCode(error) ?? '')) rethrow(error)
  }
}

/** Makes a directory for its owner alone, with those above it; with `durable` they last through a power cut. */
export async function makeDirectory(path: string, durable = false): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 }).catch(rethrow)
  if (first === undefined || !durable) return
  for (let at = path; at.length >= first.length; at = dirname(at)) await syncDirectory(dirname(at))
}
