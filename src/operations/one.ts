import { AppError, toAppError } from '../base/error.ts'
import { nameOf, parentOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { unfiltered } from '../core/filter.ts'
import { specBelow } from '../remote/below.ts'
import type { FileEntry } from '../remote/remote.ts'
import { relation } from './bridge.ts'
import { Budget } from './budget.ts'
import { compareAsked, compareListed, immutableModified, modifyWindow } from './compare.ts'
import { copyFile, moveFile } from './copy.ts'
import { deleteFile } from './delete.ts'
import type { Ends } from './ends.ts'
import { leaveOut } from './leave-out.ts'
import { fileAt } from './missing.ts'
import { copyOptions } from './options.ts'
import { type Tell, teller } from './teller.ts'

export interface OneOptions {
  /** Where the file goes at the destination. */
  readonly path: string
  readonly move?: boolean
  /** The file, when the source is a folder (`operations/copyfile`); else the one that the source names. */
  readonly sourcePath?: string
  /** Called with what became of it. */
  readonly tell?: Tell
}

/** Copies or moves one file by the rules of a sync: what is the same already is left alone. Throws `not-found`. */
export async function transferOne(ctx: Context, ends: Ends, options: OneOptions): Promise<void> {
  const { source, target, bridge, backup } = ends
  const { path, move = false } = options
  const file = await fileOf(ctx, ends, options)
  // What the filter hides there would be overwritten all the same.
  const entry = ctx.get(copyOptions).noCheckDest ? undefined : await target.stat(unfiltered(ctx), path)
  if (entry?.kind === 'directory') throw new AppError('is-directory', `can't overwrite directory with file: ${path}`)
  const existing = entry
  if (isItself(ends, file.path, path))
    return ctx.log.debug('Nothing to do: source and destination are the same file', { object: path })
  const tell = teller(ctx, options.tell)
  if (existing && (await isSame(ctx, ends, file, existing))) {
    tell('=', file)
    if (!move) return ctx.log.debug('Unchanged skipping', { object: path })
    if (ctx.get(copyOptions).ignoreExisting)
      return ctx.log.info('Not removing source file as the destination has another one', { object: file.path })
    await deleteFile(ctx, source, file)
    return
  }
  const job = { source, file, target, path, existing, bridge, budget: new Budget(ctx) }
  try {
    if (existing && ctx.get(copyOptions).immutable) throw immutableModified()
    if (existing && backup) await backup.keep(existing)
    const written = await (move ? moveFile(ctx, job) : copyFile(ctx, job))
    if (written || ctx.get(copyOptions).dryRun) tell(existing ? '*' : '+', file)
  } catch (reason) {
    const error = toAppError(reason)
    ctx.log.error(`Failed to ${move ? 'move' : 'copy'}: ${error.message}`, { object: file.path })
    tell('!', file, error)
    throw error
  }
}

async function fileOf(ctx: Context, { source, file }: Ends, { sourcePath }: OneOptions): Promise<FileEntry> {
  if (sourcePath === undefined && file) return file
  return await fileAt(ctx, source, sourcePath ?? '')
}

/** True when both paths are one file, by whatever names. */
function isItself({ texts }: Ends, from: string, to: string): boolean {
  const folders = [specBelow(texts.source, parentOf(from)), specBelow(texts.target, parentOf(to))] as const
  return nameOf(from) === nameOf(to) && relation(...folders) === 'same'
}

async function isSame(ctx: Context, ends: Ends, file: FileEntry, existing: FileEntry): Promise<boolean> {
  const [left, right] = [
    { remote: ends.source, file },
    { remote: ends.target, file: existing },
  ]
  const window = modifyWindow(ctx, ends.source, ends.target)
  const listed = compareListed(ctx, left, right, window)
  ctx.stats.count('checks')
  const verdict = listed === 'ask' ? await compareAsked(ctx, left, right, window) : listed
  if (verdict !== 'touch') return verdict === 'same'
  if (ctx.get(copyOptions).noUpdateModTime) return true
  if (!ends.target.setModTime) return false
  if (await leaveOut(ctx, 'update modification time', { object: file.path, size: file.size })) return true
  await ends.target.setModTime(ctx, existing, file.modTime)
  ctx.log.info('Updated modification time in destination', { object: file.path })
  return true
}
