import { abortError } from './abort.ts'

/** Lets many wait for the next change of one thing. A waiter leaves as soon as its signal aborts. */
export class Wake {
  #waiting = new Set<() => void>()

  /** Lets all go that wait now; who waits from then on waits for the next change. */
  notify(): void {
    if (this.#waiting.size === 0) return
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const resume of waiting) resume()
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Resolves at the next `notify` with true, after `ms` without one with false. Throws `aborted` when the signal aborts before.
   */
  next(signal?: AbortSignal, ms = Infinity): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal))
      const timer = ms === Infinity ? undefined : setTimeout(() => end(() => resolve(false)), ms)
      const resume = () => end(() => resolve(true))
      const leave = () => end(() => reject(abortError(signal as AbortSignal)))
      const end = (settle: () => void) => {
        if (timer) clearTimeout(timer)
        this.#waiting.delete(resume)
        signal?.removeEventListener('abort', leave)
        settle()
      }
      this.#waiting.add(resume)
      signal?.addEventListener('abort', leave, { once: true })
      return undefined
    })
  }
}
