/** What a stream of audio says of itself. */
export interface AudioFacts {
  /** Samples per second. */
  readonly sampleRate: number
  readonly channels: number
  /** Bits per second of what came last. */
  readonly bitRate: number
}

/** The largest unit that is looked at whole, bytes: headers are far smaller, and a hostile stream must not fill the memory. */
const LARGEST_UNIT = 256 * 1024

/**
 * Watches a stream go by and knows where in it a listener may begin, and what each needs to be given first. Positions are
 * bytes since the start of the stream. One subclass for each format; it reads units (frames, packets, pages, boxes) that
 * follow each other, and everything it does not understand is passed over.
 */
export abstract class Frames {
  /** A listener can begin nowhere else: what lies between means nothing to a player. */
  abstract readonly strict: boolean
  /** Bytes up to here are whole units. */
  whole = 0
  /** Playing time of what went by, ms; undefined when the format does not tell. */
  time: number | undefined
  audio: AudioFacts | undefined
  /** Bytes that every listener needs before all others. */
  init: Uint8Array | undefined
  readonly #syncs: number[] = []
  /** Bytes that were not understood yet; the first of them is at `whole`. */
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of the unit under way that are still to come. */
  #skip = 0
  /** Length of the unit under way. */
  #unit = 0
  #lost = false

  /** Places where a decoder can begin, in order. */
  get syncs(): readonly number[] {
    return this.#syncs
  }

  /** True once units were found: before that nothing is known of the stream. */
  get found(): boolean {
    return this.whole > 0 && !this.#lost
  }

  /** Looks at the next bytes. */
  push(chunk: Uint8Array): void {
    if (this.#lost) return
    let start = 0
    if (this.#skip > 0) {
      start = Math.min(this.#skip, chunk.length)
      this.#skip -= start
      this.whole += this.#skip > 0 ? 0 : this.#unit
      if (this.#skip > 0) return
    }
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset + start, chunk.length - start)
    this.#rest = this.#rest.length === 0 ? fresh : Buffer.concat([this.#rest, fresh])
    this.#readAll()
  }

  #readAll(): void {
    let bytes = this.#rest
    while (bytes.length > 0) {
      const length = this.read(bytes, this.whole)
      if (length === 0) break
      const size = Math.abs(length)
      if (size > bytes.length) {
        this.#unit = size
        this.#skip = size - bytes.length
        bytes = bytes.subarray(bytes.length)
        break
      }
      this.whole += size
      bytes = bytes.subarray(size)
    }
    if (bytes.length > LARGEST_UNIT) {
      this.#lost = true
      bytes = bytes.subarray(bytes.length)
    }
    // The chunk belongs to others as well: a few bytes of it must not keep all of it.
    this.#rest = bytes.length === 0 ? bytes : Buffer.from(bytes)
  }

  /** Forgets the places before a position. */
  forget(before: number): void {
    const first = this.#syncs.findIndex((at) => at >= before)
    this.#syncs.splice(0, first < 0 ? this.#syncs.length : first)
  }

  /** A decoder can begin at this position, which comes after those known. */
  protected sync(at: number): void {
    if (at > (this.#syncs.at(-1) ?? -1)) this.#syncs.push(at)
  }

  /**
   * The length of the unit that `bytes` begins with, which may be more than there is of it; 0 = more is needed to tell;
   * negative = so many bytes that belong to none. `at` is where it begins.
   */
  protected abstract read(bytes: Buffer, at: number): number
}
