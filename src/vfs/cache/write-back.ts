import { AppError, messageOf } from '../../base/error.ts'
import type { Logger } from '../../core/log.ts'
import type { Item } from './item.ts'

export interface WriteBackParts {
  readonly log: Logger
  /** A number that no other file that waits has. */
  readonly nextId: () => number
  /** How long a changed file waits before it is uploaded (`--vfs-write-back`), ms. */
  readonly delay: number
  /** Uploads at once (`--transfers`). */
  readonly transfers: number
  /** Stores an item. Throws what went wrong, and when the signal aborts. */
  readonly upload: (item: Item, signal: AbortSignal) => Promise<void>
}

/** A file that waits, as `vfs/queue` shows it (rc.md 3). */
export interface QueueEntry {
  readonly name: string
  readonly id: number
  /** Bytes. */
  readonly size: number
  /** Seconds until it is uploaded; negative when it is late. */
  readonly expiry: number
  /** Tries that failed. */
  readonly tries: number
  /** Seconds between the last try, or the change, and the next try. */
  readonly delay: number
  readonly uploading: boolean
}

interface Waiting {
  readonly id: number
  readonly item: Item
  /** When it is to be uploaded, by `performance.now()`. */
  due: number
  delay: number
  tries: number
  /** The upload that is under way. */
  upload: Upload | undefined
}

interface Upload {
  readonly stop: AbortController
  readonly over: Promise<void>
}

/** The longest pause between two tries, ms. */
const LONGEST_MS = 60_000

/** Files of the cache that wait to be uploaded, each until that has succeeded (serve-http.md 2.6). */
export class WriteBack {
  readonly #parts: WriteBackParts
  /** By path, in the order in which they came. */
  readonly #waiting = new Map<string, Waiting>()
  #running = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(parts: WriteBackParts) {
    this.#parts = parts
  }

  /** How many wait; those that are being uploaded included. */
  get size(): number {
    return this.#waiting.size
  }

  /** How many of those that wait have failed at least once. */
  get failed(): number {
    return [...this.#waiting.values()].filter(({ tries }) => tries > 0).length
  }

  /** Paths of what waits. */
  get paths(): readonly string[] {
    return [...this.#waiting.keys()]
  }

  /** How many are being uploaded. */
  get running(): number {
    return this.#running
  }

  /** What waits, the next one first. */
  get queue(): readonly QueueEntry[] {
    const now = performance.now()
    return [...this.#waiting.values()]
      .toSorted((a, b) => a.due - b.due)
      .map(({ id, item, due, delay, tries, upload }) => ({
        name: item.path,
        id,
        size: item.size,
        expiry: (due - now) / 1000,
        tries,
        delay: delay / 1000,
        uploading: upload !== undefined,
      }))
  }

  /** Lets an item wait in place of what waited at its path before, whose upload is ended. */
  async add(item: Item): Promise<void> {
    await this.drop(item.path)
    // A newer version of it may have come meanwhile.
    if (item.isGone) return
    const { delay, nextId } = this.#parts
    const waiting = { id: nextId(), item, due: performance.now() + delay, delay, tries: 0, upload: undefined }
    this.#waiting.set(item.path, waiting)
    this.#begin()
  }

  /** Takes a path out of the queue; resolves when nothing of it is being uploaded any more. */
  async drop(path: string): Promise<void> {
    const waiting = this.#waiting.get(path)
    if (!waiting) return
    this.#waiting.delete(path)
    await stopped(waiting)
  }

  /** Resolves when the first try to upload what waits at a path has ended, whatever came of it. */
  async tried(path: string): Promise<void> {
    await this.#waiting.get(path)?.upload?.over
  }

  /** Sets when an item is uploaded: seconds from now or, `relative`, from when it would be. Throws `invalid` for an unknown id. */
  setExpiry(id: number, seconds: number, relative: boolean): void {
    const waiting = [...this.#waiting.values()].find((one) => one.id === id)
    if (!waiting) throw new AppError('invalid', 'id not found in queue')
    waiting.due = (relative ? waiting.due : performance.now()) + seconds * 1000
    this.#begin()
  }

  /** Begins no more uploads and ends those that run; what waits is uploaded after the next start. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await Promise.all([...this.#waiting.values()].map(stopped))
  }

  /** Begins what is due, and sets the clock for the next. */
  #begin(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    const now = performance.now()
    let next = Infinity
    for (const waiting of [...this.#waiting.values()].toSorted((a, b) => a.due - b.due)) {
      if (waiting.upload) continue
      if (this.#running >= this.#parts.transfers) return
      if (waiting.due <= now) this.#upload(waiting)
      else {
        next = waiting.due
        break
      }
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.#begin(), Math.min(next - now, 2 ** 31 - 1)).unref()
  }

  #upload(waiting: Waiting): void {
    const stop = new AbortController()
    this.#running++
    const over = this.#try(waiting, stop.signal).finally(() => {
      waiting.upload = undefined
      this.#running--
      this.#begin()
    })
    waiting.upload = { stop, over }
  }

  async #try(waiting: Waiting, signal: AbortSignal): Promise<void> {
    const { item } = waiting
    const { log, upload } = this.#parts
    try {
      await upload(item, signal)
      if (this.#waiting.get(item.path) === waiting) this.#waiting.delete(item.path)
    } catch (error) {
      if (signal.aborted || this.#waiting.get(item.path) !== waiting) return
      waiting.tries++
      waiting.delay = Math.min(LONGEST_MS, Math.max(1000, waiting.delay * 2))
      waiting.due = performance.now() + waiting.delay
      log.error(
        `vfs cache: failed to upload try #${waiting.tries}, will retry in ${waiting.delay / 1000}s: ${messageOf(error)}`,
        { object: item.path },
      )
    }
  }
}

async function stopped({ upload }: Waiting): Promise<void> {
  upload?.stop.abort(new AppError('aborted', 'the upload is not wanted now'))
  await upload?.over
}
