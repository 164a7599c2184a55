const KIB = 1024
/** What waits for a client to which the system sends the rest by itself. */
export const TINY = 4 * KIB
/** The smallest buffer otherwise: what a slow client holds. */
export const SMALL = 64 * KIB
/** The largest: where a fast client's speed stops growing. */
export const LARGE = 512 * KIB
/** Free memory that is kept for the next transfer. */
const KEPT = 8 * 1024 * KIB
/** Memory in buffers larger than the smallest, over all clients: beyond it everybody gets small ones. */
const LARGE_BUDGET = 32 * 1024 * KIB

/** The read buffers of one server: taken for a moment, given back, bounded. Sizes are powers of two, 4 and 64 to 512 KiB. */
export class Buffers {
  readonly #free = new Map<number, Buffer[]>()
  #kept = 0
  #large = 0

  /** A buffer of `size` bytes (TINY, or SMALL to LARGE), or a small one when memory is short. Its old content is still in it. */
  take(size: number): Buffer {
    const fits = size < SMALL || this.#large + size <= LARGE_BUDGET ? size : SMALL
    if (fits > SMALL) this.#large += fits
    const free = this.#free.get(fits)?.pop()
    if (free === undefined) return Buffer.allocUnsafeSlow(fits)
    this.#kept -= fits
    return free
  }

  /** Takes a buffer back. Nobody may use it any more, the kernel included. */
  give(buffer: Buffer): void {
    const size = buffer.length
    if (size > SMALL) this.#large -= size
    if (this.#kept + size > KEPT) return
    this.#kept += size
    const free = this.#free.get(size)
    if (free) free.push(buffer)
    else this.#free.set(size, [buffer])
  }

  /** Forgets a buffer that somebody may still be using. */
  drop(buffer: Buffer): void {
    if (buffer.length > SMALL) this.#large -= buffer.length
  }

  /** Bytes in buffers that are larger than the smallest and in use. */
  get large(): number {
    return this.#large
  }
}
