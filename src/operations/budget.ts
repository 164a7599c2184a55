import type { Body } from '../base/body.ts'
import { derive } from '../base/derive.ts'
import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { copyOptions } from './options.ts'

/** What `--max-transfer` still allows. One for each piece of work. */
export class Budget {
  readonly #mode: 'HARD' | 'SOFT' | 'CAUTIOUS'
  #left: number

  constructor(ctx: Context) {
    const { maxTransfer, cutoffMode } = ctx.get(copyOptions)
    this.#mode = cutoffMode
    this.#left = maxTransfer < 0 ? Infinity : maxTransfer
  }

  /** Throws when a file of this size may not be begun any more. `cautious` counts the whole file beforehand. */
  begin(size: number): void {
    if (this.#left <= 0) throw limitReached()
    if (this.#mode !== 'CAUTIOUS') return
    if (size > this.#left) throw limitReached()
    this.#left -= Math.max(0, size)
  }

  /** Counts the bytes of a body; `hard` ends it with an error when there are too many. */
  meter(body: Body): Body {
    if (this.#left === Infinity || this.#mode === 'CAUTIOUS') return body
    return derive(body, (source) => this.#metered(source))
  }

  async *#metered(source: Body): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source) {
      this.#left -= chunk.length
      if (this.#left < 0 && this.#mode === 'HARD') throw limitReached()
      yield chunk
    }
  }
}

function limitReached(): AppError {
  return new AppError('aborted', 'max transfer limit reached as set by --max-transfer', { stop: 'max-transfer' })
}
