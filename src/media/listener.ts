import { AppError } from '../base/error.ts'
import { Piece, PushedBody, type PushSink } from '../http/pushed.ts'
import type { IcyTitles } from './icy.ts'
import type { Start, Stream } from './stream.ts'

/** What becomes of a listener that takes less than comes. */
export interface SlowPolicy {
  /** Leave it, or have it miss what it is behind. */
  readonly slow: 'drop' | 'skip'
  /** How far it may fall behind, bytes. */
  readonly maxLag: number
}

/** The mount that somebody came to. */
export interface Home {
  /** It has left, or was left. Called once. */
  left(listener: Listener): void
  /** It has missed bytes, or is dropped for being too slow. */
  slowed(what: 'dropped' | 'skipped', bytes: number): void
  /** It has taken what it was given. */
  moved(bytes: number): void
}

export interface ListenerParts {
  readonly id: number
  readonly address: string
  readonly agent: string
  readonly user: string | undefined
  /** When it came, ms since 1970. */
  readonly since: number
  /** Media type that it was promised; undefined = any. */
  readonly type: string | undefined
  readonly policy: SlowPolicy
  readonly titles: IcyTitles | undefined
}

/** Those who hear one stream. */
export type Audience = Set<Listener>

interface Move {
  /** Where in the stream it listens to now it goes over. */
  readonly from: number
  readonly stream: Stream
  readonly start: Start
  /** What it is given before: the rest of a frame of which it has a part, kept here because the stream will not hold it. */
  readonly rest?: Uint8Array
}

/**
 * Somebody who listens: a place in the stream that it hears, which it may leave for another one. It shares all bytes with the
 * others; what it has not taken yet is only a number.
 */
export class Listener extends PushedBody {
  readonly parts: ListenerParts
  home: Home
  /** Where it is among those who hear the same. */
  audience: Audience | undefined
  /** Bytes given to its connection. */
  sent = 0
  #stream: Stream | undefined
  #at = 0
  #move: Move | undefined
  #sink: PushSink | undefined
  #hasRoom = false
  #over = false
  #timer: NodeJS.Timeout | undefined
  #last: { readonly reason?: unknown } | undefined

  constructor(home: Home, parts: ListenerParts) {
    super()
    this.home = home
    this.parts = parts
  }

  /** What it hears, or goes over to. */
  get stream(): Stream | undefined {
    return this.#move?.stream ?? this.#stream
  }

  /** Bytes of its stream that it has not been given yet. */
  get lag(): number {
    return this.#stream ? this.#stream.end - this.#at : 0
  }

  attach(sink: PushSink): void {
    if (this.#over) return sink.end(this.#last?.reason)
    this.#sink = sink
    this.#hasRoom = true
    this.#pull()
  }

  drained(): void {
    this.#hasRoom = true
    this.#pull()
  }

  detach(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#sink = undefined
    this.home.left(this)
  }

  /** Has it hear another stream, from `start` on, as soon as the one before can be left. */
  tune(stream: Stream, start: Start): void {
    this.#last = undefined
    const from = this.#stream ? this.#stream.boundary(this.#at) : this.#at
    this.#move = { from, stream, start }
    this.#pull()
  }

  /** Ends it when it has got all that there is; with a reason it is broken off there. */
  finish(reason?: unknown): void {
    this.#last = reason === undefined ? {} : { reason }
    this.#pull()
  }

  /** Ends it after `ms`, as if the stream had ended. */
  limit(ms: number): void {
    this.#timer = setTimeout(() => this.#end(undefined), ms).unref()
  }

  /** Breaks it off now. */
  kick(reason: unknown): void {
    this.#end(reason)
  }

  /** A piece of its stream has come that begins at `from`. */
  take(piece: Piece, from: number): void {
    if (this.#hasRoom && this.#at === from && !this.#move) this.#give(piece)
    else this.#pull()
    if (!this.#hasRoom && this.lag > this.parts.policy.maxLag) this.#tooSlow()
  }

  #pull(): void {
    while (this.#hasRoom && !this.#over) {
      if (this.#move && (this.#move.rest || this.#at >= this.#move.from)) {
        this.#goOver(this.#move)
        continue
      }
      const stream = this.#stream
      const bytes = stream?.read(this.#at, this.#move ? this.#move.from - this.#at : undefined)
      if (bytes) this.#give(new Piece(bytes))
      else if (stream && this.#at < stream.oldest) this.#skip(stream)
      else break
    }
    if (this.#last && !this.#move && this.lag <= 0 && this.#sink) this.#end(this.#last.reason)
  }

  #goOver({ stream, start, rest }: Move): void {
    this.#move = undefined
    if (rest && rest.length > 0) this.#give(new Piece(rest))
    this.#stream = stream
    this.#at = start.at
    if (start.init) this.#give(new Piece(start.init), false)
  }

  #give(piece: Piece, counted = true): void {
    const { titles } = this.parts
    const { bytes } = piece
    const at = this.#at
    const plain = !titles || titles.passes(bytes.length)
    const given = plain ? piece : titles.weave(bytes, (offset) => this.#stream?.titleAt(at + offset))
    if (counted) this.#at += bytes.length
    this.sent += given.bytes.length
    this.#hasRoom = this.#sink?.offer(given) ?? false
    this.home.moved(given.bytes.length)
  }

  #tooSlow(): void {
    const stream = this.#stream
    if (!stream || this.#over) return
    if (this.parts.policy.slow === 'drop') {
      this.home.slowed('dropped', this.lag)
      this.#end(new AppError('aborted', 'the listener takes less than comes'))
    } else if (!this.#move) this.#skip(stream)
  }

  /** Has it go on near the newest byte. */
  #skip(stream: Stream): void {
    const start = stream.start(0)
    if (!start || start.at <= this.#at) return
    const from = this.#at < stream.oldest ? this.#at : stream.boundary(this.#at)
    this.home.slowed('skipped', start.at - from)
    const rest = stream.between(this.#at, from)
    this.#move = { from, stream, start: { at: start.at, init: undefined }, rest }
  }

  #end(reason: unknown): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#last = { reason }
    const sink = this.#sink
    this.#sink = undefined
    this.home.left(this)
    sink?.end(reason)
  }
}
