import { rethrow, toAppError } from '../../base/error.ts'
import { KeyedLock } from '../../base/keyed-lock.ts'
import { diskUsage } from '../../core/disk.ts'

export interface SpaceLimits {
  /** Most bytes that the cache may have; negative = any. */
  readonly maxSize: number
  /** Bytes to leave free on the disk; negative = none. */
  readonly minFree: number
}

/** How long the free space of the disk is believed, ms; what is written meanwhile is taken off. */
const BELIEVED_MS = 1000

/** The room that a cache has on its disk: limits are kept as it grows, not at the next look (serve-http.md 2.7 and 6). */
export class Space {
  readonly #dir: string
  readonly #limits: SpaceLimits
  readonly #evict: () => Promise<boolean>
  readonly #turns = new KeyedLock()
  #used = 0
  #free = Infinity
  #freeAt = -Infinity
  #outOfSpace = false

  /** `evict` drops the one item that was used longest ago; false when all that is left is in use or waits to be uploaded. */
  constructor(dir: string, limits: SpaceLimits, evict: () => Promise<boolean>) {
    this.#dir = dir
    this.#limits = limits
    this.#evict = evict
  }

  /** Bytes that are held. */
  get used(): number {
    return this.#used
  }

  /** The last write found no room. */
  get outOfSpace(): boolean {
    return this.#outOfSpace
  }

  /**
   * Takes room for bytes that are about to be written, dropping what was used longest ago. False when there is none to be
   * had.
   */
  async take(bytes: number): Promise<boolean> {
    await this.#look()
    // Others may have taken what was made.
    while (!this.#fits(bytes)) if (!(await this.#turns.run('evict', async () => await this.#make(bytes)))) return false
    this.hold(bytes)
    return true
  }

  /** Counts bytes that are there whatever the limits say: what waits to be uploaded, and what was found at the start. */
  hold(bytes: number): void {
    this.#used += bytes
    this.#free -= bytes
  }

  /** Bytes that are not there any more. */
  give(bytes: number): void {
    this.#used -= bytes
    this.#free += bytes
  }

  /**
   * Runs a write; on a full disk it drops what can be dropped and tries again. False when the disk stays full. Throws all
   * else.
   */
  async write(work: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await work()
        this.#outOfSpace = false
        return true
      } catch (error) {
        if (toAppError(error).code !== 'no-space') rethrow(error)
        this.#outOfSpace = true
        if (!(await this.#turns.run('evict', this.#evict))) return false
      }
    }
  }

  /** Drops what is over the limits. */
  async keepLimits(): Promise<void> {
    this.#freeAt = -Infinity
    await this.#look()
    await this.#turns.run('evict', async () => await this.#make(0))
  }

  async #make(bytes: number): Promise<boolean> {
    while (!this.#fits(bytes)) if (!(await this.#evict())) return false
    return true
  }

  #fits(bytes: number): boolean {
    const { maxSize, minFree } = this.#limits
    return (maxSize < 0 || this.#used + bytes <= maxSize) && (minFree < 0 || this.#free - bytes >= minFree)
  }

  async #look(): Promise<void> {
    const now = performance.now()
    if (this.#limits.minFree < 0 || now - this.#freeAt < BELIEVED_MS) return
    this.#freeAt = now
    this.#free = (await diskUsage(this.#dir)).available
  }
}
