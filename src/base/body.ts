import type { Range } from './range.ts'

/** Bytes on the move. Every chunk belongs to whoever received it; producers never reuse one. */
export type Body = AsyncIterable<Uint8Array>

/** Something that reads bytes at a place: an open file. `read` fills `into` from its start and gives the count, 0 at the end. */
export interface ByteSource {
  read(into: Uint8Array, position: number): Promise<number>
  close(): Promise<void>
  /**
   * Has the system send up to `count` bytes from `position` on to a socket, given by its descriptor. Gives the count that the
   * socket took, 0 when it takes none now or something is wrong, which a read or a write will tell; undefined when the system
   * cannot be had for it now.
   */
  sendTo?(socket: number, position: number, count: number): number | undefined
  /** Throws when what it reads is not what it was when it was opened. */
  confirm?(): Promise<void> | void
}

/**
 * Bytes `[start, end)` of an open file: a `Body` that the socket writer may also read by position into buffers of its own,
 * which is its fastest way. Whoever gets a slice owns it: iterate it to its end, or `close()` it. A source that ends before
 * `end` throws, so that a short file is never a clean end.
 */
export class FileSlice implements Body {
  readonly start: number
  readonly end: number
  readonly #source: ByteSource
  /** The most bytes that one `read` gives: lower it to keep a slowed transfer even. */
  chunk = Infinity
  #pass: ((bytes: number) => Promise<void> | void) | undefined
  #failure: unknown
  #closed = false
  /** Iterating it ends by `confirm`: for copies, whose reader would take bytes of two versions for one. */
  confirmAtEnd = false

  constructor(source: ByteSource, range: Range) {
    this.#source = source
    this.start = range.start
    this.end = range.end
  }

  get length(): number {
    return this.end - this.start
  }

  /** Reads at an absolute position of the file. Gives the count of bytes, never 0: an early end throws. */
  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      const count = await this.#source.read(into.length > this.chunk ? into.subarray(0, this.chunk) : into, position)
      if (count <= 0) throw new Error(`the file ended at byte ${position}, ${this.end} were expected`)
      if (this.#pass) await this.#pass(count)
      return count
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  /** Has the system send from `position` on to a socket: see `ByteSource.sendTo`. */
  sendTo(socket: number, position: number): number | undefined {
    return this.#source.sendTo?.(socket, position, Math.min(this.chunk, this.end - position))
  }

  /** What `observe` was told to call, after bytes that went by `sendTo`. */
  passed(bytes: number): Promise<void> | void {
    return this.#pass?.(bytes)
  }

  /** Calls `pass` with the count of each read before the bytes go on: how a transfer is counted and slowed down. */
  observe(pass: (bytes: number) => Promise<void> | void): this {
    const before = this.#pass
    this.#pass = before
      ? async (bytes) => {
          await before(bytes)
          await pass(bytes)
        }
      : pass
    return this
  }

  /** Throws when the file was changed while it was read: the bytes may then be of two versions of it. */
  async confirm(): Promise<void> {
    await this.#source.confirm?.()
  }

  /** The error of the read that failed, if one did. */
  get failure(): unknown {
    return this.#failure
  }

  /** Gives the file back. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#source.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let at = this.start; at < this.end;) {
        const chunk = new Uint8Array(Math.min(CHUNK, this.end - at))
        const count = await this.read(chunk, at)
        at += count
        yield count === chunk.length ? chunk : chunk.subarray(0, count)
      }
      if (this.confirmAtEnd) await this.confirm()
    } finally {
      await this.close()
    }
  }
}

const CHUNK = 256 * 1024

/** All bytes of a body in one array. Fails with `too-large` semantics of the caller's choosing when `max` is passed: throws RangeError. */
export async function collect(body: Body, max = Infinity): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > max) throw new RangeError(`more than ${max} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size)
}

/** A body of the given chunks. */
export async function* bodyOf(...chunks: (Uint8Array | string)[]): Body & AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

/** Drops the first `skip` bytes and ends after `length` more. */
export async function* slice(body: Body, skip: number, length = Infinity): AsyncGenerator<Uint8Array> {
  if (length <= 0) return
  for await (const chunk of body) {
    if (skip >= chunk.length) {
      skip -= chunk.length
      continue
    }
    const part = chunk.subarray(skip, Math.min(chunk.length, skip + length))
    skip = 0
    length -= part.length
    yield part
    if (length <= 0) return
  }
}
