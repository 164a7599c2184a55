import { abortError } from './abort.ts'

/** Lets a number of tasks run at once; others wait in line, and leave it when their signal aborts. */
export class Semaphore {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(slots: number) {
    this.#free = Math.max(1, slots)
  }

  /** Runs `task` when a slot is free. Throws `aborted` when the signal aborts before that. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await this.#turn(signal)
    try {
      return await task()
    } finally {
      const next = this.#waiting.values().next().value
      if (next) next()
      else this.#free++
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal))
      const leave = () => {
        this.#waiting.delete(enter)
        reject(abortError(signal))
      }
      const enter = () => {
        this.#waiting.delete(enter)
        signal.removeEventListener('abort', leave)
        resolve()
      }
      this.#waiting.add(enter)
      signal.addEventListener('abort', leave, { once: true })
      return undefined
    })
  }
}
