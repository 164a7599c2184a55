import { throwIfAborted } from '../../base/abort.ts'
import { isEntryName } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import { isGivenUp, isPartialName } from '../../remote/partial.ts'
import type { Connection } from './connection.ts'
import { factsOf } from './facts.ts'
import { below, named } from './listing.ts'
import { modTimeOf } from './names.ts'
import type { Pool } from './pool.ts'

/** Removes the files of uploads that were given up, in a directory and below it. Links are not followed. */
export async function removeLeftovers(ctx: Context, pool: Pool, root: string): Promise<void> {
  const open = [root]
  for (let full = open.pop(); full !== undefined; full = open.pop()) {
    throwIfAborted(ctx.signal)
    const dir = full
    open.push(...(await pool.use(ctx.signal, (connection) => tidied(ctx, connection, dir))))
  }
}

/** Removes those of one directory; gives the directories in it. */
async function tidied(ctx: Context, connection: Connection, full: string): Promise<string[]> {
  const directories: string[] = []
  for (const info of await named(connection, full)) {
    const path = below(full, info.name)
    const { type, modTime } = factsOf(info)
    if (type === 'directory' && isEntryName(info.name)) directories.push(path)
    if (type !== 'file' || !isPartialName(info.name)) continue
    // The times of a listing without MLSD are of nobody knows which zone.
    const exact = modTime ?? (await modTimeOf(connection, path))
    if (exact === undefined || !isGivenUp(info.name, exact)) continue
    await connection.send(`DELE ${path}`)
    ctx.log.info('removed an upload that was never completed', { object: path })
  }
  return directories
}
