import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { AppError } from '../base/error.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import { isPlaylist } from '../base/mime.ts'
import { isInside, parentOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import type { Spool } from '../spool/spool.ts'
import { type Coming, type Destination, type Storing, storing } from './storing.ts'

/** Is told what becomes of the files of a tree, at once and in order: its methods must not wait for anything of the tree. */
export interface WriteWatcher {
  /** A file can be followed now. */
  begun?(handle: WriteHandle): void
  /** A file has got its name; its bytes can still be read from its spool. */
  stored?(handle: WriteHandle, entry: FileEntry): Promise<void> | void
  /** A file came to nothing. */
  failed?(path: string): void
  /** There is no file at a path any more. */
  removed?(path: string): void
}

export interface WritesParts {
  readonly remote: Remote
  /** Directory for temporary files. */
  readonly tempDir: string
  /** Called when something at a path has changed. */
  changed(path: string): void
  readonly watchers?: readonly WriteWatcher[]
}

/** Of a manifest up to this size (bytes) it is known whether the next version is the same. */
const COMPARED = 1024 * 1024

/** The turn of a file, or of a removal, among those of its name. */
export interface Arrival {
  readonly number: number
  /** Resolves when all of its name that arrived earlier have ended, one way or the other. */
  first(): Promise<unknown>
  end(): void
}

/** What has arrived of one name and not ended yet. */
interface Arrivals {
  readonly pending: Set<Promise<void>>
  /** The number of the newest that got the name meanwhile: one that arrived before it comes too late, also to begin. */
  newest: number
}

/** A file that is being written. Readers follow its spool; it gets its name by `commit` alone. */
export interface WriteHandle {
  readonly path: string
  readonly contentType: string | undefined
  readonly spool: Spool
  /** Resolves when it has its name, or never gets one. */
  readonly over: Promise<void>
  write(chunk: Uint8Array): Promise<void>
  /**
   * Gives the file its name once all of it is stored. `check` is called before, when nobody else can give that name to another
   * file meanwhile. Undefined when a file that came later has the name already.
   */
  commit(check: () => Promise<void>): Promise<FileEntry | undefined>
  /** Gives up: what had the name before stays. Readers get an error. */
  abort(reason: unknown): Promise<void>
}

/** The files of one tree that are being written, each to be read meanwhile. */
export class Writes {
  readonly #parts: WritesParts
  readonly #names = new KeyedLock()
  /** The newest file under way for each path. */
  readonly #growing = new Map<string, Writing>()
  readonly #arrivals = new Map<string, Arrivals>()
  /** The newest version of manifests, and a hash of it. */
  readonly #manifests = new LRUCache<string, { readonly entry: FileEntry; readonly digest: string }>({ max: 1000 })
  #last = 0
  /** Folders are being removed: a file that comes into one of them waits for that. */
  #pruning: Promise<void> | undefined

  constructor(parts: WritesParts) {
    this.#parts = parts
  }

  /**
   * Notes that a file is going to be written or removed, before anything is waited for: of two files with one name the one that
   * arrived later stays. Call `end` when nothing more comes of it.
   */
  arrive(path: string): Arrival {
    const { promise, resolve } = Promise.withResolvers<void>()
    const arrivals = this.#arrivals.get(path) ?? { pending: new Set(), newest: 0 }
    const earlier = Array.from(arrivals.pending)
    arrivals.pending.add(promise)
    this.#arrivals.set(path, arrivals)
    const number = ++this.#last
    return {
      number,
      first: () => Promise.all(earlier),
      end: () => {
        arrivals.pending.delete(promise)
        if (arrivals.pending.size === 0 && this.#arrivals.get(path) === arrivals) this.#arrivals.delete(path)
        resolve()
      },
    }
  }

  /** Begins a file that has arrived; it is stored as it comes. `info.size` is the size that was announced. */
  async open(ctx: Context, path: string, info: Coming, { number }: Arrival): Promise<WriteHandle> {
    await this.#pruning
    const to = { ...this.#parts, path, info }
    const writing: Writing = new Writing(
      ctx,
      to,
      await storing(ctx, to),
      async (check, finish) =>
        await this.#names.run(path, async () => await this.#finish(writing, number, check, finish)),
    )
    this.#growing.set(path, writing)
    void writing.over.then(() => {
      if (this.#growing.get(path) === writing) this.#growing.delete(path)
      if (writing.spool.state === 'failed') this.#tell((watcher) => watcher.failed?.(path))
    })
    this.#tell((watcher) => watcher.begun?.(writing))
    return writing
  }

  /** The newest file that is being written at a path. */
  growing(path: string): WriteHandle | undefined {
    if (this.#growing.size === 0) return undefined
    const writing = this.#growing.get(path)
    return writing?.spool.state === 'failed' ? undefined : writing
  }

  /** Bytes of all files under way. */
  get growingBytes(): number {
    let bytes = 0
    for (const { spool } of this.#growing.values()) bytes += spool.end
    return bytes
  }

  /** The file at a path was removed. */
  forget(path: string): void {
    this.#parts.changed(path)
    this.#manifests.delete(path)
    this.#tell((watcher) => watcher.removed?.(path))
  }

  /** Removes the folders above a path that are empty and into which nothing is on its way; the root stays. */
  async prune(ctx: Context, path: string): Promise<void> {
    const { remote } = this.#parts
    if (!remote.info.traits.emptyDirectories) return
    for (let dir = parentOf(path); dir !== ''; dir = parentOf(dir)) {
      for (const coming of this.#arrivals.keys()) if (isInside(coming, dir)) return
      let removed = false
      const before = this.#pruning
      this.#pruning = Promise.all([before, remote.rmdir(ctx, dir).then(() => (removed = true))]).then(
        () => {},
        () => {},
      )
      await this.#pruning
      if (!removed) return
      this.#parts.changed(dir)
    }
  }

  /** Runs `work` when nobody else gives a name to, or takes it from, the file at a path. */
  async exclusive<T>(path: string, work: () => Promise<T>): Promise<T> {
    return await this.#names.run(path, work)
  }

  #tell(say: (watcher: WriteWatcher) => void): void {
    for (const watcher of this.#parts.watchers ?? []) say(watcher)
  }

  /** Under the lock of the name: files get it in the order in which they were asked for. */
  async #finish(
    writing: Writing,
    number: number,
    check: () => Promise<void>,
    finish: () => Promise<FileEntry>,
  ): Promise<FileEntry | undefined> {
    const { path } = writing
    await check()
    const arrivals = this.#arrivals.get(path)
    if (arrivals && arrivals.newest > number) return undefined
    const digest = isPlaylist(path) ? await digestOf(writing.spool) : undefined
    const same = digest === undefined ? undefined : await this.#same(writing, digest)
    if (arrivals) arrivals.newest = number
    if (same) return same
    const entry = await finish()
    if (digest !== undefined) this.#manifests.set(path, { entry, digest })
    this.#parts.changed(path)
    for (const watcher of this.#parts.watchers ?? []) await watcher.stored?.(writing, entry)
    return entry
  }

  /** The file that is there when what was written says nothing new: it stays, so that nobody reads it again. */
  async #same(writing: Writing, digest: string): Promise<FileEntry | undefined> {
    const known = this.#manifests.get(writing.path)
    if (known?.digest !== digest) return undefined
    const now = await this.#parts.remote.stat(writing.ctx, writing.path)
    const { entry } = known
    if (now?.kind !== 'file' || now.version !== entry.version || now.size !== entry.size) return undefined
    if (now.modTime !== entry.modTime) return undefined
    writing.drop()
    return now
  }
}

/** A hash of what was written; undefined for more than is compared. */
async function digestOf(spool: Spool): Promise<string | undefined> {
  if (spool.end > COMPARED) return undefined
  const all = createHash('sha256')
  for await (const chunk of spool.follow({ start: 0, end: spool.end })) all.update(chunk)
  return all.digest('base64')
}

type Finish = (check: () => Promise<void>, finish: () => Promise<FileEntry>) => Promise<FileEntry | undefined>

class Writing implements WriteHandle {
  readonly path: string
  readonly contentType: string | undefined
  readonly over: Promise<void>
  readonly ctx: Context
  readonly #storing: Storing
  readonly #finish: Finish
  #ended!: () => void

  constructor(ctx: Context, { path, info }: Destination, storing: Storing, finish: Finish) {
    this.ctx = ctx
    this.path = path
    this.contentType = info.contentType
    this.#storing = storing
    this.#finish = finish
    this.over = new Promise((resolve) => (this.#ended = resolve))
  }

  get spool(): Spool {
    return this.#storing.spool
  }

  /** Ends it well for its readers, and stores nothing. */
  drop(): void {
    this.spool.complete()
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#refuseFailed()
    await this.spool.write(chunk)
  }

  #refuseFailed(): void {
    const failure = this.#storing.failure()
    if (failure) throw failure
  }

  async commit(check: () => Promise<void>): Promise<FileEntry | undefined> {
    try {
      const entry = await this.#finish(check, async () => {
        this.#refuseFailed()
        return await this.#storing.finish()
      })
      if (!entry) this.spool.fail(new AppError('aborted', 'a newer file has taken the place of this one'))
      return entry
    } finally {
      await this.#end()
    }
  }

  async abort(reason: unknown): Promise<void> {
    this.spool.fail(reason)
    await this.#end()
  }

  async #end(): Promise<void> {
    if (this.spool.state === 'growing') this.spool.fail(new AppError('aborted', 'the upload was refused'))
    await this.#storing.end()
    this.#ended()
    // Readers may still be behind: the store goes with the last of them.
    this.spool.close().catch(() => {})
  }
}
