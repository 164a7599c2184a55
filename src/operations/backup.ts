import { AppError } from '../base/error.ts'
import { typeByName } from '../base/mime.ts'
import { join, nameOf, parentOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { unfiltered } from '../core/filter.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { acrossFrom, type Bridge } from './bridge.ts'
import { leaveOut } from './leave-out.ts'
import { copyOptions } from './options.ts'

/** Keeps files that would be overwritten or deleted: `--backup-dir`, `--suffix`. */
export class Backup {
  readonly #ctx: Context
  readonly #target: Remote
  readonly #bridge: Bridge

  /** `bridge` leads from the destination to where old files go; the destination itself with `--suffix` alone. */
  constructor(ctx: Context, target: Remote, bridge: Bridge) {
    if (!bridge.remote.move && !bridge.remote.copy)
      throw new AppError(
        'unsupported',
        "can't use --backup-dir on a remote which doesn't support server-side move or copy",
        {
          stop: 'fatal',
        },
      )
    this.#ctx = ctx
    this.#target = target
    this.#bridge = bridge
  }

  /** Moves a file of the destination away. */
  async keep(file: FileEntry): Promise<void> {
    const { suffix, suffixKeepExtension } = this.#ctx.get(copyOptions)
    const path = suffixed(file.path, suffix, suffixKeepExtension)
    const object = file.path
    if (await leaveOut(this.#ctx, 'move into backup dir', { object, size: file.size })) return
    const { remote, to } = this.#bridge
    const ctx = unfiltered(this.#ctx)
    const seen = acrossFrom(this.#bridge, file)
    if (remote.move) await remote.move(ctx, seen, join(to, path))
    else {
      await remote.copy?.(ctx, seen, join(to, path))
      await this.#target.remove(ctx, file)
    }
    this.#ctx.stats.count('renames')
    this.#ctx.log.info('Moved into backup dir', { object })
  }
}

/**
 * `a/b.tar.gz` with `-old` is `a/b.tar.gz-old`; with the extension kept `a/b-old.tar.gz`: of several the last, and those before
 * it that are types of files as well.
 */
export function suffixed(path: string, suffix: string, keepExtension: boolean): string {
  if (suffix === '' || !keepExtension) return path + suffix
  const name = nameOf(path)
  let at = 0
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', at - 1)) {
    if (at > 0 && typeByName(name.slice(0, at)) === undefined) break
    at = dot
  }
  return at === 0 ? path + suffix : join(parentOf(path), name.slice(0, at) + suffix + name.slice(at))
}
