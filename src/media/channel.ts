import { abortable } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { essence } from '../base/mime.ts'
import { Wake } from '../base/wake.ts'
import { Piece } from '../http/pushed.ts'
import type { Delays } from './delays.ts'
import { bearsTitles } from './formats.ts'
import { IcyTitles } from './icy.ts'
import { type Audience, type Home, Listener } from './listener.ts'
import type { Mount } from './mount.ts'
import type { Station } from './station.ts'
import { Stream, type Title } from './stream.ts'

/** Who publishes, and what. */
export interface Incoming {
  readonly type: string
  readonly station: Station
  /** `''` for a source of this program. */
  readonly address: string
  readonly agent: string
  readonly body: Body
  /** Ends it. */
  readonly signal: AbortSignal
  /** The source can wait for its listeners (a file that is not paced), so that none misses anything. */
  readonly waits?: boolean
}

/** Who wants to listen. */
export interface Joining {
  readonly address: string
  readonly agent: string
  readonly user: string | undefined
  /** Wants the titles between the bytes. */
  readonly wantsTitles: boolean
}

/** What a channel needs of the ones around it. */
export interface ChannelParts {
  readonly mount: Mount
  /** The channel of another mount. */
  readonly find: (path: string) => Channel | undefined
  /** Other mounts hear this one when they have no source, so that it can be left at any time. */
  readonly isFallback: () => boolean
  /** A stream has begun or ended: somebody may have to hear something else. */
  readonly changed: () => void
  readonly happened: (what: string, about: Readonly<Record<string, string | number>>) => void
  /** Bytes came from a publisher, or went to a listener. */
  readonly passed: (bytes: number) => void
  readonly delays: Delays
  readonly nextId: () => number
  readonly now: () => number
}

/** Counts since the start of the program. */
export interface ChannelCounts {
  received: number
  sent: number
  /** Listeners that came. */
  joined: number
  /** The most at a time. */
  peak: number
  dropped: number
  skipped: number
  /** Streams that were published. */
  streams: number
}

/** Bytes that are held beyond what somebody may be behind: the rest of a frame can still be had when somebody is left. */
const MARGIN = 256 * 1024
/** A source that waits lets its fastest listener be behind by this, bytes. */
const AHEAD = 128 * 1024
/** With more listeners than this, chunks are gathered, so that each costs one write for several of them. */
const MANY = 1000
/** Milliseconds for which is gathered, for each listener above MANY, and the most; bytes with which that ends. */
const GATHER = 0.25
const LONGEST_GATHER = 1000
const GATHERED = 16 * 1024

const MAX_TIMER = 2 ** 31 - 1

interface Publisher {
  readonly incoming: Incoming
  readonly ending: AbortController
}

/** A mount: one stream at a time goes in, and out to all who listen. No listener ever makes another one, or the publisher, wait. */
export class Channel implements Home {
  readonly mount: Mount
  readonly counts: ChannelCounts = { received: 0, sent: 0, joined: 0, peak: 0, dropped: 0, skipped: 0, streams: 0 }
  readonly #parts: ChannelParts
  /** Who came to this mount, whatever they hear now. */
  readonly #listeners = new Map<number, Listener>()
  /** Who hears the stream of this mount, wherever they came to. */
  #audience: Audience = new Set<Listener>()
  #publisher: Publisher | undefined
  #stream: Stream | undefined
  #failure: unknown
  /** Bytes of the stream that were passed on. */
  #passed = 0
  #isReady = false
  #gathering: NodeJS.Timeout | undefined
  #gatheredSince = 0
  readonly #came = new Wake()
  readonly #moves = new Wake()
  readonly #began = new Wake()
  /** Who is going to listen when there is something to hear. */
  #expected = 0
  /** The stream has just begun: who waited for it gets all of it. */
  #isFresh = false

  constructor(parts: ChannelParts) {
    this.mount = parts.mount
    this.#parts = parts
  }

  /** What is published now. */
  get stream(): Stream | undefined {
    return this.#stream
  }

  get publisher(): Incoming | undefined {
    return this.#publisher?.incoming
  }

  get listeners(): readonly Listener[] {
    return [...this.#listeners.values()]
  }

  get isFull(): boolean {
    return this.mount.maxListeners > 0 && this.#listeners.size >= this.mount.maxListeners
  }

  /**
   * Passes a stream on until it ends. Resolves with the count of its bytes. Throws `denied` when somebody else publishes, and
   * what ended it before its end.
   */
  async publish(incoming: Incoming): Promise<number> {
    if (this.#publisher) throw new AppError('denied', 'Mountpoint in use')
    const ending = new AbortController()
    const signal = AbortSignal.any([incoming.signal, ending.signal])
    this.#publisher = { incoming, ending }
    const { mount, now } = this.#parts
    const stream = new Stream({
      type: incoming.type,
      station: { ...incoming.station, ...mount.station },
      window: Math.max(mount.burst, mount.maxLag) + MARGIN,
      aligned: mount.reopen || mount.fallback !== undefined || this.#parts.isFallback(),
      now: now(),
    })
    this.#begin(stream)
    try {
      if (mount.hold || incoming.waits) await this.someone(signal)
      await this.#pass(stream, incoming, signal)
      stream.complete()
      this.#flush(stream)
    } catch (reason) {
      stream.fail(reason)
      throw reason
    } finally {
      this.#publisher = undefined
      this.#end(stream)
    }
    return stream.received
  }

  async #pass(stream: Stream, { body, waits = false }: Incoming, signal: AbortSignal): Promise<void> {
    for await (const chunk of abortable(body, signal)) {
      this.counts.received += chunk.length
      this.#parts.passed(chunk.length)
      stream.write(chunk)
      this.#come(stream)
      if (waits || this.mount.hold) await this.#room(stream, waits, signal)
    }
  }

  /** Waits until the fastest listener is not far behind; without any only when the source waits for them. */
  async #room(stream: Stream, waits: boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#audience.size === 0 && !waits) return
      for (const listener of this.#audience) if (listener.lag <= AHEAD) return
      await this.#moves.next(signal)
      if (stream.state !== 'growing') return
    }
  }

  /** Ends what is published now. */
  stop(reason: unknown): void {
    this.#publisher?.ending.abort(reason)
  }

  /** Resolves when somebody listens. */
  async someone(signal: AbortSignal): Promise<void> {
    while (!this.#isWanted) await this.#came.next(signal)
  }

  /** Resolves when nobody has listened for `ms`. */
  async nobody(ms: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      while (this.#isWanted) await this.#moves.next(signal)
      const came = this.#came.next(signal).then(() => true)
      let timer: NodeJS.Timeout | undefined
      const quiet = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)))
      try {
        if (!(await Promise.race([came, quiet]))) return
      } finally {
        clearTimeout(timer)
        came.catch(() => {})
      }
    }
  }

  #begin(stream: Stream): void {
    this.#stream = stream
    this.#failure = undefined
    this.#passed = 0
    this.#isReady = false
    this.#audience = new Set()
    this.counts.streams++
    this.#began.notify()
    this.#parts.happened('published', { type: stream.type, address: this.#publisher?.incoming.address ?? '' })
  }

  #end(stream: Stream): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    this.#stream = undefined
    this.#failure = stream.failure
    this.#parts.happened('ended', { bytes: stream.received })
    this.#parts.changed()
  }

  /** Bytes have come: passes them on, at once or together with the next ones. */
  #come(stream: Stream): void {
    const above = this.#audience.size - MANY
    if (!this.#gathering) this.#gatheredSince = performance.now()
    if (above <= 0 || stream.end - this.#passed >= GATHERED) this.#flush(stream)
    else this.#gathering ??= setTimeout(() => this.#flush(stream), Math.min(LONGEST_GATHER, above * GATHER))
  }

  #flush(stream: Stream): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    if (!this.#isReady && stream.isReady) {
      this.#isReady = true
      this.#isFresh = true
      this.#parts.changed()
      this.#isFresh = false
    }
    const from = this.#passed
    const to = stream.end
    if (to <= from) return
    this.#passed = to
    if (this.#audience.size === 0) return
    const piece = new Piece(stream.between(from, to))
    for (const listener of this.#audience) listener.take(piece, from)
    this.#parts.delays.add(performance.now() - this.#gatheredSince)
  }

  /** Takes a listener of this media type on; it hears the mount, or its fallback, as soon as there is something to hear. */
  join({ wantsTitles, ...who }: Joining, type: string | undefined): Listener {
    const { mount, nextId, now } = this.#parts
    const titles = wantsTitles && type !== undefined && bearsTitles(type) ? new IcyTitles() : undefined
    const policy = { slow: mount.slow, maxLag: mount.maxLag }
    const listener = new Listener(this, { ...who, id: nextId(), since: now(), type, policy, titles })
    this.#listeners.set(listener.parts.id, listener)
    if (mount.maxDuration < MAX_TIMER) listener.limit(mount.maxDuration)
    this.counts.joined++
    this.counts.peak = Math.max(this.counts.peak, this.#listeners.size)
    this.#came.notify()
    this.#parts.happened('joined', { id: listener.parts.id, address: who.address })
    const best = this.best(type)
    if (best) best.#admit(listener, mount.burst)
    return listener
  }

  /** Somebody is going to listen, for which sources may wait. Gives the way to say that it has come, or will not. */
  expect(): () => void {
    this.#expected++
    this.#came.notify()
    return () => {
      this.#expected--
      this.#moves.notify()
    }
  }

  /** Resolves when there is something to hear here, or about to be. False when nothing came within `ms`. */
  async begun(ms: number, signal: AbortSignal): Promise<boolean> {
    const late = AbortSignal.any([signal, AbortSignal.timeout(ms)])
    try {
      while (!this.#stream && !this.best()) await this.#began.next(late)
      return true
    } catch {
      return false
    }
  }

  get #isWanted(): boolean {
    return this.#listeners.size + this.#expected > 0
  }

  /** The channel whose stream those who came here hear: this one, or the first of its fallbacks that has one of this type. */
  best(type?: string, seen = new Set<Channel>()): Channel | undefined {
    const stream = this.#isReady ? this.#stream : undefined
    if (stream && (type === undefined || essence(stream.type) === essence(type))) return this
    seen.add(this)
    const next = this.#fallback
    return next && !seen.has(next) ? next.best(type, seen) : undefined
  }

  get #fallback(): Channel | undefined {
    return this.mount.fallback === undefined ? undefined : this.#parts.find(this.mount.fallback)
  }

  /** Has everybody who came here hear what is best now. Called when a stream of any mount begins or ends. */
  settle(): void {
    for (const listener of this.#listeners.values()) {
      const heard = listener.stream
      const best = this.best(listener.parts.type)
      // Who has heard something has enough to play until the next bytes come.
      if (best && heard !== best.#stream) best.#admit(listener, heard ? 0 : this.mount.burst)
      else if (!best && heard && heard.state !== 'growing' && !this.mount.reopen)
        listener.finish(heard.state === 'failed' ? heard.failure : undefined)
      else if (!best && !heard && !this.#stream && !this.#awaited) listener.finish(this.#failure)
    }
  }

  /** A source of this program is going to begin, so that listeners may wait for it. */
  get #awaited(): boolean {
    return this.mount.reopen || this.mount.source !== ''
  }

  #admit(listener: Listener, burst: number): void {
    const start = this.#stream?.start(this.#isFresh ? Infinity : burst)
    if (!this.#stream || !start) return
    listener.audience?.delete(listener)
    listener.audience = this.#audience
    this.#audience.add(listener)
    listener.tune(this.#stream, start)
  }

  /** Names what is played from now on. */
  setTitle(title: Title): void {
    if (!this.#stream) throw new AppError('not-found', 'Source does not exist')
    this.#stream.setTitle(title)
    this.#parts.happened('title', { title: title.title })
  }

  /** Ends a listener, or without a number the publisher. Throws `not-found`. */
  end(id: number | undefined): void {
    if (id === undefined ? this.#publisher === undefined : !this.#listeners.has(id))
      throw new AppError('not-found', id === undefined ? 'nobody publishes' : `there is no listener ${id}`)
    if (id === undefined) this.stop(new AppError('aborted', 'the publisher was ended'))
    else this.kick(id)
  }

  /** Ends a listener. False when there is none of that number. */
  kick(id: number): boolean {
    const listener = this.#listeners.get(id)
    listener?.kick(new AppError('aborted', 'the listener was ended'))
    return listener !== undefined
  }

  /** Has all who came here go to another mount. */
  moveTo(other: Channel): number {
    const moved = [...this.#listeners.values()]
    for (const listener of moved) {
      this.#listeners.delete(listener.parts.id)
      other.#listeners.set(listener.parts.id, listener)
      listener.home = other
    }
    other.counts.peak = Math.max(other.counts.peak, other.#listeners.size)
    this.#moves.notify()
    other.#came.notify()
    this.#parts.changed()
    return moved.length
  }

  /** Ends everything here in order: listeners get what there is and then an end. */
  close(): void {
    this.stop(new AppError('aborted', 'the mount is closed'))
    for (const listener of this.#listeners.values()) listener.finish()
  }

  left(listener: Listener): void {
    this.#listeners.delete(listener.parts.id)
    listener.audience?.delete(listener)
    this.#moves.notify()
    this.#parts.happened('left', { id: listener.parts.id, bytes: listener.sent })
  }

  slowed(what: 'dropped' | 'skipped', bytes: number): void {
    this.counts[what]++
    this.#parts.happened(what, { bytes })
  }

  moved(bytes: number): void {
    this.counts.sent += bytes
    this.#parts.passed(bytes)
    this.#moves.notify()
  }
}
