import { bodyOf } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import type { Nanoseconds } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import { unfiltered } from '../core/filter.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { Faults } from './faults.ts'
import { leaveOut } from './leave-out.ts'
import { walk } from './walk.ts'

export interface TouchOptions {
  readonly time: Nanoseconds
  /** Makes an empty file when there is none. */
  readonly create: boolean
}

/** Sets the time of a file, whatever the filter says of it. Throws `is-directory` for a folder, `unsupported` where times can't be set. */
export async function touch(ctx: Context, remote: Remote, path: string, options: TouchOptions): Promise<void> {
  const entry = await remote.stat(unfiltered(ctx), path)
  if (entry?.kind === 'directory') throw new AppError('is-directory', `${path} is a folder: use -R for all files in it`)
  if (entry) return await setTime(ctx, remote, entry, options.time)
  const object = remote.info.description
  if (!options.create) return ctx.log.notice('Not touching nonexistent file due to --no-create', { object })
  if (await leaveOut(ctx, 'touch (create)', { object: path })) return undefined
  ctx.log.debug('Touching (creating)', { object: path })
  await remote.put(ctx, path, bodyOf(), { size: 0, modTime: options.time })
  return undefined
}

/** Sets the times of the files that the filter shows, with `recurse` of those in folders as well. */
export async function touchAll(
  ctx: Context,
  remote: Remote,
  { time, recurse }: { readonly time: Nanoseconds; readonly recurse: boolean },
): Promise<void> {
  const faults = new Faults(ctx)
  const failed = (error: Error, dir: string) => faults.log(dir, 'error listing: ', error)
  for await (const entry of walk(ctx, remote, { failed, recurse }))
    if (entry.kind === 'file')
      await setTime(ctx, remote, entry, time).catch((error: unknown) =>
        faults.log(entry.path, 'Failed to touch: ', error),
      )
  faults.throw()
}

async function setTime(ctx: Context, remote: Remote, file: FileEntry, time: Nanoseconds): Promise<void> {
  if (!remote.setModTime)
    throw new AppError('unsupported', `${remote.info.description} can't set times`, { stop: 'no-retry' })
  if (await leaveOut(ctx, 'touch', { object: file.path })) return
  ctx.log.debug('Touching', { object: file.path })
  await remote.setModTime(ctx, file, time)
}
