import type { Store } from './store.ts'

/** So many bytes are kept of the newest ones. */
const TAIL = 64 * 1024
/** And so many chunks at most: a client that sends bytes one by one would make each take as long as all of them. */
const CHUNKS = 256

interface Chunk {
  readonly at: number
  readonly bytes: Uint8Array
  /** Somebody else has got bytes of it. */
  shared: boolean
}

/** Keeps the newest bytes of a store that has none in memory: those who follow closely cost it no reads. */
export class TailStore implements Store {
  readonly #store: Store
  /** The newest chunks, in order; together at most TAIL bytes, or one chunk; at most CHUNKS. */
  readonly #chunks: Chunk[] = []
  #size = 0

  constructor(store: Store) {
    this.#store = store
  }

  write(at: number, chunk: Uint8Array): Promise<void> | void {
    const written = this.#store.write(at, chunk)
    if (written) return written.then(() => this.#keep(at, chunk))
    this.#keep(at, chunk)
  }

  #keep(at: number, chunk: Uint8Array): void {
    this.#chunks.push({ at, bytes: chunk, shared: false })
    this.#size += chunk.length
    while ((this.#size > TAIL && this.#chunks.length > 1) || this.#chunks.length > CHUNKS) {
      const oldest = this.#chunks.shift() as Chunk
      this.#size -= oldest.bytes.length
      if (!oldest.shared) release(oldest.bytes)
    }
  }

  read(at: number, max: number): Uint8Array | Promise<Uint8Array> {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i] as Chunk
      const from = at - chunk.at
      if (from < 0 || from >= chunk.bytes.length) continue
      chunk.shared = true
      return chunk.bytes.subarray(from, from + max)
    }
    return this.#store.read(at, max)
  }

  async close(): Promise<void> {
    this.#chunks.length = 0
    await this.#store.close()
  }
}

/** Buffers of less than this (bytes) are not worth it. */
const WORTH = 4096

/** Frees the memory of what was read from a socket now: until the collector looked, many uploads would have hundreds of them. */
function release({ byteOffset, byteLength, buffer }: Uint8Array): void {
  if (byteLength >= WORTH && byteOffset === 0 && buffer.byteLength === byteLength && buffer instanceof ArrayBuffer)
    buffer.transfer(0)
}
