import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { sizeNote } from './compare.ts'
import { copyOptions } from './options.ts'

/** What is about to be changed, for people. */
export interface Subject {
  readonly object: string
  /** Bytes. */
  readonly size?: number
}

/**
 * Whether a change is left out, which is logged: always with `--dry-run`; with `--interactive` when the person says so. `action`
 * is rclone's word for it (`copy`, `delete`, `make directory` ...), by which a person answers for all others like it.
 */
export async function leaveOut(ctx: Context, action: string, { object, size }: Subject): Promise<boolean> {
  const { dryRun, interactive } = ctx.get(copyOptions)
  if (!dryRun && !interactive) return false
  if (!dryRun) {
    if (!ctx.confirm)
      throw new AppError('usage', '--interactive: there is nobody to ask; use --dry-run', { stop: 'fatal' })
    if (await ctx.confirm(action, object)) return false
  }
  const note = size === undefined ? '' : sizeNote(size)
  ctx.log.notice(`Skipped ${action} as ${dryRun ? '--dry-run' : '--interactive'} is set${note}`, { object })
  return true
}
