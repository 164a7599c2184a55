import { randomBytes } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, rethrow } from '../base/error.ts'
import type { Store } from './store.ts'

/** The newest bytes are kept in memory for those who follow closely: they cost no reads. */
const TAIL = 256 * 1024

/** Keeps bytes in a file without a name, which the system removes when the program ends, however that happens. */
export class DiskStore implements Store {
  readonly #file: FileHandle
  /** The newest chunks, in order; together at most TAIL bytes, or one chunk. */
  readonly #tail: { readonly at: number; readonly bytes: Uint8Array }[] = []
  #tailSize = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** Opens a store in a directory for temporary files. */
  static async open(dir: string): Promise<DiskStore> {
    const path = join(dir, `.sluice-spool-${randomBytes(8).toString('hex')}`)
    const file = await open(path, 'wx+', 0o600).catch(rethrow)
    try {
      await unlink(path)
    } catch (error) {
      await file.close()
      throw error
    }
    return new DiskStore(file)
  }

  async write(at: number, chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, at + done).catch(rethrow)
      done += bytesWritten
    }
    this.#tail.push({ at, bytes: chunk })
    this.#tailSize += chunk.length
    while (this.#tailSize > TAIL && this.#tail.length > 1) this.#tailSize -= this.#tail.shift()?.bytes.length ?? 0
  }

  read(at: number, max: number): Uint8Array | Promise<Uint8Array> {
    for (let i = this.#tail.length - 1; i >= 0; i--) {
      const { at: start, bytes } = this.#tail[i] as { at: number; bytes: Uint8Array }
      if (at >= start && at < start + bytes.length) return bytes.subarray(at - start, at - start + max)
    }
    return this.#readFile(at, max)
  }

  async close(): Promise<void> {
    this.#tail.length = 0
    await this.#file.close()
  }

  async #readFile(at: number, max: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(max)
    const { bytesRead } = await this.#file.read(bytes, 0, max, at).catch(rethrow)
    if (bytesRead === 0) throw new AppError('io', `byte ${at} of a temporary file is gone`)
    return bytes.subarray(0, bytesRead)
  }
}
