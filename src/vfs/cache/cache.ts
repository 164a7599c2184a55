import { LRUCache } from 'lru-cache'
import { type Body, bodyOf } from '../../base/body.ts'
import { orAbort } from '../../base/abort.ts'
import { AppError, messageOf } from '../../base/error.ts'
import { once } from '../../base/once.ts'
import type { Range } from '../../base/range.ts'
import { fromMs } from '../../base/time.ts'
import { Disk } from '../../backends/local/disk.ts'
import type { Context } from '../../core/context.ts'
import type { FileEntry, PutInfo, Remote, WriterAt } from '../../remote/remote.ts'
import type { VfsOptions } from '../options.ts'
import { CacheFiles } from './files.ts'
import { fingerprintHash, fingerprintOf, hashNumber, isSameVersion, sourceOf } from './fingerprint.ts'
import { Item, type ItemParts } from './item.ts'
import { Items } from './items.ts'
import type { Layout } from './layout.ts'
import { loadItems } from './load.ts'
import { type CacheLock, lockCache } from './lock.ts'
import type { Metadata } from './metadata.ts'
import { Space } from './space.ts'
import { uploadItem } from './upload.ts'
import { type QueueEntry, WriteBack } from './write-back.ts'
import { CacheWriter } from './writer.ts'

export interface FileCacheParts {
  /** Of the program: what is fetched and uploaded belongs to no request. */
  readonly ctx: Context
  readonly remote: Remote
  readonly options: VfsOptions
  /** `--buffer-size`, bytes. */
  readonly bufferSize: number
  /** `--transfers`. */
  readonly transfers: number
  readonly layout: Layout
  /** A number that no other file that waits has. */
  readonly nextId: () => number
}

/** A window of less than this would make a new request for each small step of a reader, bytes. */
const LEAST_WINDOW = 1024 * 1024

/**
 * Files of one remote on the disk of this machine: copies of what was read, and what was written and is yet to be uploaded
 * (serve-http.md 2.3 to 2.7).
 */
export class FileCache {
  /** Resolves when it is known what an earlier run left. */
  readonly ready: Promise<void>
  readonly #parts: FileCacheParts
  readonly #files: CacheFiles
  readonly #lock: CacheLock
  readonly #space: Space
  readonly #writeBack: WriteBack
  readonly #itemParts: ItemParts
  readonly #items: Items
  /** Entries that were found to be of an item. */
  readonly #known = new WeakMap<FileEntry, Item>()
  /** Fingerprints by version: making one may cost a reading of the file. */
  readonly #fingerprints = new LRUCache<string, Promise<string>>({ max: 10_000 })
  readonly #watchers = new Set<(path: string) => void>()
  #poll: NodeJS.Timeout | undefined
  readonly #close = once(async () => {
    clearInterval(this.#poll)
    await this.ready.catch(() => {})
    await this.#writeBack.close()
    for (const item of this.#items.all) await item.settle()
    const { size } = this.#writeBack
    if (size > 0)
      this.#parts.ctx.log.notice(`vfs cache: ${size} files wait to be uploaded: that goes on at the next start`)
    await this.#lock.release()
  })

  private constructor(parts: FileCacheParts, files: CacheFiles, lock: CacheLock) {
    const { ctx, options, bufferSize, transfers, layout } = parts
    this.#parts = parts
    this.#files = files
    this.#items = new Items(files)
    this.#lock = lock
    const limits = { maxSize: options.cacheMaxSize, minFree: options.cacheMinFreeSpace }
    this.#space = new Space(layout.data, limits, async () => await this.#items.dropOldest())
    const window = Math.max(bufferSize, LEAST_WINDOW)
    this.#itemParts = {
      ctx,
      files,
      space: this.#space,
      policy: { size: options.chunkSize, limit: options.chunkSizeLimit, streams: options.chunkStreams },
      window,
      ahead: window + options.readAhead,
      idleMs: options.handleCaching,
      disk: new Disk(false),
      fetch: async (own, file, range) => await parts.remote.open(own, file, range),
      source: async (own, item) => await sourceOf(own, parts.remote, item, options.fastFingerprint),
    }
    const upload = async (item: Item, signal: AbortSignal) => await this.#upload(item, signal)
    this.#writeBack = new WriteBack({ log: ctx.log, nextId: parts.nextId, delay: options.writeBack, transfers, upload })
    this.ready = this.#load()
    this.ready.catch((error: unknown) => ctx.log.error(`vfs cache: ${messageOf(error)}`))
    if (options.cachePollInterval > 0 && options.cachePollInterval !== Infinity)
      this.#poll = setInterval(() => void this.#cleanQuietly(), options.cachePollInterval).unref()
  }

  /** Opens the cache of a remote. Throws `busy` when another process has it, and what the disk throws. */
  static async open(parts: FileCacheParts): Promise<FileCache> {
    const lock = await lockCache(parts.layout.locks)
    try {
      const files = new CacheFiles(parts.layout)
      await files.prepare()
      await files.recover()
      return new FileCache(parts, files, lock)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** The item of a path. */
  find(path: string): Item | undefined {
    return this.#items.get(path)
  }

  /** The item of a path that waits to be uploaded: what there is under this name. */
  waiting(path: string): Item | undefined {
    const item = this.#items.get(path)
    return item?.dirty ? item : undefined
  }

  /** Paths of all that waits to be uploaded. */
  get waitingPaths(): readonly string[] {
    return this.#writeBack.paths
  }

  /** The entry of an item, to be opened as it is. */
  entryOf(item: Item): FileEntry {
    const { source } = item
    const entry = source && !item.dirty ? source : item.entry
    this.#known.set(entry, item)
    return entry
  }

  /** Is told of each path where something else is to be seen from now on. Gives the way to stop. */
  watch(changed: (path: string) => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  /**
   * The bytes of a range within a file, through the cache. Undefined = the cache has nothing to do with it: when it is not
   * in the cache and does not come into it by reading, or the disk does not take it.
   */
  async read(ctx: Context, file: FileEntry, range: Range): Promise<Body | undefined> {
    const item = await this.#itemOf(ctx, file)
    if (!item) return undefined
    if (range.end <= range.start) return bodyOf()
    try {
      await item.acquire()
    } catch (error) {
      if (item.dirty) throw error
      // It was dropped before it was opened, to make room: it comes anew.
      if (item.isGone) return await this.read(ctx, file, range)
      ctx.log.debug(`vfs cache: read past it: ${messageOf(error)}`, { object: file.path })
      await this.#items.drop(item)
      return undefined
    }
    if (!item.isGone) this.#items.put(item)
    return await item.open(ctx, range)
  }

  /** Begins a file that is going to be uploaded. `close` the writer, whatever happens. */
  async create(ctx: Context, path: string, info: PutInfo): Promise<WriterAt> {
    const { place, file } = await this.#files.begin()
    const named = async (size: number) => await this.#commit(ctx, path, { place, size, info })
    return new CacheWriter({ file, place, space: this.#space, info, named })
  }

  /** Forgets a file, also when it waits to be uploaded. */
  async remove(path: string): Promise<void> {
    await this.#writeBack.drop(path)
    const item = this.#items.get(path)
    if (!item) return
    await this.#items.drop(item)
    this.#tell(path)
  }

  /**
   * Runs `work` while nothing that waits at a path is uploaded, which is over when it begins. What still waits then goes on
   * when `work` fails.
   */
  async withoutUpload<T>(path: string, work: () => Promise<T>): Promise<T> {
    await this.ready
    await this.#writeBack.drop(path)
    try {
      return await work()
    } catch (error) {
      const waiting = this.waiting(path)
      if (waiting) await this.#writeBack.add(waiting)
      throw error
    }
  }

  /** Gives a file that waits to be uploaded, and is not being uploaded now, another name. */
  async rename(ctx: Context, item: Item, to: string): Promise<FileEntry> {
    if (!item.isWhole)
      throw new AppError('busy', `${item.path} can be renamed once it is uploaded: it is not whole here`)
    const place = await this.#files.locked(item.path, async () => await this.#files.link(item.path))
    this.#space.hold(item.size)
    const info = { modTime: item.modTime, ...(item.contentType === undefined ? {} : { contentType: item.contentType }) }
    const entry = await this.#commit(ctx, to, { place, size: item.size, info })
    await this.#items.drop(item)
    return entry
  }

  /** What waits to be uploaded, for `vfs/queue`. */
  get queue(): readonly QueueEntry[] {
    return this.#writeBack.queue
  }

  /** See `vfs/queue-set-expiry`. Throws `invalid` for an id that does not wait. */
  setExpiry(id: number, seconds: number, relative: boolean): void {
    this.#writeBack.setExpiry(id, seconds, relative)
  }

  /** What `vfs/stats` tells of it. */
  get stats() {
    const { layout, remote } = this.#parts
    const { size, running } = this.#writeBack
    return {
      bytesUsed: this.#space.used,
      erroredFiles: this.#writeBack.failed,
      files: this.#items.size,
      hashType: hashNumber(fingerprintHash(remote)),
      outOfSpace: this.#space.outOfSpace,
      path: layout.data,
      pathMeta: layout.meta,
      uploadsInProgress: running,
      uploadsQueued: size - running,
    }
  }

  /** Drops what is too old or too much, and writes down what has changed. */
  async clean(): Promise<void> {
    const { ctx, options } = this.#parts
    const before = this.#items.size
    const oldest = performance.now() - options.cacheMaxAge
    for (const item of this.#items.all)
      if (item.usedAt < oldest && item.isIdle) await this.#items.drop(item)
      else await item.save().catch((error: unknown) => ctx.log.error(messageOf(error), { object: item.path }))
    await this.#space.keepLimits()
    const inUse = [...this.#items.all].filter((item) => item.inUse).length
    const { size, running } = this.#writeBack
    ctx.log.info(
      `vfs cache: cleaned: objects ${this.#items.size} (was ${before}) in use ${inUse}, to upload ${size - running}, uploading ${running}, total size ${this.#space.used}`,
    )
  }

  async #cleanQuietly(): Promise<void> {
    await this.clean().catch((error: unknown) => this.#parts.ctx.log.error(`vfs cache: ${messageOf(error)}`))
  }

  /** Ends it; what waits to be uploaded waits for the next start. */
  async close(): Promise<void> {
    await this.#close()
  }

  async #load(): Promise<void> {
    const { ctx } = this.#parts
    for (const { path, metadata } of await loadItems(ctx, this.#files)) {
      const item = new Item(this.#itemParts, path, metadata)
      this.#items.put(item)
      this.#space.hold(item.present.size)
      if (item.dirty) await this.#writeBack.add(item)
    }
    if (this.#writeBack.size > 0)
      ctx.log.notice(`vfs cache: ${this.#writeBack.size} files of an earlier run wait to be uploaded`)
    await this.clean()
  }

  /** The item to read a file from; a copy of another version is dropped. */
  async #itemOf(ctx: Context, file: FileEntry): Promise<Item | undefined> {
    const known = this.#known.get(file)
    if (known && !known.isGone) return known
    await this.ready
    const item = this.#items.get(file.path)
    const full = this.#parts.options.cacheMode === 'full'
    if ((!item && !full) || file.size < 0) return undefined
    // What was seen before is still there until the new version is uploaded.
    if (item?.dirty) return isSame(item, file) ? item : undefined
    const fingerprint = await orAbort(ctx.signal, this.#fingerprint(file))
    const fresh = item && !item.isGone && isSameVersion(item.fingerprint, fingerprint)
    const found = fresh ? item : await this.#replaced(file, fingerprint, full)
    if (!found || found.dirty) return undefined
    found.source = file
    this.#known.set(file, found)
    return found
  }

  /** A new item for a version of a file, in place of one that is stale; with `full` false there is none afterwards. */
  async #replaced(file: FileEntry, fingerprint: string, full: boolean): Promise<Item | undefined> {
    const { path, size, modTime } = file
    return await this.#files.locked(path, async () => {
      const old = this.#items.get(path)
      if (old && (old.dirty || isSameVersion(old.fingerprint, fingerprint))) return old
      if (old) {
        this.#parts.ctx.log.info(
          `vfs cache: removing cached entry as stale (remote fingerprint ${JSON.stringify(fingerprint)} != cached fingerprint ${JSON.stringify(old.fingerprint)})`,
          { object: path },
        )
        this.#items.remove(old)
        await this.#files.remove(path)
        // To be closed it needs this turn.
        void old.free()
      }
      const now = fromMs(Date.now())
      return full ? this.#add(path, { modTime, aTime: now, size, present: [], fingerprint, dirty: false }) : undefined
    })
  }

  #add(path: string, metadata: Metadata): Item {
    const item = new Item(this.#itemParts, path, metadata)
    this.#items.put(item)
    return item
  }

  #fingerprint(file: FileEntry): Promise<string> {
    const { ctx, remote, options } = this.#parts
    const key = JSON.stringify([file.path, file.version, file.size, String(file.modTime), file.hashes])
    let made = this.#fingerprints.get(key)
    if (!made) {
      made = fingerprintOf(ctx, remote, file, options.fastFingerprint)
      made.catch(() => this.#fingerprints.delete(key))
      this.#fingerprints.set(key, made)
    }
    return made
  }

  async #commit(
    ctx: Context,
    path: string,
    { place, size, info }: { readonly place: string; readonly size: number; readonly info: PutInfo },
  ): Promise<FileEntry> {
    await this.ready
    const now = fromMs(Date.now())
    const { modTime = now, contentType, durable } = info
    const present = size > 0 ? [{ start: 0, end: size }] : []
    const metadata = { modTime, aTime: now, size, present, fingerprint: '', dirty: true, contentType }
    const item = await this.#files.locked(path, async () => {
      const old = this.#items.get(path)
      if (info.ifAbsent && (old?.dirty || (await this.#parts.remote.stat(ctx, path))))
        throw new AppError('exists', `${path} exists`)
      await this.#files.place(place, path, metadata, durable)
      return this.#add(path, metadata)
    })
    await this.#writeBack.add(item)
    this.#tell(path)
    if (this.#parts.options.writeBack <= 0) await this.#writeBack.tried(path)
    return this.entryOf(item)
  }

  async #upload(item: Item, signal: AbortSignal): Promise<void> {
    const { ctx, remote, options } = this.#parts
    await uploadItem(ctx.with({ signal }), remote, item, options)
    this.#tell(item.path)
  }

  #tell(path: string): void {
    for (const changed of this.#watchers) changed(path)
  }
}

/** The version that an entry is of is the one that waits to be uploaded. */
function isSame(item: Item, file: FileEntry): boolean {
  return item.size === file.size && item.modTime === file.modTime
}
