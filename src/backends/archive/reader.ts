import { callbackify } from 'node:util'
import { LRUCache } from 'lru-cache'
import yauzl from 'yauzl'
import { collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'

const BLOCK = 64 * 1024
const MOST_BLOCKS = 16

/** Reads the directory of a zip for the library, block by block: its many small reads are few of the storage. */
export class BlockReader extends yauzl.RandomAccessReader {
  readonly #ctx: Context
  readonly #remote: Remote
  readonly #file: FileEntry
  readonly #blocks = new LRUCache<number, Promise<Uint8Array>>({ max: MOST_BLOCKS })

  constructor(ctx: Context, remote: Remote, file: FileEntry) {
    super()
    this.#ctx = ctx
    this.#remote = remote
    this.#file = file
  }

  // oxlint-disable-next-line max-params -- the library calls it so
  override read(
    into: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null) => void,
  ): void {
    callbackify(() => this.#fill(into.subarray(offset, offset + length), position))((error: Error | null) =>
      done(error),
    )
  }

  async #fill(into: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < into.length;) {
      const index = Math.floor((position + at) / BLOCK)
      const block = await this.#block(index)
      const part = block.subarray(position + at - index * BLOCK, position + into.length - index * BLOCK)
      if (part.length === 0) throw new AppError('io', 'the archive ends early')
      into.set(part, at)
      at += part.length
    }
  }

  #block(index: number): Promise<Uint8Array> {
    let block = this.#blocks.get(index)
    if (!block) {
      block = this.#read(index)
      this.#blocks.set(index, block)
      block.catch(() => this.#blocks.delete(index))
    }
    return block
  }

  async #read(index: number): Promise<Uint8Array> {
    const range = { start: index * BLOCK, end: Math.min((index + 1) * BLOCK, this.#file.size) }
    return await collect(await this.#remote.open(this.#ctx, this.#file, range), BLOCK)
  }
}
