import { throwIfAborted } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError, toAppError } from '../base/error.ts'
import { Wake } from '../base/wake.ts'
import { MemoryStore } from '../spool/memory.ts'

export interface ReplayOptions {
  /** Bytes that are held at most. */
  readonly most: number
  /** The input goes on when nobody takes its bytes: the oldest ones are dropped. Otherwise it waits. */
  readonly drop: boolean
  /** Called with the count of bytes that a reader has missed. */
  readonly dropped?: (bytes: number) => void
}

/**
 * An input that can be read only once, with its newest bytes held: what was sent into a connection that broke can be sent again.
 * One reader at a time.
 */
export class Replay {
  readonly #options: ReplayOptions
  readonly #changes = new Wake()
  readonly #held = new MemoryStore()
  /** Place of the first byte that is held, and of the byte behind the last one. */
  #start = 0
  #end = 0
  /** Up to where a reader has come. */
  #read = 0
  #ended = false
  #stopped = false
  #failure: AppError | undefined

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  /** The first byte that can still be sent. */
  get start(): number {
    return this.#start
  }

  /** The byte behind the last one that a reader got. */
  get position(): number {
    return this.#read
  }

  /** Takes all of an input; resolves at its end, and never rejects: readers get the error. */
  async fill(input: Body, signal: AbortSignal): Promise<void> {
    try {
      for await (const chunk of input) {
        throwIfAborted(signal)
        this.#held.write(this.#end, chunk)
        this.#end += chunk.length
        this.#forget()
        this.#changes.notify()
        // Half of the room is for what was sent already.
        while (!this.#stopped && !this.#options.drop && this.#end - this.#read > this.#options.most / 2)
          await this.#changes.next(signal)
        if (this.#stopped) return
      }
    } catch (reason) {
      this.#failure = toAppError(reason)
    }
    this.#ended = true
    this.#changes.notify()
  }

  /** Nobody is going to read any more: `fill` ends. */
  stop(): void {
    this.#stopped = true
    this.#changes.notify()
  }

  /** The bytes from a place on, waiting for those that are yet to come. Those that are not held any more are left out. */
  async *from(position: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let at = position
    for (;;) {
      throwIfAborted(signal)
      if (at < this.#start) {
        this.#options.dropped?.(this.#start - at)
        at = this.#start
      }
      if (at < this.#end) {
        const chunk = this.#held.read(at, this.#end - at)
        at += chunk.length
        this.#read = Math.max(this.#read, at)
        this.#changes.notify()
        yield chunk
      } else if (this.#failure) throw this.#failure
      else if (this.#ended) return
      else await this.#changes.next(signal)
    }
  }

  #forget(): void {
    const { most, drop } = this.#options
    // What nobody has read yet is kept where the input can wait.
    const oldest = drop ? this.#end - most : Math.min(this.#end - most, this.#read)
    if (oldest <= this.#start) return
    this.#start = oldest
    this.#held.discard(oldest)
  }
}

/** The error of a connection that broke when too much was sent into it to send all of it again. */
export function lost(position: number): AppError {
  return new AppError('io', `the connection broke after ${position} bytes, more than --replay-buffer holds`)
}
