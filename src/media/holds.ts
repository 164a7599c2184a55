import { Wake } from '../base/wake.ts'

export interface HoldsParts {
  /** Longest wait, ms; 0 = none. */
  readonly most: number
  /** How long a file may be waited for, ms; undefined = it is not expected. */
  readonly expects: (path: string) => number | undefined
  /** True for what is there, as far as is known at once. */
  readonly known: (path: string) => boolean
  /** True for what is there. */
  readonly exists: (path: string) => Promise<boolean>
}

interface Waiting {
  readonly wake: Wake
  /** Counts the changes, so that none is missed between a look and the wait. */
  changes: number
  count: number
}

/** Those who wait for files that are expected and not there yet: all who wait for one file do it together. */
export class Holds {
  readonly #parts: HoldsParts
  readonly #waiting = new Map<string, Waiting>()

  constructor(parts: HoldsParts) {
    this.#parts = parts
  }

  /**
   * Resolves when a file is there or can be followed, is not expected any more, or has not come in time; with true when that
   * was waited for. Throws `aborted` with the signal, and what looking for the file throws.
   */
  async wait(path: string, signal: AbortSignal): Promise<boolean> {
    const { most, known, expects } = this.#parts
    const length = most > 0 && !known(path) ? expects(path) : undefined
    if (length === undefined) return false
    const waiting = this.#waiting.get(path) ?? { wake: new Wake(), changes: 0, count: 0 }
    this.#waiting.set(path, waiting)
    waiting.count++
    try {
      return await this.#wait(path, waiting, { until: performance.now() + Math.min(length, most), signal })
    } finally {
      if (--waiting.count === 0) this.#waiting.delete(path)
    }
  }

  async #wait(path: string, waiting: Waiting, { until, signal }: { until: number; signal: AbortSignal }) {
    const { known, exists, expects } = this.#parts
    for (let held = false; ;) {
      const { changes } = waiting
      const there = known(path) || (await exists(path))
      if (waiting.changes !== changes) continue
      const left = until - performance.now()
      if (there || left <= 0 || expects(path) === undefined) return held
      held = true
      await waiting.wake.next(signal, left)
    }
  }

  /** Something has become of a file. */
  notify(path: string): void {
    const waiting = this.#waiting.get(path)
    if (waiting) wake(waiting)
  }

  /** What is expected has changed. */
  notifyAll(): void {
    for (const waiting of this.#waiting.values()) wake(waiting)
  }
}

function wake(waiting: Waiting): void {
  waiting.changes++
  waiting.wake.notify()
}
