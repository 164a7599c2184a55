import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { Faults } from './faults.ts'
import { fileAt } from './missing.ts'
import { leaveOut } from './leave-out.ts'
import { walk } from './walk.ts'
import { Workers } from './workers.ts'

/** Moves one file to another storage class. Throws `unsupported`, `not-found`, and `is-directory` for a folder. */
export async function setTierAt(ctx: Context, remote: Remote, path: string, tier: string): Promise<void> {
  const set = setter(ctx, remote, tier)
  await set(await fileAt(ctx, remote, path))
}

/** Moves all files that the filter shows to another storage class, `--checkers` at once. Throws `unsupported`. */
export async function setTiers(ctx: Context, remote: Remote, tier: string): Promise<void> {
  const set = setter(ctx, remote, tier)
  const faults = new Faults(ctx)
  const { checkers } = ctx.get(mainOptions)
  const workers = new Workers<undefined>({ slots: checkers, backlog: checkers * 16 })
  const failed = (error: Error, dir: string) => faults.log(dir, 'error listing: ', error)
  for await (const entry of walk(ctx, remote, { failed }))
    if (entry.kind === 'file')
      await workers.add(undefined, () =>
        set(entry).catch((error: unknown) => faults.log(entry.path, 'Failed to do SetTier: ', error)),
      )
  await workers.idle()
  faults.throw()
}

function setter(ctx: Context, remote: Remote, tier: string): (file: FileEntry) => Promise<void> {
  const setTier = remote.setTier?.bind(remote)
  if (!setTier) throw new AppError('unsupported', `remote ${remote.info.name} does not support settier`)
  return async (file) => {
    if (await leaveOut(ctx, `set tier to ${tier}`, { object: file.path })) return
    await setTier(ctx, file, tier)
  }
}
