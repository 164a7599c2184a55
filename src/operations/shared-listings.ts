import { throwIfAborted } from '../base/abort.ts'
import { toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { Entry, Remote } from '../remote/remote.ts'
import { listing } from './walk.ts'

/** Listings for calls that come in by the dozen: those that ask for one folder at the same time share one look at it. */
export class SharedListings {
  /** Those that are about to begin, by remote and folder. */
  readonly #waiting = new WeakMap<Remote, Map<string, Promise<readonly Entry[]>>>()

  /**
   * As `listing`. The look begins after all who share it have asked, within one turn of the event loop, so that each sees
   * every change that was made before it.
   */
  async list(ctx: Context, remote: Remote, dir: string): Promise<readonly Entry[]> {
    if (!ctx.filter.empty) return await listing(ctx, remote, dir)
    const folders = this.#foldersOf(remote)
    const shared = folders.get(dir)
    if (!shared) {
      const begun = begin(ctx, remote, dir, () => folders.delete(dir))
      folders.set(dir, begun)
      return await begun
    }
    try {
      const entries = await shared
      ctx.stats.count('listed', entries.length)
      return entries
    } catch (reason) {
      throwIfAborted(ctx.signal)
      // Whoever began it was stopped: that is no reason for others.
      if (toAppError(reason).code === 'aborted') return await listing(ctx, remote, dir)
      throw reason
    }
  }

  #foldersOf(remote: Remote): Map<string, Promise<readonly Entry[]>> {
    let folders = this.#waiting.get(remote)
    if (!folders) this.#waiting.set(remote, (folders = new Map()))
    return folders
  }
}

async function begin(ctx: Context, remote: Remote, dir: string, start: () => void): Promise<readonly Entry[]> {
  await new Promise((resolve) => setImmediate(resolve))
  start()
  return await listing(ctx, remote, dir)
}
