import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode, rethrow } from '../../base/error.ts'
import { makeDirectory, syncDirectory } from '../../base/lasting.ts'

/** A file that is to get another name, and a free name for what has that one now. */
export interface Move {
  readonly from: string
  readonly to: string
  readonly aside: string
}

/** File systems on which a file has one name only: there is nothing to go back to. */
const noLinks = new Set(['ENOENT', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'])

/**
 * Gives files their names in place of what has them: all or, when it throws, none. With `durable` they have them after a power
 * cut as well.
 */
export async function exchange(moves: readonly Move[], durable: boolean): Promise<void> {
  const done: Move[] = []
  const kept = new Set<Move>()
  try {
    for (const move of moves) {
      await makeDirectory(dirname(move.to), durable)
      if (await linked(move.to, move.aside)) kept.add(move)
    }
    for (const move of moves) {
      await fs.rename(move.from, move.to)
      done.unshift(move)
    }
    if (durable) for (const { to } of moves) await syncDirectory(dirname(to))
  } catch (error) {
    for (const move of done) await (kept.has(move) ? fs.rename(move.aside, move.to) : fs.rm(move.to, { force: true }))
    rethrow(error)
  } finally {
    // What is left of them is removed at the next start.
    for (const { aside } of kept) await fs.rm(aside, { force: true }).catch(() => {})
  }
}

/** True when `to` is another name of what `from` names now. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await fs.link(from, to)
    return true
  } catch (error) {
    if (noLinks.has(errorCode(error) ?? '')) return false
    throw error
  }
}
