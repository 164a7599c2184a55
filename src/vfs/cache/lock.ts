import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../base/error.ts'

/** Held for as long as a cache is in use. */
export interface CacheLock {
  release(): Promise<void>
}

/**
 * Locks the last of `dirs` for this process alone; those before it are of remotes that contain this one, and are kept from
 * being locked meanwhile. The system gives the locks free when the process ends, however that happens (SQLite's locks of an
 * empty database). Throws `busy` when another process, or another cache of this one, holds a lock that is in the way.
 */
export async function lockCache(dirs: readonly string[]): Promise<CacheLock> {
  const { DatabaseSync } = await import('node:sqlite')
  const held: InstanceType<typeof DatabaseSync>[] = []
  const own = dirs.at(-1) as string
  try {
    for (const dir of dirs) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const database = new DatabaseSync(join(dir, 'lock.db'))
      held.push(database)
      try {
        database.exec(dir === own ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT count(*) FROM sqlite_master')
      } catch (cause) {
        throw await taken(dir, cause)
      }
    }
    await writeFile(owner(own), `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    for (const database of held) database.close()
    throw error
  }
  return {
    async release() {
      await rm(owner(own), { force: true })
      for (const database of held) database.close()
    },
  }
}

const owner = (dir: string) => join(dir, 'pid')

async function taken(dir: string, cause: unknown): Promise<AppError> {
  const pid = (await readFile(owner(dir), 'utf8').catch(() => '')).trim()
  const who = pid === '' ? 'another program' : pid === String(process.pid) ? 'this program' : `process ${pid}`
  return new AppError(
    'busy',
    `the file cache of this remote, or of one inside it, is in use by ${who} (${dir}): end that first, or use another --cache-dir`,
    { cause },
  )
}
