import { AppError } from '../base/error.ts'
import { nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { ownTime } from '../remote/own-time.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { commonHash, hashOf, modifyWindow, near } from './compare.ts'
import { copyOptions } from './options.ts'

/** What `--track-renames` goes by. */
interface Strategy {
  readonly hash: string | undefined
  readonly modTime: bigint | undefined
  readonly leaf: boolean
}

/** Finds, among files that only the destination has, the one that a new file of the source was before it was renamed. */
export class Renames {
  readonly #ctx: Context
  readonly #source: Remote
  readonly #target: Remote
  readonly #strategy: Strategy
  readonly #bySize = new Map<number, FileEntry[]>()

  private constructor(ctx: Context, source: Remote, target: Remote, strategy: Strategy) {
    this.#ctx = ctx
    this.#source = source
    this.#target = target
    this.#strategy = strategy
  }

  /** Undefined, with a notice, when the two storages can't do it. */
  static between(ctx: Context, source: Remote, target: Remote): Renames | undefined {
    const { trackRenamesStrategy } = ctx.get(copyOptions)
    const wrong = trackRenamesStrategy.find((word) => !['hash', 'modtime', 'leaf', 'size'].includes(word))
    if (wrong !== undefined)
      throw new AppError('usage', `unknown track renames strategy "${wrong}": use hash, modtime, leaf or size`)
    const ignoring = (why: string) => {
      ctx.log.error(`Ignoring --track-renames as ${why}`, { object: target.info.description })
      return undefined
    }
    if (!target.move && !target.copy) return ignoring('the destination does not support server-side move or copy')
    const kind = commonHash(source, target)
    const hash = trackRenamesStrategy.includes('hash')
    if (hash && kind === undefined) return ignoring('the source and destination do not have a common hash')
    const window = modifyWindow(ctx, source, target)
    const modTime = trackRenamesStrategy.includes('modtime')
    if (modTime && window === undefined) return ignoring('either the source or destination do not support modtime')
    return new Renames(ctx, source, target, {
      hash: hash ? kind : undefined,
      modTime: modTime ? window : undefined,
      leaf: trackRenamesStrategy.includes('leaf'),
    })
  }

  /** Takes the files that only the destination has. */
  offer(files: readonly FileEntry[]): void {
    for (const file of files) {
      const known = this.#bySize.get(file.size)
      if (known) known.push(file)
      else this.#bySize.set(file.size, [file])
    }
  }

  /** The file that this one was, taken out so that no other gets it. One call at a time. */
  async take(file: FileEntry): Promise<FileEntry | undefined> {
    const candidates = this.#bySize.get(file.size) ?? []
    for (const [at, candidate] of candidates.entries()) {
      if (!(await this.#matches(file, candidate))) continue
      candidates.splice(at, 1)
      return candidate
    }
    return undefined
  }

  async #matches(file: FileEntry, candidate: FileEntry): Promise<boolean> {
    const { hash, modTime, leaf } = this.#strategy
    if (leaf && nameOf(file.path) !== nameOf(candidate.path)) return false
    if (modTime !== undefined) {
      const [before, now] = await Promise.all([
        ownTime(this.#ctx, this.#source, file),
        ownTime(this.#ctx, this.#target, candidate),
      ])
      if (!near(before, now, modTime)) return false
    }
    if (hash === undefined) return true
    const sums = await Promise.all([
      hashOf(this.#ctx, { remote: this.#source, file }, hash),
      hashOf(this.#ctx, { remote: this.#target, file: candidate }, hash),
    ])
    return sums[0] !== '' && sums[0] === sums[1]
  }
}
