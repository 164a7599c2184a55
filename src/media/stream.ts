import { MemoryStore } from '../spool/memory.ts'
import { Spool } from '../spool/spool.ts'
import { framesOf } from './formats.ts'
import type { AudioFacts, Frames } from './frames.ts'
import type { Station } from './station.ts'

export interface StreamSettings {
  readonly type: string
  readonly station: Station
  /** Bytes that are kept for those who join or fall behind. */
  readonly window: number
  /** Gives out whole frames only, so that listeners can leave for another stream, and come from one, without noise. */
  readonly aligned: boolean
  /** The time, ms since 1970. */
  readonly now: number
}

/** What is played from some place of a stream on. */
export interface Title {
  readonly title: string
  readonly url: string
}

/** Where a listener begins, and what it is given before. */
export interface Start {
  readonly at: number
  readonly init: Uint8Array | undefined
}

/** The most that is given to a listener at once, bytes. */
const PIECE = 64 * 1024
/** Places to begin with that are remembered of a stream of which nothing is known. */
const MOST_CHUNKS = 1000

/** What one publisher sends to a mount, from its first byte to its last; the newest bytes are held. Positions are bytes since its start. */
export class Stream {
  readonly type: string
  readonly station: Station
  /** When it began, ms since 1970. */
  readonly begun: number
  #failure: unknown
  readonly #spool: Spool
  readonly #store = new MemoryStore()
  readonly #frames: Frames | undefined
  readonly #aligned: boolean
  readonly #window: number
  /** Where chunks began, for streams of which nothing better is known. */
  readonly #chunks: number[] = []
  readonly #titles: { readonly at: number; readonly title: Title }[] = []

  constructor({ type, station, window, aligned, now }: StreamSettings) {
    this.type = type
    this.station = station
    this.begun = now
    this.#window = window
    this.#spool = new Spool(this.#store, { window })
    this.#frames = framesOf(type)
    this.#aligned = aligned
  }

  /** Adds a chunk, which belongs to the stream from then on. */
  write(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(this.#spool.end)
    if (this.#chunks.length > MOST_CHUNKS) this.#chunks.splice(0, MOST_CHUNKS / 2)
    this.#frames?.push(chunk)
    // A store in memory has taken it when this comes back.
    void this.#spool.write(chunk)
    const { oldest } = this
    this.#frames?.forget(oldest)
    while ((this.#titles[1]?.at ?? Infinity) <= oldest) this.#titles.shift()
  }

  /** All was written. */
  complete(): void {
    this.#spool.complete()
  }

  /** The publisher is gone before the end. */
  fail(reason: unknown): void {
    this.#failure = reason
    this.#spool.fail(reason)
  }

  /** Why the publisher was gone before the end. */
  get failure(): unknown {
    return this.#failure
  }

  get state(): 'growing' | 'complete' | 'failed' {
    return this.#spool.state
  }

  /** Bytes that have come. */
  get received(): number {
    return this.#spool.end
  }

  /** Listeners may have the bytes before this one. */
  get end(): number {
    const { end, state } = this.#spool
    return this.#aligned && state !== 'complete' && this.#frames?.found ? this.#frames.whole : end
  }

  /** The oldest byte that is held. */
  get oldest(): number {
    return this.#spool.present[0]?.start ?? this.#spool.end
  }

  /** Playing time of what has come, ms; undefined = not known. */
  get time(): number | undefined {
    return this.#frames?.time
  }

  get audio(): AudioFacts | undefined {
    return this.#frames?.audio
  }

  /** A listener can begin: the beginning is held, or what decoders need and a place to begin with were found. */
  get isReady(): boolean {
    return this.start(0) !== undefined
  }

  /**
   * Where somebody who joins now begins: at most `burst` bytes behind the newest one, or as many as it takes to find a place
   * to begin with. From the first byte when that is held and not farther away. Undefined when there is no such place yet.
   */
  start(burst: number): Start | undefined {
    const { end, oldest } = this
    if (end === 0) return undefined
    if (oldest === 0 && end <= burst) return { at: 0, init: undefined }
    const syncs = this.#syncs
    const wanted = Math.max(oldest, end - burst)
    const at = syncs.find((sync) => sync >= wanted && sync <= end) ?? syncs.findLast((sync) => sync <= end)
    if (at !== undefined && at >= oldest) return { at, init: at > 0 ? this.#frames?.init : undefined }
    if (oldest === 0) return { at: 0, init: undefined }
    return this.#frames?.strict ? undefined : { at: wanted, init: this.#frames?.init }
  }

  get #syncs(): readonly number[] {
    const { syncs = [] } = this.#frames ?? {}
    return syncs.length > 0 || this.#frames?.strict ? syncs : this.#chunks
  }

  /** The next place at or after `at` where a listener may be taken away; `at` itself when there is none. */
  boundary(at: number): number {
    return this.#syncs.find((sync) => sync >= at && sync <= this.end) ?? (this.state === 'growing' ? at : this.end)
  }

  /** Bytes from `at` on, at most `max`, none beyond `end`. Undefined when there are none, or they are held no more. */
  read(at: number, max = PIECE): Uint8Array | undefined {
    const room = this.end - at
    if (room <= 0) return undefined
    const bytes = this.between(at, at + Math.min(room, max, PIECE))
    return bytes.length > 0 ? bytes : undefined
  }

  /** The bytes `[from, to)` in one piece. */
  between(from: number, to: number): Uint8Array {
    const parts: Uint8Array[] = []
    for (let at = from; at < to;) {
      const part = this.#spool.peek(at, to - at)
      if (!part) break
      parts.push(part)
      at += part.length
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  }

  /** Names what is played from now on. */
  setTitle(title: Title): void {
    this.#titles.push({ at: this.#spool.end, title })
  }

  /** What is played at a position. */
  titleAt(at: number): Title | undefined {
    return this.#titles.findLast((entry) => entry.at <= at)?.title
  }

  /** What is played now. */
  get title(): Title | undefined {
    return this.#titles.at(-1)?.title
  }

  /** Bytes that are held, and the most that are. */
  get held(): { readonly bytes: number; readonly most: number } {
    return { bytes: this.#store.held, most: this.#window }
  }
}
