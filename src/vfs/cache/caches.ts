import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import { KeptListings } from '../../remote/kept-listings.ts'
import type { Remote } from '../../remote/remote.ts'
import type { VfsOptions } from '../options.ts'
import type { FileCache } from './cache.ts'
import { layoutOf } from './layout.ts'

/** A remote, and the cache that it is seen through. */
export interface Cached {
  readonly remote: Remote
  readonly cache: FileCache
}

/** A cache that a part of a tree is seen through. */
export interface CacheAt {
  readonly cache: FileCache
  /** Path of that part in the tree. */
  readonly at: string
}

/** The file caches of a program, one for each remote, whoever serves it. They go on uploading when a server ends. */
export class FileCaches {
  readonly #ctx: Context
  readonly #dir: string
  readonly #opened = new Map<string, Promise<FileCache>>()
  #lastId = 0

  /** `dir` = `--cache-dir`. */
  constructor(ctx: Context, dir: string) {
    this.#ctx = ctx
    this.#dir = dir
  }

  /**
   * A remote seen through its cache, as `--vfs-cache-mode` says; undefined when that is off. `text` is what opened the remote. All
   * who serve one remote share a cache, with the limits that the first of them had. Throws `busy` when another process uses it.
   */
  async over(remote: Remote, text: string, options: VfsOptions): Promise<Cached | undefined> {
    const { cacheMode } = options
    if (cacheMode === 'off') return undefined
    const [{ FileCache }, { cachedRemote }] = await Promise.all([import('./cache.ts'), import('./remote.ts')])
    const { bufferSize, transfers } = this.#ctx.get(mainOptions)
    const layout = layoutOf(this.#dir, text, remote.info)
    let opened = this.#opened.get(layout.data)
    if (!opened) {
      opened = FileCache.open({
        ctx: this.#ctx,
        remote,
        options,
        bufferSize,
        transfers,
        layout,
        nextId: () => ++this.#lastId,
      })
      this.#opened.set(layout.data, opened)
      opened.catch(() => this.#opened.delete(layout.data))
    }
    const cache = await opened
    const writes = cacheMode === 'writes' || cacheMode === 'full'
    return { remote: cachedRemote(remote, cache, { writes, options, bufferSize }), cache }
  }

  /** The listings of a remote that are kept on disk. */
  async listings(remote: Remote, text: string): Promise<KeptListings> {
    return await KeptListings.open(layoutOf(this.#dir, text, remote.info).listings)
  }

  /** Closes all: what waits to be uploaded waits for the next start. */
  async close(): Promise<void> {
    for (const opened of this.#opened.values()) await (await opened.catch(() => undefined))?.close()
  }
}
