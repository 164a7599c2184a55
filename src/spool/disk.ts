import { randomBytes } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, rethrow } from '../base/error.ts'
import type { Store } from './store.ts'

/** Keeps bytes in a file without a name, which the system removes when the program ends, however that happens. */
export class DiskStore implements Store {
  readonly #file: FileHandle

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
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async read(at: number, max: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(max)
    const { bytesRead } = await this.#file.read(bytes, 0, max, at).catch(rethrow)
    if (bytesRead === 0) throw new AppError('io', `byte ${at} of a temporary file is gone`)
    return bytes.subarray(0, bytesRead)
  }
}
