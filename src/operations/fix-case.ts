import { join, nameOf, parentOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { Remote } from '../remote/remote.ts'
import { leaveOut } from './leave-out.ts'
import type { Match } from './march.ts'
import { copyOptions } from './options.ts'

/** `--fix-case`: names of the destination that differ from those of the source in their letters only get the source's. */
export class FixCase {
  readonly #ctx: Context
  readonly #target: Remote
  /** From the path at the destination to the name at the source. */
  readonly #names = new Map<string, string>()

  /** Undefined when it is not asked for. */
  static of(ctx: Context, target: Remote): FixCase | undefined {
    const { fixCase, immutable } = ctx.get(copyOptions)
    return fixCase && !immutable ? new FixCase(ctx, target) : undefined
  }

  private constructor(ctx: Context, target: Remote) {
    this.#ctx = ctx
    this.#target = target
  }

  /** Remembers what is to be renamed. */
  offer({ source, target }: Match): void {
    if (!source || !target || nameOf(source.path) === nameOf(target.path)) return
    this.#names.set(target.path, nameOf(source.path))
  }

  /** Renames, once everything is copied: what is deepest first, so that the paths above stay good. */
  async run(failed: (error: unknown, path: string) => void): Promise<void> {
    // A path sorts before those below it.
    for (const [path, name] of [...this.#names].sort(([a], [b]) => (a < b ? 1 : -1)))
      await this.#rename(path, name).catch((error: unknown) => failed(error, path))
  }

  async #rename(path: string, name: string): Promise<void> {
    if (await leaveOut(this.#ctx, `rename to ${JSON.stringify(name)}`, { object: path })) return
    const to = join(parentOf(path), name)
    const entry = await this.#target.stat(this.#ctx, path)
    if (entry?.kind === 'file' && this.#target.move) await this.#target.move(this.#ctx, entry, to)
    else if (entry?.kind === 'directory' && this.#target.moveDirectory)
      await this.#target.moveDirectory(this.#ctx, path, to)
    else return this.#ctx.log.notice(`The destination can't rename it to ${JSON.stringify(name)}`, { object: path })
    this.#ctx.stats.count('renames')
    this.#ctx.log.info(`Fixed case by renaming to ${JSON.stringify(name)}`, { object: path })
  }
}
