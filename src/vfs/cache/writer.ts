import type { FileHandle } from 'node:fs/promises'
import { rm } from 'node:fs/promises'
import { AppError, rethrow } from '../../base/error.ts'
import { Runs } from '../../base/runs.ts'
import type { FileEntry, PutInfo, WriterAt } from '../../remote/remote.ts'
import { writeAll } from './item.ts'
import type { Space } from './space.ts'

export interface CacheWriterParts {
  /** The file that is written, and where it is while it has no name. */
  readonly file: FileHandle
  readonly place: string
  readonly space: Space
  readonly info: PutInfo
  /** Gives the bytes at `place`, so many, their name in the cache. */
  readonly named: (size: number) => Promise<FileEntry>
}

/** A file on its way into the cache. It counts, and waits to be uploaded, once it is committed. */
export class CacheWriter implements WriterAt {
  readonly #parts: CacheWriterParts
  readonly #written = new Runs()
  #named = false
  #closed = false

  constructor(parts: CacheWriterParts) {
    this.#parts = parts
  }

  async write(at: number, chunk: Uint8Array): Promise<void> {
    const { file, space } = this.#parts
    const before = this.#written.size
    // What is old makes room for it; what waits to be uploaded may go beyond the limits, for it is all there is.
    if (!(await space.take(chunk.length))) space.hold(chunk.length)
    const kept = await space.write(() => writeAll(file, at, chunk)).catch(rethrow)
    if (kept) this.#written.add({ start: at, end: at + chunk.length })
    space.give(chunk.length - (this.#written.size - before))
    if (!kept) throw new AppError('no-space', 'the disk of the file cache is full: see --cache-dir')
  }

  async read(at: number, max: number): Promise<Uint8Array> {
    const { bytesRead, buffer } = await this.#parts.file.read(Buffer.allocUnsafe(max), 0, max, at).catch(rethrow)
    if (bytesRead === 0) throw new AppError('io', `byte ${at} of a file in the cache is gone`)
    return buffer.subarray(0, bytesRead)
  }

  async commit(): Promise<FileEntry> {
    const { file, info, named } = this.#parts
    const { end } = this.#written
    const size = info.size !== undefined && info.size >= 0 ? info.size : end
    if (end !== size || !this.#written.has({ start: 0, end: size }))
      throw new AppError('invalid', `the file has not got the ${size} bytes that were announced`)
    if (info.durable !== false) await file.sync().catch(rethrow)
    const entry = await named(size)
    this.#named = true
    return entry
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#parts.file.close()
    if (this.#named) return
    this.#parts.space.give(this.#written.size)
    await rm(this.#parts.place, { force: true })
  }
}
