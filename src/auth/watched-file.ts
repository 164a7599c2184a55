import { readFileSync, statSync } from 'node:fs'
import { AppError, messageOf } from '../base/error.ts'
import type { Logger } from '../core/log.ts'

/** A larger file is none of ours. */
const LARGEST = 64 * 1024 * 1024

export interface Watched<T> {
  /** What the file is, for messages: `password file`. */
  readonly what: string
  readonly log: Logger
  /** Makes sense of the content. Throws when it makes none; `before` is what is in force, undefined at the start. */
  read(bytes: Uint8Array, before: T | undefined): T
  /** What of the value to tell when it was read again: `12 users`. */
  sayRead(value: T): string
}

/** A file of settings, read again when it changes. The last good content stays in force when it goes bad. */
export class WatchedFile<T> {
  readonly path: string
  readonly #parts: Watched<T>
  #value: T
  #stamp: string
  #complaint = ''
  /** Raised by each reload: what was derived from older content no longer holds. */
  generation = 0

  /** Throws `invalid` when the file cannot be read: a server must not start without it. */
  constructor(path: string, parts: Watched<T>) {
    this.path = path
    this.#parts = parts
    try {
      this.#stamp = stampOf(path)
      this.#value = parts.read(bytesOf(path), undefined)
    } catch (error) {
      throw new AppError('invalid', `can't read the ${parts.what}: ${messageOf(error)}`, { cause: error })
    }
  }

  /** What the file says now. Looked at for each request, so that who is taken out of it is out at once. */
  get value(): T {
    const parts = this.#parts
    try {
      const stamp = stampOf(this.path)
      if (stamp === this.#stamp) return this.#value
      // A pipe could make all requests wait for whoever writes into it.
      if (!statSync(this.path).isFile()) throw new Error(`${this.path} is not a file`)
      this.#value = parts.read(bytesOf(this.path), this.#value)
      this.#stamp = stamp
      this.#complaint = ''
      this.generation++
      parts.log.info(`${parts.sayRead(this.#value)} read from ${this.path}`)
    } catch (error) {
      const problem = messageOf(error)
      if (problem !== this.#complaint) parts.log.error(`${parts.what}: ${problem}; what was read before stays in force`)
      this.#complaint = problem
    }
    return this.#value
  }
}

function bytesOf(path: string): Uint8Array {
  const bytes = readFileSync(path)
  if (bytes.length > LARGEST) throw new Error(`${path} is too large`)
  return bytes
}

/** A text that differs when the file was written in between. Throws when there is none. */
export function stampOf(path: string): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(path)
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`
}
