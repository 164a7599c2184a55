import { createHash } from 'node:crypto'
import { join as joinPath } from 'node:path'
import { throwIfAborted } from '../../base/abort.ts'
import { type Body, collect } from '../../base/body.ts'
import { AppError, messageOf } from '../../base/error.ts'
import { isInside, join, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Context } from '../../core/context.ts'
import { extend } from '../../layers/extend.ts'
import type { Entry, FileEntry, Remote } from '../../remote/remote.ts'
import { Catalog } from './catalog.ts'
import { ChunkStore } from './chunk-store.ts'

export interface ChunkCacheParts {
  readonly inner: Remote
  /** Name of this remote, what it is over, and where below that it begins. */
  readonly name: string
  readonly remote: string
  readonly root: string
  readonly chunkDir: string
  readonly indexDir: string
  /** Bytes. */
  readonly chunkSize: number
  readonly chunkTotalSize: number
  /** How long a listing is good, ms. */
  readonly infoAge: number
  readonly workers: number
  readonly dbPurge: boolean
  readonly closed: () => void
}

/** Directories with more entries than this are read each time. */
const LARGEST = 100_000

/** Opens the cache of a remote. Throws what its disk throws. */
export async function openChunkCache(ctx: Context, parts: ChunkCacheParts): Promise<ChunkCache> {
  // Remotes that were made on the spot have one name.
  const id = `${encodeURIComponent(parts.name)}-${createHash('sha256').update(parts.remote).digest('hex').slice(0, 10)}`
  const catalog = await Catalog.open(parts.indexDir, id)
  const chunks = new ChunkStore({ ctx, catalog, dir: joinPath(parts.chunkDir, id), most: parts.chunkTotalSize })
  const cache = new ChunkCache(parts, catalog, chunks)
  if (parts.dbPurge) await cache.purge()
  return cache
}

/** Listings and pieces of files of another remote, kept on disk over restarts. */
export class ChunkCache {
  readonly remote: Remote
  readonly #parts: ChunkCacheParts
  readonly #catalog: Catalog
  readonly #chunks: ChunkStore

  constructor(parts: ChunkCacheParts, catalog: Catalog, chunks: ChunkStore) {
    this.#parts = parts
    this.#catalog = catalog
    this.#chunks = chunks
    this.remote = this.#remote()
  }

  /** Forgets everything. */
  async purge(): Promise<void> {
    this.#catalog.listings.forget('', true)
    await this.#chunks.forget()
  }

  /** Forgets what is known of a file or directory (`cache/expire`). Throws `invalid` for what is not in the cache. */
  async expire(path: string, withData: boolean): Promise<'file' | 'directory'> {
    const key = this.#key(path)
    const kind =
      this.#catalog.listings.entry(key)?.kind ??
      (this.#catalog.listings.age(key) === undefined ? undefined : 'directory')
    if (!kind) throw new AppError('invalid', `${path} doesn't exist in cache`)
    if (withData)
      for (const { path: file } of this.#catalog.chunks()) if (isInside(file, key)) await this.#chunks.forget(file)
    this.#catalog.listings.forget(kind === 'file' ? parentOf(key) : key, kind === 'directory')
    return kind
  }

  /** Has pieces of a file here, by their numbers (`cache/fetch`); gives how many of them there are. Throws `not-found`. */
  async fetch(ctx: Context, path: string, numbers: (count: number) => readonly number[]): Promise<number> {
    const file = await this.#stat(ctx, path)
    if (file?.kind !== 'file') throw new AppError('not-found', 'object not found')
    const count = Math.ceil(file.size / this.#parts.chunkSize)
    const wanted = new Set(numbers(count).filter((number) => number >= 0 && number < count))
    for (const number of wanted) await this.#chunk(file, number * this.#parts.chunkSize, ctx.signal)
    return wanted.size
  }

  /** Numbers for `cache/stats`. */
  get stats() {
    const { chunkSpan, fileSpan, directories, chunkBytes } = this.#catalog
    return { chunks: chunkSpan, files: fileSpan, directories, bytes: chunkBytes }
  }

  /** The inner remote with all that changes something followed by forgetting it. */
  #remote(): Remote {
    const { inner, name, root } = this.#parts
    const after = async <T>(work: Promise<T>, ...paths: readonly string[]): Promise<T> => {
      try {
        return await work
      } finally {
        for (const path of paths) await this.#forget(path)
      }
    }
    const remote = extend(inner, {
      info: { ...inner.info, name, root, type: 'cache', description: `Cache of ${inner.info.description}` },
      list: (ctx, dir) => this.#list(ctx, dir),
      stat: (ctx, path) => this.#stat(ctx, path),
      open: (ctx, file, range) => this.#open(ctx, file, range),
      put: (ctx, path, body, info) => after(inner.put(ctx, path, body, info), path),
      remove: (ctx, file) => after(inner.remove(ctx, file), file.path),
      mkdir: (ctx, dir) => after(inner.mkdir(ctx, dir), dir),
      rmdir: (ctx, dir) => after(inner.rmdir(ctx, dir), dir),
      copy: async (ctx, file, to) => await after(present(inner.copy?.(ctx, file, to)), to),
      move: async (ctx, file, to) => await after(present(inner.move?.(ctx, file, to)), file.path, to),
      moveDirectory: async (ctx, from, to) => await after(present(inner.moveDirectory?.(ctx, from, to)), from, to),
      purge: async (ctx, dir) => await after(present(inner.purge?.(ctx, dir)), dir),
      setModTime: async (ctx, entry, time) => await after(present(inner.setModTime?.(ctx, entry, time)), entry.path),
      poll: (ctx, ms, changed) =>
        inner.poll?.(ctx, ms, (path, kind) => void this.#forget(path).then(() => changed(path, kind))) ?? (() => {}),
    })
    for (const way of ['peek', 'listRecursive', 'watch'] as const) delete remote[way]
    return Object.assign(remote, { close: () => this.#close() })
  }

  async #close(): Promise<void> {
    this.#parts.closed()
    this.#catalog.close()
  }

  async *#list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    throwIfAborted(ctx.signal)
    const key = this.#key(dir)
    if (this.#isFresh(key)) {
      for (const entry of this.#catalog.listings.list(key)) yield { ...entry, path: this.#below(entry.path) }
      return
    }
    const entries: Entry[] = []
    for await (const entry of this.#parts.inner.list(ctx, dir)) {
      if (entries.length <= LARGEST) entries.push({ ...entry, path: this.#key(entry.path) })
      yield entry
    }
    if (entries.length <= LARGEST) this.#catalog.listings.save(key, entries)
  }

  async #stat(ctx: Context, path: string): Promise<Entry | undefined> {
    if (path === '' || !this.#isFresh(this.#key(parentOf(path)))) return await this.#parts.inner.stat(ctx, path)
    const entry = this.#catalog.listings.entry(this.#key(path))
    return entry && { ...entry, path }
  }

  async #open(ctx: Context, file: FileEntry, range: Range = { start: 0, end: Infinity }): Promise<Body> {
    if (file.size < 0) return await this.#parts.inner.open(ctx, file, range)
    const wanted = { start: range.start, end: Math.min(range.end, file.size) }
    const first = this.#numbers(wanted).next()
    // What is gone is an error now, not a cut transfer.
    const begun = first.done ? undefined : await this.#chunk(file, first.value, ctx.signal)
    return this.#read(ctx, file, wanted, begun)
  }

  /** The bytes of a range, some pieces ahead of the reader. */
  async *#read(ctx: Context, file: FileEntry, range: Range, first: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
    const { workers } = this.#parts
    const numbers = this.#numbers(range)
    const under: { readonly at: number; readonly bytes: Promise<Uint8Array> }[] = []
    const more = () => {
      const { done, value: at } = numbers.next()
      if (done) return
      const isFirst = first && at <= range.start
      const bytes = isFirst ? Promise.resolve(first) : this.#chunk(file, at, ctx.signal)
      bytes.catch(() => {})
      under.push({ at, bytes })
    }
    for (let i = 0; i < Math.max(1, workers); i++) more()
    for (let next = under.shift(); next; next = under.shift()) {
      const bytes = await next.bytes
      throwIfAborted(ctx.signal)
      yield bytes.subarray(Math.max(0, range.start - next.at), range.end - next.at)
      more()
    }
  }

  /** Where the pieces of a range begin. */
  *#numbers({ start, end }: Range): Generator<number, undefined> {
    const { chunkSize } = this.#parts
    for (let at = start - (start % chunkSize); at < end; at += chunkSize) yield at
    return undefined
  }

  async #chunk(file: FileEntry, at: number, signal: AbortSignal): Promise<Uint8Array> {
    const { inner, chunkSize } = this.#parts
    const range = { start: at, end: Math.min(file.size, at + chunkSize) }
    return await this.#chunks.get(
      { path: this.#key(file.path), at, version: versionOf(file) },
      async (ctx) => {
        const bytes = await collect(await inner.open(ctx, file, range))
        if (bytes.length !== range.end - range.start)
          throw new AppError('io', `the file ended at byte ${at + bytes.length}, ${range.end} were expected`)
        return bytes
      },
      signal,
    )
  }

  #isFresh(key: string): boolean {
    return (this.#catalog.listings.age(key) ?? Infinity) < this.#parts.infoAge
  }

  /** Something was changed at a path: drops what is known of it, of what is below it, and of the folders that it lies in. */
  async #forget(path: string): Promise<void> {
    const key = this.#key(path)
    try {
      this.#catalog.listings.forget(key, true)
      for (let dir = key; dir !== '';) this.#catalog.listings.forget((dir = parentOf(dir)))
      await this.#chunks.forget(key)
    } catch (error) {
      throw new AppError('io', `cache: ${messageOf(error)}`, { cause: error })
    }
  }

  /** Remotes with other roots share the cache. */
  #key(path: string): string {
    return join(this.#parts.root, path)
  }

  #below(key: string): string {
    const { root } = this.#parts
    return root === '' ? key : key.slice(root.length + 1)
  }
}

/** A text that differs when the file has changed. */
function versionOf({ size, modTime, version = '', hashes = {} }: FileEntry): string {
  return [size, modTime, version, ...Object.values(hashes)].join(' ')
}

/** What a remote that has a method gives; those without it are never asked. */
function present<T>(value: Promise<T> | undefined): Promise<T> {
  return value ?? Promise.reject(new AppError('unsupported', 'not of this storage'))
}
