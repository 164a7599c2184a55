import { AppError } from '../base/error.ts'
import type { Store } from './store.ts'

interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Keeps the written chunks themselves: all readers share the bytes of the writer, nothing is copied. */
export class MemoryStore implements Store {
  #pieces: Piece[] = []
  /** Pieces before this one were discarded. */
  #first = 0
  #held = 0

  /** Bytes that are held. */
  get held(): number {
    return this.#held
  }

  write(at: number, bytes: Uint8Array): void {
    this.#held += bytes.length
    const last = this.#pieces.at(-1)
    if (!last || last.at <= at) {
      this.#pieces.push({ at, bytes })
      return
    }
    this.#pieces.splice(Math.max(this.#first, this.#indexOf(at) + 1), 0, { at, bytes })
  }

  read(at: number, max: number): Uint8Array {
    // Where chunks overlap, the one that was written last need not be the one that begins last.
    for (let i = this.#indexOf(at); i >= this.#first; i--) {
      const piece = this.#pieces[i] as Piece
      if (at < piece.at + piece.bytes.length) return piece.bytes.subarray(at - piece.at, at - piece.at + max)
    }
    throw new AppError('range', 'these bytes are not held any more')
  }

  discard(at: number): void {
    for (let piece = this.#pieces[this.#first]; piece && piece.at + piece.bytes.length <= at;) {
      this.#held -= piece.bytes.length
      piece = this.#pieces[++this.#first]
    }
    if (this.#first < 1024 && this.#first < this.#pieces.length / 2) return
    this.#pieces = this.#pieces.slice(this.#first)
    this.#first = 0
  }

  close(): Promise<void> {
    this.#pieces = []
    this.#first = 0
    this.#held = 0
    return Promise.resolve()
  }

  /** The last piece that begins at or before `at`; below `#first` when there is none. */
  #indexOf(at: number): number {
    let low = this.#first
    let high = this.#pieces.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#pieces[middle] as Piece).at <= at) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
