import type { Body } from '../../base/body.ts'
import { type AppError, toAppError } from '../../base/error.ts'
import type { Range } from '../../base/range.ts'
import type { Runs } from '../../base/runs.ts'
import { Wake } from '../../base/wake.ts'
import { type ChunkPolicy, readChunks } from '../chunks.ts'

export interface DownloadsParts {
  /** Ends all. */
  readonly signal: AbortSignal
  readonly size: number
  /** What of the file is there. */
  readonly present: Runs
  readonly policy: ChunkPolicy
  /** How far a download may be from where a reader begins, for that reader to wait for it, bytes (`--buffer-size`). */
  readonly window: number
  /** How far downloads go ahead of their readers, bytes. */
  readonly ahead: number
  /** Bytes of the file from its storage; ends with the signal. */
  readonly open: (range: Range, signal: AbortSignal) => Promise<Body>
  /** Keeps bytes that were not there. False when there is no room for them. */
  readonly keep: (at: number, chunk: Uint8Array) => Promise<boolean>
}

/** A download that nobody wants more of stays for this long, ms: a player goes on after a while. */
const IDLE_MS = 5000

/**
 * Fetches what is missing of one file (serve-http.md 2.5). Each download fills one gap from where a reader waits, and goes no
 * further than its readers need; readers near each other share it, so that no byte is fetched twice.
 */
export class Downloads {
  readonly #parts: DownloadsParts
  readonly #active = new Set<Download>()

  constructor(parts: DownloadsParts) {
    this.#parts = parts
  }

  /** True while something is being fetched. */
  get active(): boolean {
    return this.#active.size > 0
  }

  /** A reader has got as far as `at`, which is there: those that are just ahead of it go on. */
  touch(at: number): void {
    const { ahead } = this.#parts
    for (const one of this.#active) if (at <= one.at && one.at - at < ahead) one.want(at + ahead)
  }

  /**
   * Resolves with true when the byte at `at` is there, with false when there is no room for it. Throws what fetching it
   * failed with, and `aborted` with the signal.
   */
  async need(at: number, signal: AbortSignal): Promise<boolean> {
    const { present, ahead, window } = this.#parts
    for (;;) {
      const run = present.from(at)
      if (run && run.start <= at) return true
      const near = [...this.#active].find((one) => one.at <= at && at < Math.min(one.end, one.at + window))
      const download = near ?? this.#begin({ start: at, end: run?.start ?? this.#parts.size })
      download.want(Math.max(at + 1, at + ahead))
      while (!download.over && download.at <= at) await download.changes.next(signal)
      if (download.at > at) return true
      if (download.full) return false
      if (download.failure) throw download.failure
    }
  }

  /** Ends all downloads. */
  async stop(): Promise<void> {
    await Promise.all([...this.#active].map((one) => one.stop()))
  }

  #begin(gap: Range): Download {
    const { start } = gap
    let { end } = gap
    for (const other of this.#active)
      if (other.at <= start) other.end = Math.min(other.end, start)
      else end = Math.min(end, other.at)
    const download = new Download(this.#parts, { start, end })
    this.#active.add(download)
    void download.ended.then(() => this.#active.delete(download))
    return download
  }
}

/** One download, from the start of a gap on. */
class Download {
  /** Bytes before this one are there. */
  at: number
  /** Where it ends at the latest: the end of its gap. */
  end: number
  over = false
  full = false
  failure: AppError | undefined
  /** Something came, or it is over. */
  readonly changes = new Wake()
  readonly ended: Promise<void>
  readonly #wanted = new Wake()
  readonly #parts: DownloadsParts
  readonly #stopping = new AbortController()
  #until = 0

  constructor(parts: DownloadsParts, { start, end }: Range) {
    this.#parts = parts
    this.at = start
    this.end = end
    this.ended = this.#run()
  }

  /** Goes as far as this byte at least. */
  want(until: number): void {
    if (until <= this.#until) return
    this.#until = until
    this.#wanted.notify()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.ended
  }

  async #run(): Promise<void> {
    try {
      await this.#fetch(AbortSignal.any([this.#parts.signal, this.#stopping.signal]))
    } catch (reason) {
      this.failure = toAppError(reason)
    } finally {
      this.over = true
      this.changes.notify()
    }
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { open, policy, keep } = this.#parts
    const openPart = (range: Range) => open(range, signal)
    for await (const bytes of readChunks(openPart, { start: this.at, end: this.end }, policy)) {
      const chunk = bytes.subarray(0, this.end - this.at)
      if (chunk.length > 0 && !(await keep(this.at, chunk))) return void (this.full = true)
      this.at += chunk.length
      this.changes.notify()
      if (this.at >= this.end || signal.aborted) return
      while (this.at >= this.#until) if (!(await this.#wanted.next(signal, IDLE_MS))) return
    }
  }
}
