import type { Range } from './range.ts'

/** A set of bytes as ranges that neither overlap nor touch, in order: what of an object is there. */
export class Runs {
  #runs: Range[] = []

  /** The ranges, in order. */
  get ranges(): readonly Range[] {
    return this.#runs
  }

  /** The end of the last range, 0 when there is none. */
  get end(): number {
    return this.#runs.at(-1)?.end ?? 0
  }

  /** How many bytes there are. */
  get size(): number {
    return this.#runs.reduce((sum, { start, end }) => sum + end - start, 0)
  }

  /** Adds a range. Adding behind the last one, the usual case, takes constant time. */
  add({ start, end }: Range): void {
    if (end <= start) return
    const last = this.#runs.at(-1)
    if (last && start >= last.start && start <= last.end) {
      this.#runs[this.#runs.length - 1] = { start: last.start, end: Math.max(last.end, end) }
      return
    }
    if (!last || start > last.end) {
      this.#runs.push({ start, end })
      return
    }
    const first = this.#indexOf(start)
    let behind = first
    let from = start
    let to = end
    for (let run = this.#runs[behind]; run && run.start <= end; run = this.#runs[++behind]) {
      from = Math.min(from, run.start)
      to = Math.max(to, run.end)
    }
    this.#runs.splice(first, behind - first, { start: from, end: to })
  }

  /** Takes away all before `at`. */
  dropBefore(at: number): void {
    const kept = this.#runs.filter(({ end }) => end > at)
    const [first] = kept
    if (first && first.start < at) kept[0] = { start: at, end: first.end }
    this.#runs = kept
  }

  /** The first range that ends behind `at`: the one that holds `at`, or the next one. */
  from(at: number): Range | undefined {
    const last = this.#runs.at(-1)
    if (!last || last.end <= at) return undefined
    if (last.start <= at) return last
    // `indexOf` takes a range that ends at `at` as well.
    const found = this.#runs[this.#indexOf(at)]
    return found && found.end > at ? found : this.#runs[this.#indexOf(at) + 1]
  }

  /** True when all of a range is there. */
  has({ start, end }: Range): boolean {
    if (end <= start) return true
    const run = this.from(start)
    return run !== undefined && run.start <= start && run.end >= end
  }

  /** What of a range is not there. */
  missing({ start, end }: Range): Range[] {
    const gaps: Range[] = []
    let at = start
    for (let run = this.from(at); at < end && run && run.start < end; run = this.from(at)) {
      if (run.start > at) gaps.push({ start: at, end: run.start })
      at = run.end
    }
    if (at < end) gaps.push({ start: at, end })
    return gaps
  }

  /** The index of the first range that ends at or behind `at`. */
  #indexOf(at: number): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#runs[middle] as Range).end < at) low = middle + 1
      else high = middle
    }
    return low
  }
}
