import { AppError } from '../../base/error.ts'
import { Runs } from '../../base/runs.ts'
import type { FileEntry, WriterAt } from '../../remote/remote.ts'
import type { TempFile } from './temp-file.ts'

/** A file on its way to the server, written and read at any place. */
export class SftpWriter implements WriterAt {
  readonly #temp: TempFile
  readonly #size: number | undefined
  readonly #named: () => Promise<FileEntry>
  readonly #written = new Runs()

  /** `size` in bytes, when it was announced; `named` gives the file its name. */
  constructor(temp: TempFile, size: number | undefined, named: () => Promise<FileEntry>) {
    this.#temp = temp
    this.#size = size === undefined || size < 0 ? undefined : size
    this.#named = named
  }

  async write(at: number, chunk: Uint8Array): Promise<void> {
    await this.#temp.write(at, chunk)
    this.#written.add({ start: at, end: at + chunk.length })
  }

  async read(at: number, max: number): Promise<Uint8Array> {
    return await this.#temp.read(at, max)
  }

  async commit(): Promise<FileEntry> {
    const size = this.#size
    if (size !== undefined && !(this.#written.has({ start: 0, end: size }) && this.#written.end === size))
      throw new AppError('invalid', `the file has not got the ${size} bytes that were announced`)
    return await this.#named()
  }

  async close(): Promise<void> {
    await this.#temp.close()
  }
}
