import type { Body } from '../base/body.ts'

/** A part of a body that many responses send: what a version of HTTP puts around it is made once for all of them. */
export class Piece {
  readonly bytes: Uint8Array
  #chunked: Uint8Array | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** As one chunk of the chunked coding (RFC 9112 section 7.1). */
  get chunked(): Uint8Array {
    this.#chunked ??= Buffer.concat([Buffer.from(`${this.bytes.length.toString(16)}\r\n`), this.bytes, CRLF])
    return this.#chunked
  }
}

const CRLF = Buffer.from('\r\n')

/** Where a pushed body goes: a response whose head has been sent. */
export interface PushSink {
  /** Takes a piece, which must not be empty. False = full: nothing more before `drained` is called. */
  offer(piece: Piece): boolean
  /** That was all; with an error it was not, and the response is broken off. Called once. */
  end(error?: unknown): void
}

/**
 * A body that comes by itself and to many at a time, such as live media: pieces are handed to the socket in the same turn of the
 * event loop in which they come in, without a promise for each. Can also be pulled like any other body, once.
 */
export abstract class PushedBody implements Body {
  /** Begins; may offer, and end, before it returns. */
  abstract attach(sink: PushSink): void
  /** The sink has room again. */
  abstract drained(): void
  /** The client has left: nothing is offered any more. Safe to call twice, and without `attach`. */
  abstract detach(): void

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void> {
    return new Pull(this)
  }
}

/** Pulls what is pushed, one piece at a time. */
class Pull implements AsyncIterator<Uint8Array, void>, PushSink {
  readonly #body: PushedBody
  readonly #pieces: Piece[] = []
  #isAttached = false
  #over: { readonly reason: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(body: PushedBody) {
    this.#body = body
  }

  offer(piece: Piece): boolean {
    this.#pieces.push(piece)
    this.#wake?.()
    return false
  }

  end(reason?: unknown): void {
    this.#over = { reason }
    this.#wake?.()
  }

  async next(): Promise<IteratorResult<Uint8Array, void>> {
    if (!this.#isAttached) {
      this.#isAttached = true
      this.#body.attach(this)
    } else if (this.#pieces.length === 0 && !this.#over) this.#body.drained()
    while (this.#pieces.length === 0 && !this.#over) await new Promise<void>((resolve) => (this.#wake = resolve))
    const piece = this.#pieces.shift()
    if (piece) return { done: false, value: piece.bytes }
    if (this.#over?.reason !== undefined) throw this.#over.reason
    return { done: true, value: undefined }
  }

  return(): Promise<IteratorResult<Uint8Array, void>> {
    this.#body.detach()
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }
}
