import type { Context } from '../core/context.ts'
import { ownTime } from '../remote/own-time.ts'
import type { FileEntry } from '../remote/remote.ts'
import type { Ends } from './ends.ts'
import { leaveOut } from './leave-out.ts'
import { copyOptions } from './options.ts'

/** A file that both ends have with the same content, as far as a sync asks. */
export interface Pair {
  readonly source: FileEntry
  readonly target: FileEntry
}

/** Sets the time of the destination; false when it has to be copied instead. */
export async function retime(ctx: Context, ends: Ends, { source, target }: Pair): Promise<boolean> {
  const { noUpdateModTime, immutable } = ctx.get(copyOptions)
  const object = source.path
  if (noUpdateModTime) return true
  if (await leaveOut(ctx, 'update modification time', { object, size: source.size })) return true
  if (immutable) {
    ctx.log.error('Timestamp mismatch between immutable objects', { object })
    return false
  }
  if (!ends.target.setModTime) return false
  const { modTime } = await ownTime(ctx, ends.source, source)
  await ends.target.setModTime(ctx, target, modTime)
  ctx.log.info('Updated modification time in destination', { object })
  return true
}

/** `move`: the destination has the same file already. What was only left alone by a flag stays at the source. */
export async function dropMoved(ctx: Context, ends: Ends, { source, target }: Pair): Promise<void> {
  const { ignoreExisting, updateOlder } = ctx.get(copyOptions)
  const object = source.path
  if (ignoreExisting || (updateOlder && target.modTime > source.modTime && source.size !== target.size))
    return ctx.log.info('Not removing source file as the destination has another one', { object })
  if (await leaveOut(ctx, 'delete', { object, size: source.size })) return
  await ends.source.remove(ctx, source)
  ctx.stats.count('deletes')
  ctx.log.info('Deleted', { object })
}
