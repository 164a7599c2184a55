import { LRUCache } from 'lru-cache'
import { orAbort } from '../base/abort.ts'
import { toAppError } from '../base/error.ts'
import { isInside, nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { Entry, Remote } from '../remote/remote.ts'

/** A directory is held with at most this many entries; all directories together with a few times as many. */
export const LARGEST = 100_000
const LARGEST_SUM = 500_000

/** What is known of one directory. */
export interface Listing {
  /** Undefined = more than `LARGEST`: to be scanned, not held. */
  readonly entries: readonly Entry[] | undefined
  readonly byName: ReadonlyMap<string, Entry>
}

interface Held {
  readonly listing: Listing
  readonly expires: number
  readonly unwatch: (() => void) | undefined
}

/** The directory cache: listings by path, each read once for all who ask at the same time (serve-http.md 2.1). */
export class Directories {
  readonly #ctx: Context
  readonly #remote: Remote
  readonly #time: () => number
  readonly #now: () => number
  readonly #held: LRUCache<string, Held>
  readonly #reading = new Map<string, Promise<Listing>>()
  /** Raised by `forget`: a listing that was begun before must not be kept. */
  #generation = 0

  /** `time` = how long a listing is good, in ms. */
  constructor(ctx: Context, remote: Remote, time: () => number, now: () => number = () => performance.now()) {
    this.#ctx = ctx
    this.#remote = remote
    this.#time = time
    this.#now = now
    this.#held = new LRUCache({
      max: 10_000,
      maxSize: LARGEST_SUM,
      sizeCalculation: ({ listing }) => (listing.entries?.length ?? 0) + 1,
      dispose: ({ unwatch }) => unwatch?.(),
    })
  }

  /** The listing of a directory, fresh or from the cache. Throws as `Remote.list`, and when `ctx` aborts. */
  async read(ctx: Context, dir: string): Promise<Listing> {
    const held = this.#held.get(dir)
    if (held && held.expires > this.#now()) return held.listing
    let reading = this.#reading.get(dir)
    if (!reading) {
      // In the app's context: one client that leaves must not end what others wait for.
      reading = this.#read(this.#ctx, dir).finally(() => this.#reading.delete(dir))
      this.#reading.set(dir, reading)
    }
    return await orAbort(ctx.signal, reading)
  }

  /** Drops a directory and all below it, or everything. Gives the paths that were dropped. */
  forget(path?: string): string[] {
    this.#generation++
    const dropped =
      path === undefined ? [...this.#held.keys()] : [...this.#held.keys()].filter((dir) => isInside(dir, path))
    for (const dir of dropped) this.#held.delete(dir)
    return dropped
  }

  /** Drops one directory only. */
  drop(dir: string): void {
    this.#generation++
    this.#held.delete(dir)
  }

  /** How many directories and entries are held. */
  get size(): { readonly dirs: number; readonly entries: number } {
    return { dirs: this.#held.size, entries: this.#held.calculatedSize - this.#held.size }
  }

  close(): void {
    this.#held.clear()
  }

  async #read(ctx: Context, dir: string): Promise<Listing> {
    const generation = this.#generation
    let changed = false
    const unwatch = this.#remote.watch?.(dir, () => {
      changed = true
      this.drop(dir)
    })
    try {
      const listing = await this.#list(ctx, dir)
      // A disk that cannot be watched now is read each time: a changed file must never be served stale.
      const keep =
        !changed && generation === this.#generation && (unwatch !== undefined || !this.#remote.info.traits.isLocal)
      if (keep) this.#held.set(dir, { listing, expires: this.#now() + this.#time(), unwatch })
      else unwatch?.()
      return listing
    } catch (reason) {
      unwatch?.()
      const error = toAppError(reason)
      // What is to be served may come later (`--allow-missing-root`), and buckets without objects are not there.
      if (dir === '' && error.code === 'not-found') return { entries: [], byName: new Map() }
      throw error
    }
  }

  async #list(ctx: Context, dir: string): Promise<Listing> {
    const byName = new Map<string, Entry>()
    for await (const entry of this.#remote.list(ctx, dir)) {
      byName.set(nameOf(entry.path), entry)
      if (byName.size > LARGEST) return { entries: undefined, byName: new Map() }
    }
    return { entries: [...byName.values()], byName }
  }
}
