/** Upper bounds of the buckets, ms. */
export const delayBounds = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500] as const

/** How long bytes took from their publisher to the last of their listeners: a histogram. */
export class Delays {
  /** Counts up to each bound, and above the last. */
  readonly buckets: number[] = Array.from({ length: delayBounds.length + 1 }, () => 0)
  sum = 0
  count = 0

  add(ms: number): void {
    const at = delayBounds.findIndex((bound) => ms <= bound)
    const bucket = at < 0 ? delayBounds.length : at
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
    this.sum += ms
    this.count++
  }
}
