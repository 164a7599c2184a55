import { throwIfAborted } from '../../base/abort.ts'
import type { Body } from '../../base/body.ts'
import { AppError, isOutage, toAppError } from '../../base/error.ts'
import { asCanonical, isInside, nameOf, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Context } from '../../core/context.ts'
import { extend } from '../../layers/extend.ts'
import { hashBody } from '../../remote/hash.ts'
import { incoming } from '../../remote/incoming.ts'
import type { Entry, FileEntry, PutInfo, Remote, WriterAt } from '../../remote/remote.ts'
import { openFile, type ReadSettings } from '../read.ts'
import type { FileCache } from './cache.ts'
import { waitingEntry, waitingIn } from './waiting.ts'

export interface CachedSettings extends ReadSettings {
  /** Files that are stored wait in the cache to be uploaded; otherwise they go to the storage at once. */
  readonly writes: boolean
}

/** Ways of a storage to do something with many files at once, or by themselves, which would miss those that wait. */
const without = ['copy', 'moveDirectory', 'purge', 'listRecursive', 'peek', 'setModTime'] as const

/**
 * A remote seen through its cache: what waits to be uploaded is there already, and what is read may come from the disk
 * (serve-http.md 2.3).
 */
export function cachedRemote(inner: Remote, cache: FileCache, settings: CachedSettings): Remote {
  const through = new Through(inner, cache, settings)
  const keeps = settings.writes ? ({ keepsUploads: true } as const) : {}
  const remote = extend(inner, {
    info: { ...inner.info, traits: { ...inner.info.traits, readsAhead: true, ...keeps } },
    list: (ctx, dir) => through.list(ctx, dir),
    stat: (ctx, path) => through.stat(ctx, path),
    open: (ctx, file, range) => through.open(ctx, file, range),
    put: (ctx, path, body, info) => through.put(ctx, path, body, info),
    remove: (ctx, file) => through.remove(ctx, file),
    rmdir: (ctx, dir) => through.rmdir(ctx, dir),
    move: (ctx, file, to) => through.move(ctx, file, to),
    hash: (ctx, file, kind) => through.hash(ctx, file, kind),
    mkdir: (ctx, dir) => through.mkdir(ctx, dir),
    watch: (dir, changed) => through.watch(dir, changed),
  })
  for (const name of without) delete remote[name]
  if (settings.writes) remote.openWriter = (ctx, path, info) => through.openWriter(ctx, path, info)
  return remote
}

class Through {
  readonly #inner: Remote
  readonly #cache: FileCache
  readonly #settings: CachedSettings

  constructor(inner: Remote, cache: FileCache, settings: CachedSettings) {
    this.#inner = inner
    this.#cache = cache
    this.#settings = settings
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    await this.#cache.ready
    throwIfAborted(ctx.signal)
    const waiting = waitingIn(this.#cache, dir)
    try {
      for await (const entry of this.#inner.list(ctx, dir)) {
        const own = waiting.get(nameOf(entry.path))
        if (own?.kind === 'directory') waiting.delete(nameOf(entry.path))
        if (own?.kind !== 'file') yield entry
      }
    } catch (error) {
      // Its first files are yet to be uploaded.
      if (waiting.size === 0 || toAppError(error).code !== 'not-found') throw error
    }
    yield* waiting.values()
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    await this.#cache.ready
    const waiting = this.#cache.waiting(path)
    if (waiting) return this.#cache.entryOf(waiting)
    try {
      return (await this.#inner.stat(ctx, path)) ?? waitingEntry(this.#cache, path)
    } catch (error) {
      // A storage that does not answer has not lost the file.
      const item = isOutage(error) ? this.#cache.find(path) : undefined
      if (!item) throw error
      ctx.log.warn(`vfs cache: the storage does not answer, its copy is served: ${toAppError(error).message}`, {
        object: path,
      })
      return this.#cache.entryOf(item)
    }
  }

  async open(ctx: Context, file: FileEntry, range: Range | undefined): Promise<Body> {
    const wanted = { start: range?.start ?? 0, end: Math.min(range?.end ?? Infinity, file.size) }
    const body = await this.#cache.read(ctx, file, wanted)
    return body ?? (await openFile(ctx, this.#inner, file, range, this.#settings))
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    if (!this.#settings.writes) return await this.#replace(path, () => this.#inner.put(ctx, path, body, info))
    const writer = await this.openWriter(ctx, path, info)
    try {
      let at = 0
      for await (const chunk of incoming(body, info, ctx.signal)) {
        await writer.write(at, chunk)
        at += chunk.length
      }
      return await writer.commit()
    } finally {
      await writer.close()
    }
  }

  async openWriter(ctx: Context, path: string, info: PutInfo): Promise<WriterAt> {
    if (path === '') throw new AppError('is-directory', 'the root is no file')
    await this.#refuseBelowFile(ctx, asCanonical(path))
    return await this.#cache.create(ctx, path, info)
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await this.#replace(file.path, async () => {
      const stored = this.#cache.waiting(file.path) ? await this.#inner.stat(ctx, file.path) : file
      if (stored?.kind === 'file') await this.#inner.remove(ctx, stored)
    })
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    await this.#cache.ready
    for (let at = dir; at !== ''; at = parentOf(at))
      if (this.#cache.waiting(at)) throw new AppError('not-directory', `${at} is a file`)
    await this.#inner.mkdir(ctx, dir)
  }

  /** Also of what comes and goes in the cache. */
  watch(dir: string, changed: () => void): (() => void) | undefined {
    const inner = this.#inner.watch?.(dir, () => tell())
    if (!inner) return undefined
    const own = this.#cache.watch((path) => parentOf(path) === dir && tell())
    const stop = () => {
      inner()
      own()
    }
    const tell = () => {
      stop()
      changed()
    }
    return stop
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    await this.#cache.ready
    if (this.#cache.waitingPaths.some((path) => path !== dir && isInside(path, dir)))
      throw new AppError('not-empty', `files in ${dir} wait to be uploaded`)
    await this.#inner.rmdir(ctx, dir)
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    return await this.#cache.withoutUpload(file.path, async () => {
      const waits = this.#cache.waiting(file.path)
      if (!waits) return await this.#moveStored(ctx, file, to)
      const entry = await this.#cache.rename(ctx, waits, to)
      const stored = await this.#inner.stat(ctx, file.path)
      if (stored?.kind === 'file') await this.#inner.remove(ctx, stored)
      return entry
    })
  }

  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    const waits = this.#cache.waiting(file.path)
    if (waits) return await hashBody(await this.open(ctx, this.#cache.entryOf(waits), undefined), kind)
    return (await this.#inner.hash?.(ctx, file, kind)) ?? ''
  }

  async #moveStored(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const moved = await this.#replace(to, async () => await this.#inner.move?.(ctx, file, to))
    if (!moved) throw new AppError('unsupported', `${this.#inner.info.description} cannot move files`)
    await this.#cache.remove(file.path)
    return moved
  }

  /**
   * Throws when there is a folder of that name, or a file where its folder would be: the upload could never succeed. A storage
   * that cannot be asked now keeps nobody from writing into the cache.
   */
  async #refuseBelowFile(ctx: Context, path: string): Promise<void> {
    if (this.#inner.info.traits.bucketBased) return
    try {
      let entry = await this.stat(ctx, path)
      if (entry?.kind === 'directory') throw new AppError('is-directory', `${path} is a folder`)
      for (let dir = parentOf(path); !entry && dir !== ''; dir = parentOf(dir)) {
        entry = await this.stat(ctx, dir)
        if (entry?.kind === 'file') throw new AppError('not-directory', `${dir} is a file`)
      }
    } catch (error) {
      if (!isOutage(error)) throw error
    }
  }

  /** What is done at the storage itself takes the place of what the cache has, also of what waits. */
  async #replace<T>(path: string, work: () => Promise<T>): Promise<T> {
    return await this.#cache.withoutUpload(path, async () => {
      const done = await work()
      await this.#cache.remove(path)
      return done
    })
  }
}
