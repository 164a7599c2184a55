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

  /** Resolves at the next `notify`. Throws `aborted` when the signal aborts before. */
  next(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal))
      const resume = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.delete(resume)
        reject(abortError(signal as AbortSignal))
      }
      this.#waiting.add(resume)
      signal?.addEventListener('abort', leave, { once: true })
      return undefined
    })
  }
}
