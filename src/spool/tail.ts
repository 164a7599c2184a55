import type { Store } from './store.ts'

/** So many bytes are kept of the newest ones. */
const TAIL = 64 * 1024

/** Keeps the newest bytes of a store in memory as well: those who follow closely cost it no reads. */
export class TailStore implements Store {
  readonly #store: Store
  /** The newest chunks, in order; together at most TAIL bytes, or one chunk. */
  readonly #chunks: { readonly at: number; readonly bytes: Uint8Array }[] = []
  #size = 0

  constructor(store: Store) {
    this.#store = store
  }

  async write(at: number, chunk: Uint8Array): Promise<void> {
    await this.#store.write(at, chunk)
    this.#chunks.push({ at, bytes: chunk })
    this.#size += chunk.length
    while (this.#size > TAIL && this.#chunks.length > 1) this.#size -= this.#chunks.shift()?.bytes.length ?? 0
  }

  read(at: number, max: number): Uint8Array | Promise<Uint8Array> {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const { at: start, bytes } = this.#chunks[i] as { at: number; bytes: Uint8Array }
      if (at >= start && at < start + bytes.length) return bytes.subarray(at - start, at - start + max)
    }
    return this.#store.read(at, max)
  }

  async close(): Promise<void> {
    this.#chunks.length = 0
    await this.#store.close()
  }
}
