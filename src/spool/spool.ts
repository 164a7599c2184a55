import { throwIfAborted } from '../base/abort.ts'
import { AppError, toAppError } from '../base/error.ts'
import type { Range } from '../base/range.ts'
import { Runs } from '../base/runs.ts'
import { Wake } from '../base/wake.ts'
import type { Store } from './store.ts'

export interface SpoolOptions {
  /** Bytes of the whole, when that is known before the end. */
  readonly size?: number | undefined
  /** How many bytes behind the newest one are kept; Infinity keeps all. */
  readonly window?: number
  /** Called with bytes that a reader waits for and nobody has written: for objects that are fetched where they are read. */
  readonly need?: (range: Range) => void
}

export interface FollowOptions {
  /** Ends the wait of a reader that leaves. */
  readonly signal?: AbortSignal
  /** What a reader gets that fell behind the window: an error, or the oldest byte still held. */
  readonly behind?: 'fail' | 'skip'
  /** Waits at the end until the writer says that this is all: for whoever keeps the bytes. */
  readonly sealed?: boolean
  /** Where a store that is a file may put what it reads: for a reader that is done with each chunk before it asks for the next. */
  readonly into?: Uint8Array
}

/** The most that a reader gets at once, bytes. */
export const CHUNK = 256 * 1024

/**
 * An object with one writer and many readers, readable while it grows: an upload in progress, a live stream, a file in the
 * cache. Readers wait for bytes that are yet to come; none makes another one, or the writer, wait.
 */
export class Spool {
  readonly #store: Store
  readonly #window: number
  readonly #need: ((range: Range) => void) | undefined
  readonly #present = new Runs()
  readonly #changes = new Wake()
  #state: 'growing' | 'complete' | 'failed' = 'growing'
  #size: number | undefined
  #failure: AppError | undefined
  #readers = 0
  #release: (() => void) | undefined

  constructor(store: Store, options: SpoolOptions = {}) {
    this.#store = store
    this.#size = options.size
    this.#window = options.window ?? Infinity
    this.#need = options.need
  }

  get state(): 'growing' | 'complete' | 'failed' {
    return this.#state
  }

  /** Bytes of the whole: announced, or known since the end. */
  get size(): number | undefined {
    return this.#size
  }

  /** What is held now. */
  get present(): readonly Range[] {
    return this.#present.ranges
  }

  /** The byte behind the last one that was written. */
  get end(): number {
    return this.#present.end
  }

  /** How many follow it now. */
  get readers(): number {
    return this.#readers
  }

  /** Adds a chunk, behind the last one or at a place. The chunk belongs to the spool from then on. */
  async write(chunk: Uint8Array, at = this.#present.end): Promise<void> {
    if (this.#state !== 'growing') throw this.#failure ?? new AppError('io', 'written to after its end')
    if (chunk.length === 0) return
    const written = this.#store.write(at, chunk)
    if (written) await written
    this.#present.add({ start: at, end: at + chunk.length })
    const oldest = this.#present.end - this.#window
    if (oldest > 0) {
      this.#present.dropBefore(oldest)
      this.#store.discard?.(oldest)
    }
    this.#changes.notify()
  }

  /** All has been written. Readers end when they have got all of it. */
  complete(size = this.#present.end): void {
    if (this.#state !== 'growing') return
    this.#size = size
    this.#state = 'complete'
    this.#changes.notify()
  }

  /** The writer is gone before the end: readers get an error behind the bytes that were held, never a clean end. */
  fail(reason: unknown): void {
    if (this.#state !== 'growing') return
    this.#state = 'failed'
    this.#failure = toAppError(reason)
    this.#changes.notify()
  }

  /**
   * The bytes from `range.start` on, waiting for those that are yet to come, up to `range.end` or the end of the object.
   * Throws what the writer failed with, `range` when bytes are not held any more, and `aborted` with the signal.
   */
  async *follow(range: Range = { start: 0, end: Infinity }, options: FollowOptions = {}): AsyncGenerator<Uint8Array> {
    const { signal, into } = options
    this.#readers++
    try {
      let at = range.start
      while (at < Math.min(range.end, this.#size ?? Infinity)) {
        if (signal) throwIfAborted(signal)
        const run = this.#present.from(at)
        if (run && run.start <= at) {
          const bytes = this.#store.read(at, Math.min(run.end, range.end, at + CHUNK) - at, into)
          const chunk = bytes instanceof Promise ? await bytes : bytes
          at += chunk.length
          yield chunk
        } else if (run && this.#window < Infinity) {
          if (options.behind !== 'skip') throw new AppError('range', 'these bytes are not held any more')
          at = run.start
        } else await this.#more(at, Math.min(run?.start ?? Infinity, range.end), signal)
      }
      while (options.sealed && this.#state === 'growing') await this.#changes.next(signal)
      if (options.sealed && this.#failure) throw this.#failure
    } finally {
      this.#readers--
      if (this.#readers === 0) this.#release?.()
    }
  }

  /** Bytes from `at` on, at most `max`, when they are held where they can be had at once: in memory. */
  peek(at: number, max: number): Uint8Array | undefined {
    const run = this.#present.from(at)
    if (!run || run.start > at) return undefined
    const bytes = this.#store.read(at, Math.min(run.end - at, max))
    if (bytes instanceof Uint8Array) return bytes
    bytes.catch(() => {})
    return undefined
  }

  /** Resolves when something changes: bytes came, or the end. */
  async changed(signal?: AbortSignal): Promise<void> {
    if (this.#state === 'growing') await this.#changes.next(signal)
  }

  /** Closes the store, as soon as nobody follows any more. */
  async close(): Promise<void> {
    if (this.#state === 'growing') this.fail(new AppError('aborted', 'closed before its end'))
    if (this.#readers > 0) await new Promise<void>((resolve) => (this.#release = resolve))
    await this.#store.close()
  }

  /** Waits for a change that may bring the byte at `at`. */
  async #more(at: number, end: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#state === 'failed') throw this.#failure
    if (this.#state === 'complete') throw new AppError('io', `the object ended at byte ${this.end}, more were expected`)
    // First: what `need` begins may write before it comes back.
    const changed = this.#changes.next(signal)
    this.#need?.({ start: at, end })
    await changed
  }
}
