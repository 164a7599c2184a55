import { throwIfAborted } from '../../base/abort.ts'
import { isEntryName } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import { isGivenUp } from '../../remote/partial.ts'
import { typeOf } from './attributes.ts'
import { below } from './directories.ts'
import { modTimeOf } from './entries.ts'
import { namesIn } from './listing.ts'
import type { Pool } from './pool.ts'

/** Removes the files of uploads that were given up, in a directory and below it. Links are not followed. */
export async function removeLeftovers(ctx: Context, pool: Pool, root: string): Promise<void> {
  const open = [root]
  for (let full = open.pop(); full !== undefined; full = open.pop()) {
    throwIfAborted(ctx.signal)
    const { directories, given } = await look(ctx, pool, full)
    open.push(...directories)
    for (const path of given) {
      await pool.use(ctx.signal, ({ session }) => session.remove(path))
      ctx.log.info('removed an upload that was never completed', { object: path })
    }
  }
}

async function look(ctx: Context, pool: Pool, full: string): Promise<{ directories: string[]; given: string[] }> {
  const [directories, given]: [string[], string[]] = [[], []]
  await pool.use(ctx.signal, async ({ session }) => {
    for await (const names of namesIn(ctx, session, full))
      for (const { name, attributes } of names) {
        if (!isEntryName(name)) continue
        const type = typeOf(attributes)
        if (type === 'directory') directories.push(below(full, name))
        else if (type === 'file' && isGivenUp(name, modTimeOf(attributes))) given.push(below(full, name))
      }
  })
  return { directories, given }
}
