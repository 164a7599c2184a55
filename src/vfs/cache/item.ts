import type { FileHandle } from 'node:fs/promises'
import { type Body, type ByteSource, FileSlice } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import type { Range } from '../../base/range.ts'
import { Runs } from '../../base/runs.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Disk } from '../../backends/local/disk.ts'
import type { Context } from '../../core/context.ts'
import type { FileEntry } from '../../remote/remote.ts'
import type { ChunkPolicy } from '../chunks.ts'
import { Downloads } from './downloads.ts'
import type { CacheFiles } from './files.ts'
import type { Metadata } from './metadata.ts'
import { CacheReader } from './reader.ts'
import type { Space } from './space.ts'

/** What the items of a cache share. */
export interface ItemParts {
  /** Of the cache: what several readers wait for does not end with one of them. */
  readonly ctx: Context
  readonly files: CacheFiles
  readonly space: Space
  readonly policy: ChunkPolicy
  /** `--buffer-size`, bytes. */
  readonly window: number
  /** Bytes that downloads go ahead of their readers. */
  readonly ahead: number
  /** How long the data of a file stays open when nobody reads it any more, ms. */
  readonly idleMs: number
  /** Where the cache is. */
  readonly disk: Disk
  /** The bytes of a file at its storage. */
  fetch(ctx: Context, file: FileEntry, range: Range): Promise<Body>
  /** The file at its storage that an item is of, when that was not seen yet. */
  source(ctx: Context, item: Item): Promise<FileEntry>
}

/** One version of one file in the cache: its data as far as it is there, and what is known of it. */
export class Item {
  readonly path: string
  readonly size: number
  readonly contentType: string | undefined
  readonly present = new Runs()
  modTime: Nanoseconds
  fingerprint: string
  /** It waits to be uploaded: the data here is all there is. */
  dirty: boolean
  /** The file at the storage that it is a copy of, when that was seen. */
  source: FileEntry | undefined
  /** When it was last used: the time of day for the metadata, and `performance.now()`, which no change of the clock moves. */
  aTime: Nanoseconds
  usedAt: number
  readonly #parts: ItemParts
  #downloads: Downloads | undefined
  #file: Promise<FileHandle> | undefined
  /** What `#file` has come to; it is closed, and used beside reading, in the turn of its path alone. */
  #handle: FileHandle | undefined
  #readers = 0
  #idle: NodeJS.Timeout | undefined
  #entry: FileEntry | undefined
  #changed = false
  #gone = false
  /** When it is gone: its data is closed, unless somebody reads it. */
  #leaving: Promise<void> | undefined

  constructor(parts: ItemParts, path: string, metadata: Metadata) {
    this.#parts = parts
    this.path = path
    this.size = metadata.size
    this.contentType = metadata.contentType
    this.modTime = metadata.modTime
    this.aTime = metadata.aTime
    this.fingerprint = metadata.fingerprint
    this.dirty = metadata.dirty
    for (const range of metadata.present) this.present.add({ ...range, end: Math.min(range.end, this.size) })
    // The clock may have been changed since: what seems to be from the future is from now.
    const age = Math.max(0, Date.now() - Number(this.aTime / 1_000_000n))
    this.usedAt = performance.now() - age
  }

  /** All of the file is there. */
  get isWhole(): boolean {
    return this.present.has({ start: 0, end: this.size })
  }

  /** Somebody reads it. */
  get inUse(): boolean {
    return this.#readers > 0
  }

  /** It may be dropped: nobody reads it, and its storage has it. */
  get isIdle(): boolean {
    return !this.inUse && !this.dirty
  }

  /** It is not part of the cache any more; those who read it still can, as far as it was there. */
  get isGone(): boolean {
    return this.#gone
  }

  get metadata(): Metadata {
    const { modTime, aTime, size, fingerprint, dirty, contentType } = this
    return { modTime, aTime, size, present: this.present.ranges, fingerprint, dirty, contentType }
  }

  /** The file as the storage has it, or will have. */
  get entry(): FileEntry {
    const { path, size, modTime, contentType } = this
    if (this.#entry?.modTime === modTime) return this.#entry
    return (this.#entry = { kind: 'file', path, size, modTime, ...(contentType === undefined ? {} : { contentType }) })
  }

  /**
   * Opens its data for a reader, who releases it. Throws what the disk throws, and `not-found` when it is gone: look again.
   */
  async acquire(): Promise<void> {
    this.#readers++
    clearTimeout(this.#idle)
    const opening = (this.#file ??= this.#open())
    try {
      await opening
    } catch (error) {
      if (this.#file === opening) this.#file = undefined
      this.#readers--
      throw error
    }
  }

  async #open(): Promise<FileHandle> {
    return await this.#parts.files.locked(this.path, async () => {
      if (this.#gone)
        throw new AppError('not-found', 'this version of the file is not in the cache any more', { retry: 'now' })
      return (this.#handle = await this.#parts.files.open(this.path, this.size))
    })
  }

  /**
   * The bytes of a range within the file, of an item that was acquired and is released with the last of them. It begins when
   * the first one is there: a file that is gone at its storage is an error now, not a cut transfer. Throws what fetching
   * throws.
   */
  async open(ctx: Context, range: Range): Promise<FileSlice> {
    try {
      this.aTime = fromMs(Date.now())
      this.usedAt = performance.now()
      this.#changed = true
      if (range.start < range.end) await this.need(range.start, ctx.signal)
      const source: ByteSource = new CacheReader(ctx, this, range)
      return new FileSlice(source, range)
    } catch (error) {
      this.release()
      throw error
    }
  }

  get #fd(): number {
    return this.#handle?.fd ?? -1
  }

  /** Reads bytes that are there; for readers. */
  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#parts.disk.read(this.#fd, into, position)
    } catch (error) {
      throw toAppError(error)
    }
  }

  /** Has the system send bytes that are there: see `ByteSource.sendTo`. */
  sendTo(socket: number, position: number, count: number): number | undefined {
    return this.#parts.disk.sendTo(socket, this.#fd, position, count)
  }

  /** Waits for the byte at `at`; false when the cache has no room for it. For readers. */
  async need(at: number, signal: AbortSignal): Promise<boolean> {
    const run = this.present.from(at)
    if (run && run.start <= at) {
      if (this.#downloads?.active) this.#downloads.touch(at)
      return true
    }
    this.#downloads ??= this.#newDownloads()
    return await this.#downloads.need(at, signal)
  }

  /** Bytes of the file from its storage. */
  async fetch(ctx: Context, range: Range): Promise<Body> {
    // Its storage may have another version by now.
    if (this.#gone) throw new AppError('io', 'the file was changed while it was read')
    this.source ??= await this.#parts.source(ctx, this)
    return await this.#parts.fetch(ctx, this.source, range)
  }

  /** A reader has ended. */
  release(): void {
    this.usedAt = performance.now()
    if (--this.#readers > 0) return
    if (this.#gone) return void this.#close().catch(() => {})
    this.#idle = setTimeout(() => void this.settle(), this.#parts.idleMs).unref()
  }

  /** Writes down what has changed; the data first, so that the metadata never promises what a power cut took. */
  async save(): Promise<void> {
    if (!this.#changed || this.#gone) return
    this.#changed = false
    try {
      await this.#file
      await this.#parts.files.locked(this.path, async () => await this.#writeDown())
    } catch (error) {
      this.#changed = true
      throw error
    }
  }

  async #writeDown(): Promise<void> {
    if (this.#gone) return
    if (this.#downloads) await this.#handle?.datasync()
    await this.#handle?.utimes(Number(this.aTime) / 1e9, Number(this.modTime) / 1e9)
    await this.#parts.files.save(this.path, this.metadata)
  }

  /** Closes what nobody reads, and writes down what it was used for. Errors are logged: the next start knows less. */
  async settle(): Promise<void> {
    clearTimeout(this.#idle)
    if (this.inUse) return
    const complain = (error: unknown) => this.#complain(error)
    await this.#downloads?.stop()
    await this.save().catch(complain)
    // Also when a full disk took nothing more: Node ends the program for a file that it finds open and forgotten.
    if (!this.inUse) await this.#close().catch(complain)
  }

  #complain(error: unknown): void {
    this.#parts.ctx.log.error(`vfs cache: ${toAppError(error).message}`, { object: this.path })
  }

  /**
   * Marks it as stored: from now on it is a copy that may be dropped. A disk that does not take that is logged: if it never
   * does, the next start stores the file once more.
   */
  async stored(file: FileEntry, fingerprint: string): Promise<void> {
    this.dirty = false
    this.source = file
    this.modTime = file.modTime
    this.fingerprint = fingerprint
    this.#changed = true
    await this.save().catch((error: unknown) => this.#complain(error))
  }

  /**
   * Takes it out of the cache without touching the disk: another version has its place, or its files are removed by the
   * caller. It waits for nothing: what is fetched for it may itself wait for the room that this makes.
   */
  detach(): void {
    if (this.#gone) return
    this.#gone = true
    clearTimeout(this.#idle)
    this.#leaving = this.#letGo()
  }

  /**
   * Gives back its room, once: after its files are gone and closed, so that nobody fills the room while they are still there.
   * It does not wait for a download that may itself wait for room.
   */
  async free(): Promise<void> {
    if (!this.#downloads?.active) await this.#leaving
    this.#parts.space.give(this.present.size)
  }

  async #letGo(): Promise<void> {
    await this.#downloads?.stop()
    if (!this.inUse) await this.#close().catch(() => {})
  }

  async #close(): Promise<void> {
    await this.#file
    await this.#parts.files.locked(this.path, async () => {
      if (this.inUse) return
      const handle = this.#handle
      this.#file = this.#handle = undefined
      await handle?.close()
    })
  }

  #newDownloads(): Downloads {
    const { ctx, policy, window, ahead } = this.#parts
    return new Downloads({
      signal: ctx.signal,
      size: this.size,
      present: this.present,
      policy,
      window,
      ahead,
      open: (range, signal) => this.fetch(ctx.with({ signal }), range),
      keep: (at, chunk) => this.#keep(at, chunk),
    })
  }

  async #keep(at: number, chunk: Uint8Array): Promise<boolean> {
    const { space } = this.#parts
    const file = await this.#file
    if (!file || this.#gone || !(await space.take(chunk.length))) return false
    const kept = !this.#gone && (await space.write(() => writeAll(file, at, chunk)))
    // It may have been taken out in the meantime, with all that it had until then.
    if (!kept || this.#gone) {
      space.give(chunk.length)
      return false
    }
    this.present.add({ start: at, end: at + chunk.length })
    this.#changed = true
    return true
  }
}

/** Writes all of a chunk at its place. */
export async function writeAll(file: FileHandle, at: number, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, at + done)
    done += bytesWritten
  }
}
