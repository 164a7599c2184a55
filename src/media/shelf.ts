import { AppError, messageOf } from '../base/error.ts'
import { toMs } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import type { WriteHandle, WriteWatcher, Writes } from '../vfs/write.ts'
import { isMediaName, numbered } from './numbered.ts'

export interface ShelfSettings {
  /** Media segments of each representation that are kept; Infinity = all. */
  readonly segments: number
  /** Age at which a segment goes, ms; Infinity = none. */
  readonly age: number
  /** Most bytes of all files together; Infinity = any. */
  readonly bytes: number
}

export interface ShelfParts {
  readonly ctx: Context
  readonly remote: Remote
  readonly settings: ShelfSettings
  /** True for a file that a manifest lists. */
  readonly listed: (path: string) => boolean
  /** True for a file that begins segments and is none itself. */
  readonly begins: (path: string) => boolean
}

interface Kept {
  readonly entry: FileEntry
  /** Files with the same pattern are one representation; undefined = it is no segment, and stays. */
  readonly pattern: string | undefined
  /** ms, by the clock that only goes on. */
  readonly at: number
}

/**
 * Keeps what of a live stream is of use, and removes the rest: of each representation the newest segments and those that a
 * manifest lists, with their parts; never a manifest, nor what begins a segment (httpout.md 4.3).
 */
export class Shelf implements WriteWatcher {
  readonly #parts: ShelfParts
  /** In the order in which they came. */
  readonly #kept = new Map<string, Kept>()
  #held = 0
  #writes: Writes | undefined
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(parts: ShelfParts) {
    this.#parts = parts
  }

  /** The tree that it keeps. */
  attach(writes: Writes): void {
    this.#writes = writes
    const { age } = this.#parts.settings
    if (age === Infinity) return
    this.#timer = setInterval(() => this.#sweepSoon(), Math.min(Math.max(age / 4, 50), 60_000)).unref()
  }

  stored({ path }: WriteHandle, entry: FileEntry): void {
    this.#keep(path, entry, 0)
  }

  /** A file that was there before this program began. */
  recalled(entry: FileEntry): void {
    this.#keep(entry.path, entry, Date.now() - toMs(entry.modTime))
  }

  /** `old` is the age of the file, ms. */
  #keep(path: string, entry: FileEntry, old: number): void {
    const { segments, age, bytes } = this.#parts.settings
    if (segments === Infinity && age === Infinity && bytes === Infinity) return
    this.#forget(path)
    this.#kept.set(path, { entry, pattern: this.#pattern(path), at: performance.now() - old })
    this.#held += Math.max(0, entry.size)
    this.#sweepSoon()
  }

  removed(path: string): void {
    this.#forget(path)
  }

  /** Throws `no-space` when what stays, and what is on its way, leaves no place for another file. */
  admit(): void {
    const { settings, begins } = this.#parts
    if (this.#held + this.#growing <= settings.bytes) return
    this.#sweepSoon()
    let stays = this.#growing
    for (const [path, { pattern, entry }] of this.#kept) if (pattern === undefined || begins(path)) stays += entry.size
    if (stays > settings.bytes)
      throw new AppError('no-space', `the live folder holds ${stays} bytes that stay: see --max-cache-bytes`)
  }

  get #growing(): number {
    return this.#writes?.growingBytes ?? 0
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #forget(path: string): void {
    const known = this.#kept.get(path)
    if (!known) return
    this.#kept.delete(path)
    this.#held -= Math.max(0, known.entry.size)
  }

  #pattern(path: string): string | undefined {
    if (!isMediaName(path)) return undefined
    const whole = segmentOfPart(path)
    return numbered(whole ?? path)?.pattern
  }

  /** Not from within what tells of a change: removing needs the lock that is held there. */
  #sweepSoon(): void {
    this.#work = this.#work
      .then(() => this.#sweep())
      .catch((reason: unknown) => {
        this.#parts.ctx.log.error(`old segments could not be removed: ${messageOf(reason)}`)
      })
  }

  async #sweep(): Promise<void> {
    for (const path of this.#surplus()) await this.#remove(path)
  }

  /** What has to go, the oldest first. */
  #surplus(): readonly string[] {
    const { settings, listed, begins } = this.#parts
    const newer = new Map<string, Set<string>>()
    const surplus = new Set<string>()
    const files = [...this.#kept].toReversed()
    for (const [path, { pattern, at }] of files) {
      if (pattern === undefined || begins(path)) continue
      const segment = segmentOfPart(path) ?? path
      const before = newer.get(pattern) ?? new Set<string>()
      newer.set(pattern, before.add(segment))
      const old = before.size > settings.segments || performance.now() - at > settings.age
      if (old && !listed(path) && !listed(segment)) surplus.add(path)
    }
    const order = files.toReversed()
    let over = this.#held - settings.bytes
    for (const path of surplus) over -= this.#kept.get(path)?.entry.size ?? 0
    for (const [path, { pattern, entry }] of order) {
      if (over <= 0) break
      if (pattern === undefined || surplus.has(path) || begins(path)) continue
      surplus.add(path)
      over -= entry.size
    }
    return order.flatMap(([path]) => (surplus.has(path) ? [path] : []))
  }

  async #remove(path: string): Promise<void> {
    const { ctx, remote } = this.#parts
    const writes = this.#writes
    if (!writes || writes.growing(path)) return
    await writes.exclusive(path, async () => {
      const known = this.#kept.get(path)
      const entry = known && (await remote.stat(ctx, path))
      if (entry?.kind === 'file') await remote.remove(ctx, entry)
      writes.forget(path)
    })
    await writes.prune(ctx, path)
  }
}

/** The segment that a file is a part of, by the number behind its name: `seg3.m4s` for `seg3.m4s.1`. */
function segmentOfPart(path: string): string | undefined {
  return /^(.+\.[^./]*[^./\d][^./]*)\.\d{1,15}$/.exec(path)?.[1]
}
