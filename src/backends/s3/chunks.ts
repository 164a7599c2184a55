import type { Body } from '../../base/body.ts'

/** Some bytes of a body, and whether they are the last. */
export interface Taken {
  readonly bytes: Uint8Array
  readonly ended: boolean
}

/** A body that is taken in pieces of a size that its reader chooses; the rest can be read as a body. */
export class Chunks implements Body {
  readonly #source: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array()
  #ended = false

  constructor(body: Body) {
    this.#source = body[Symbol.asyncIterator]()
  }

  /** The next `size` bytes, fewer only at the end. Throws what the source throws. */
  async take(size: number): Promise<Taken> {
    const pieces: Uint8Array[] = []
    let length = 0
    while (length < size && (await this.#more())) {
      const piece = this.#rest.subarray(0, size - length)
      this.#rest = this.#rest.subarray(piece.length)
      pieces.push(piece)
      length += piece.length
    }
    const ended = !(await this.#more())
    return { bytes: pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces, length), ended }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (await this.#more()) {
      const chunk = this.#rest
      this.#rest = new Uint8Array()
      yield chunk
    }
  }

  /** Nobody wants the rest. */
  async leave(): Promise<void> {
    if (!this.#ended) await this.#source.return?.()
  }

  async #more(): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#ended) {
      const { done, value } = await this.#source.next()
      if (done) this.#ended = true
      else this.#rest = value
    }
    return this.#rest.length > 0
  }
}
