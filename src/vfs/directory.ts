import { LRUCache } from 'lru-cache'
import { orAbort } from '../base/abort.ts'
import { messageOf, toAppError } from '../base/error.ts'
import { type Once, once } from '../base/once.ts'
import { isInside, nameOf, parentOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { KeptListings } from '../remote/kept-listings.ts'
import type { Entry, Remote } from '../remote/remote.ts'

/** A directory is held with at most this many entries; all directories together with a few times as many. */
export const LARGEST = 50_000
const LARGEST_SUM = 250_000
/** So many files of a directory are looked up one by one before its listing is read. */
const FEW = 4

/** What is known of one directory. */
export interface Listing {
  /** Undefined = more than `LARGEST`: to be scanned, not held. */
  readonly entries: readonly Entry[] | undefined
  readonly byName: ReadonlyMap<string, Entry>
}

/** A listing, and how long ago it was read, ms. */
interface Aged {
  readonly listing: Listing
  readonly age: number
}

/** Opens the listings that are kept on disk. */
export type OpenKept = () => Promise<KeptListings>

/** A listing under way. Stale = something changed since it was begun: it is not kept, and nobody joins it any more. */
interface Reading {
  readonly listing: Promise<Listing>
  stale: boolean
}

interface Held {
  readonly listing: Listing
  readonly readAt: number
  readonly unwatch: (() => void) | undefined
}

/** The directory cache: listings by path, each read once for all who ask at the same time (serve-http.md 2.1). */
export class Directories {
  readonly #ctx: Context
  readonly #kept: Once<KeptListings> | undefined
  readonly #remote: Remote
  readonly #time: () => number
  readonly #now: () => number
  readonly #held: LRUCache<string, Held>
  readonly #reading = new Map<string, Reading>()
  /** How often a file of a directory that is not held was looked up. */
  readonly #lookups = new LRUCache<string, number>({ max: 10_000 })
  /** Called when the storage tells of a change in a directory that was listed. */
  changed: ((dir: string) => void) | undefined

  /** `time` = how long a listing is good, in ms; `kept` opens those that are on disk. */
  constructor(
    ctx: Context,
    remote: Remote,
    time: () => number,
    { kept, now = () => performance.now() }: { kept?: OpenKept | undefined; now?: () => number } = {},
  ) {
    this.#ctx = ctx
    // What a disk of this machine has is read as quickly as what is kept of it.
    this.#kept = kept && !remote.info.traits.isLocal ? once(kept) : undefined
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
    const held = this.#fresh(dir)
    if (held) return held
    const reading = this.#reading.get(dir)
    return await orAbort(ctx.signal, reading && !reading.stale ? reading.listing : this.#begin(dir))
  }

  /** True when the listing of a directory is at hand, or worth reading for the files that are looked up in it. */
  isWorthReading(dir: string): boolean {
    if (this.#fresh(dir) || this.#reading.has(dir)) return true
    if (this.#time() <= 0) return false
    const lookups = (this.#lookups.get(dir) ?? 0) + 1
    this.#lookups.set(dir, lookups)
    return lookups > FEW
  }

  /** Drops a directory and all below it, or everything. Gives the paths that were dropped. */
  forget(path?: string): string[] {
    const concerned = (dir: string) => path === undefined || isInside(dir, path)
    for (const [dir, reading] of this.#reading) if (concerned(dir)) reading.stale = true
    this.#forgetKept(path ?? '', true)
    const dropped = [...this.#held.keys()].filter(concerned)
    for (const dir of dropped) this.#held.delete(dir)
    return dropped
  }

  /** Drops one directory only. */
  drop(dir: string): void {
    const reading = this.#reading.get(dir)
    if (reading) reading.stale = true
    this.#forgetKept(dir, false)
    this.#held.delete(dir)
  }

  /** Something has come or gone at a path: drops its directory, and those above that do not know of it. */
  dropAround(path: string): void {
    let dir = parentOf(path)
    this.drop(dir)
    for (let above = parentOf(dir); dir !== ''; dir = above, above = parentOf(dir)) {
      const held = this.#held.peek(above)
      if (held?.listing.entries && !held.listing.byName.has(nameOf(dir))) this.drop(above)
    }
  }

  /** How many directories and entries are held. */
  get size(): { readonly dirs: number; readonly entries: number } {
    return { dirs: this.#held.size, entries: this.#held.calculatedSize - this.#held.size }
  }

  async close(): Promise<void> {
    this.#held.clear()
    const kept = await this.#kept?.begun?.catch(() => undefined)
    kept?.close()
  }

  #fresh(dir: string): Listing | undefined {
    const held = this.#held.get(dir)
    return held && held.readAt + this.#time() > this.#now() ? held.listing : undefined
  }

  /** Begins a listing, in the app's context: one client that leaves must not end what others wait for. */
  #begin(dir: string): Promise<Listing> {
    const work = Promise.withResolvers<Listing>()
    const reading: Reading = { listing: work.promise, stale: false }
    this.#reading.set(dir, reading)
    this.#read(dir, reading)
      .finally(() => {
        if (this.#reading.get(dir) === reading) this.#reading.delete(dir)
      })
      .then(work.resolve, work.reject)
    return work.promise
  }

  async #read(dir: string, reading: Reading): Promise<Listing> {
    const unwatch = this.#remote.watch?.(dir, () => {
      reading.stale = true
      this.#held.delete(dir)
      this.changed?.(dir)
    })
    try {
      const { listing, age } = (await this.#readKept(dir)) ?? (await this.#readAnew(dir, reading))
      // A disk that cannot be watched now is read each time: a changed file must never be served stale.
      if (!reading.stale && this.#time() > 0 && (unwatch || !this.#remote.info.traits.isLocal))
        this.#held.set(dir, { listing, readAt: this.#now() - age, unwatch })
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

  /** A listing on disk that is still good, and how old it is, ms. */
  async #readKept(dir: string): Promise<Aged | undefined> {
    const kept = await this.#openKept()
    const age = kept?.age(dir)
    if (!kept || age === undefined || age >= this.#time()) return undefined
    const byName = new Map([...kept.list(dir)].map((entry) => [nameOf(entry.path), entry]))
    return { listing: { entries: [...byName.values()], byName }, age }
  }

  async #readAnew(dir: string, reading: Reading): Promise<Aged> {
    const listing = await this.#list(this.#ctx, dir)
    if (listing.entries && !reading.stale && this.#time() > 0) (await this.#openKept())?.save(dir, listing.entries)
    return { listing, age: 0 }
  }

  /** Without what is kept it is only slower. */
  async #openKept(): Promise<KeptListings | undefined> {
    try {
      return await this.#kept?.()
    } catch (error) {
      this.#ctx.log.error(`--dir-cache-persist: ${messageOf(error)}`)
      return undefined
    }
  }

  /** In the order in which it was asked for: what is read after it is read anew. */
  #forgetKept(dir: string, below: boolean): void {
    void this.#kept?.()
      .then((kept) => kept.forget(dir, below))
      .catch((error: unknown) => this.#ctx.log.error(`--dir-cache-persist: ${messageOf(error)}`))
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
