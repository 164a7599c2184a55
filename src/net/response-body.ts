import type * as http from 'node:http'
import { abortError } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError, messageOf, toAppError } from '../base/error.ts'

export const LONGEST_TIMER = 2 ** 31 - 1

/** Ends a request when the other side keeps us waiting; the time during which our own reader is slow does not count. */
export class Idle {
  readonly #ms: number
  readonly #sent: http.ClientRequest
  readonly #url: URL

  constructor(ms: number, sent: http.ClientRequest, url: URL) {
    this.#ms = ms
    this.#sent = sent
    this.#url = url
  }

  async during<T>(promise: Promise<T>): Promise<T> {
    if (!(this.#ms > 0 && this.#ms <= LONGEST_TIMER)) return await promise
    const timer = setTimeout(() => {
      const error = new AppError('io', `${this.#url.host} sent nothing for ${this.#ms / 1000} s`, { retry: 'now' })
      this.#sent.destroy(error)
    }, this.#ms)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Gives back the connection of a body that nobody reads. */
export async function leave(body: Body): Promise<void> {
  await body[Symbol.asyncIterator]().return?.()
}

/** A rest of this size is read rather than its connection lost. */
const SMALL_REST = 64 * 1024

/** Bytes that an answer has at most; one to HEAD tells the length of another one. */
export function restOf(method: string, { statusCode, headers }: http.IncomingMessage): number {
  if (method === 'HEAD' || statusCode === 204 || statusCode === 304) return 0
  return Number(headers['content-length'] ?? Infinity)
}

interface ResponseParts {
  readonly idle: Idle
  readonly signal: AbortSignal
  readonly url: URL
  /** Bytes of the body; Infinity = not known. */
  readonly rest: number
}

/** The bytes of an answer. Unlike a stream's own iterator it gives its connection back even if it was never read. */
export class ResponseBody implements Body {
  readonly #message: http.IncomingMessage
  readonly #parts: ResponseParts
  #source: AsyncIterator<Uint8Array> | undefined

  constructor(message: http.IncomingMessage, parts: ResponseParts) {
    this.#message = message
    this.#parts = parts
    // Without a listener an answer that breaks before it is read would end the process; readers get the error all the same.
    message.on('error', () => {})
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next(), return: () => this.#return() }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const message = this.#message
    const { idle, signal, url } = this.#parts
    try {
      this.#source ??= message.iterator({ destroyOnReturn: true }) as AsyncIterator<Uint8Array>
      const result = await idle.during(this.#source.next())
      if (result.done && !message.complete) throw new AppError('io', 'the answer ended early', { retry: 'now' })
      return result
    } catch (error) {
      throw signal.aborted ? abortError(signal) : translate(error, url)
    }
  }

  async #return(): Promise<IteratorResult<Uint8Array>> {
    const message = this.#message
    const { rest } = this.#parts
    if (!this.#source && (message.complete || rest <= SMALL_REST)) {
      message.resume()
      // The next request is to find the connection free.
      if (rest === 0 && !message.closed) await new Promise((resolve) => message.once('close', resolve))
    } else if (!message.readableEnded) message.destroy()
    return { done: true, value: undefined }
  }
}

/** An error of a connection, with the server that it is about. */
export function translate(reason: unknown, url: URL): AppError {
  const error = toAppError(reason)
  if (error === reason) return error
  return new AppError(error.code, `${url.host}: ${messageOf(reason)}`, { cause: reason, retry: error.retry })
}
