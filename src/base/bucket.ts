/** A token bucket: lets bytes pass at a steady rate. Waiters are served in the order they came. */
export class Bucket {
  #rate: number
  /** The time (ms) at which everything granted so far will have been paid for. */
  #paidAt = 0
  readonly #now: () => number

  /** `rate` in bytes per second; 0 or less = no limit. */
  constructor(rate: number, now: () => number = () => performance.now()) {
    this.#rate = rate
    this.#now = now
  }

  get rate(): number {
    return this.#rate
  }

  /** A new rate, for what is asked from now on. */
  set rate(rate: number) {
    this.#rate = rate
    this.#paidAt = 0
  }

  /** Books `bytes` and gives the time to wait before sending them, in ms; 0 = at once. */
  book(bytes: number): number {
    if (this.#rate <= 0) return 0
    const now = this.#now()
    const start = Math.max(this.#paidAt, now - BURST_MS)
    this.#paidAt = start + (bytes / this.#rate) * 1000
    return Math.max(0, this.#paidAt - now)
  }

  /** A size of chunk that keeps the flow even at this rate: about a twentieth of a second's worth, 1 KiB to 1 MiB. */
  get chunk(): number {
    return this.#rate <= 0 ? 1 << 20 : Math.min(1 << 20, Math.max(1024, Math.floor(this.#rate / 20)))
  }
}

/** Unused time is kept this long, so that short pauses of a client do not lower its rate. */
const BURST_MS = 100
