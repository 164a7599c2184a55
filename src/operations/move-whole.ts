import { toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { unfiltered } from '../core/filter.ts'
import type { Ends } from './ends.ts'
import { copyOptions } from './options.ts'

/** Moves a whole folder to where there is none yet, in one step. False = it has to go file by file. */
export async function moveWhole(ctx: Context, { bridge, source, target }: Ends): Promise<boolean> {
  if (!bridge?.remote.moveDirectory || !ctx.filter.empty || bridge.from === '' || bridge.to === '') return false
  const { dryRun, interactive, maxDepth, noUpdateModTime, orderBy } = ctx.get(copyOptions)
  if (dryRun || interactive || maxDepth >= 0 || noUpdateModTime || orderBy !== '') return false
  const object = target.info.description
  try {
    if ((await source.stat(ctx, ''))?.kind !== 'directory' || (await target.stat(ctx, ''))) return false
    await bridge.remote.moveDirectory(unfiltered(ctx), bridge.from, bridge.to)
    ctx.log.info('Server side directory move succeeded', { object })
    return true
  } catch (reason) {
    const { message } = toAppError(reason)
    ctx.log.info(`Server side directory move failed - fallback to file moves: ${message}`, { object })
    return false
  }
}
