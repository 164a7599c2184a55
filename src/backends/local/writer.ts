import { AppError } from '../../base/error.ts'
import { Runs } from '../../base/runs.ts'
import type { FileEntry, WriterAt } from '../../remote/remote.ts'
import type { Directory } from './tree.ts'
import type { TempFile } from './writing.ts'

interface WriterParts {
  readonly directory: Directory
  /** Gives the file its name. */
  readonly named: () => Promise<FileEntry>
  /** Bytes, when they were announced. */
  readonly size: number | undefined
  readonly sparse: boolean
}

/** A file on its way to the disk, written and read at any place. */
export class LocalWriter implements WriterAt {
  readonly #temp: TempFile
  readonly #parts: WriterParts
  readonly #written = new Runs()

  private constructor(temp: TempFile, parts: WriterParts) {
    this.#temp = temp
    this.#parts = parts
  }

  static async begin(temp: TempFile, parts: WriterParts): Promise<LocalWriter> {
    const writer = new LocalWriter(temp, parts)
    try {
      if (parts.size !== undefined && parts.size > 0 && parts.sparse) await temp.reserve(parts.size)
      return writer
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  write(at: number, chunk: Uint8Array): Promise<void> | void {
    const written = this.#temp.write(chunk, at)
    const range = { start: at, end: at + chunk.length }
    if (written) return written.then(() => this.#written.add(range))
    this.#written.add(range)
  }

  async read(at: number, max: number, into?: Uint8Array): Promise<Uint8Array> {
    return await this.#temp.read(at, max, into)
  }

  async commit(): Promise<FileEntry> {
    const { size } = this.#parts
    if (size !== undefined && size >= 0 && !this.#isWhole(size))
      throw new AppError('invalid', `the file has not got the ${size} bytes that were announced`)
    return await this.#parts.named()
  }

  async close(): Promise<void> {
    await this.#temp.close()
    await this.#parts.directory.close()
  }

  #isWhole(size: number): boolean {
    return this.#written.has({ start: 0, end: size }) && this.#written.end === size
  }
}
