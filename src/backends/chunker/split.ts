import type { Body } from '../../base/body.ts'

/** A body that is taken piece by piece, each a body of its own of at most `size` bytes. */
export class Splitter {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #size: number
  #rest: Uint8Array | undefined
  #ended = false

  constructor(body: Body, size: number) {
    this.#source = body[Symbol.asyncIterator]()
    this.#size = size
  }

  /** Whether there are bytes left. */
  async more(): Promise<boolean> {
    while (!this.#ended && (this.#rest === undefined || this.#rest.length === 0)) {
      const { done, value } = await this.#source.next()
      if (done) this.#ended = true
      else this.#rest = value
    }
    return !this.#ended
  }

  /** The next bytes. The piece before has to be read to its end. */
  async *piece(): AsyncGenerator<Uint8Array, void> {
    for (let left = this.#size; left > 0 && (await this.more());) {
      const chunk = this.#rest as Uint8Array
      const part = chunk.subarray(0, left)
      this.#rest = chunk.subarray(part.length)
      left -= part.length
      yield part
    }
  }

  /** Gives up the rest. */
  async leave(): Promise<void> {
    if (!this.#ended) await this.#source.return?.()
  }
}
