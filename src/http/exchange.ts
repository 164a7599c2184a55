import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import type { CanonicalPath } from '../base/path.ts'
import type { Context, ContextChange } from '../core/context.ts'
import type { OptionBlock, Values } from '../schema/option.ts'
import type { Buffers } from './buffers.ts'
import type { KeptAnswer, KeptAnswers } from './kept.ts'
import type { Activity, Connection } from './connection.ts'
import type { Handler, HeaderList, HttpRequest, Middleware, Peer, User } from './message.ts'
import type { Sink } from './pump.ts'
import type { Piece } from './pushed.ts'
import type { Target } from './target.ts'

/** What a server says of the bodies that it takes at some paths. */
export interface UploadPaths {
  /** A body may last for ever here, and end with its connection instead of a length. */
  endless(path: CanonicalPath): boolean
  /**
   * The sender of a body in chunks is told at once to go on, although it did not ask (RFC 9110 section 15.2 lets a client
   * skip that): what it sent in small writes then does not wait for the acknowledgement of the first one (live.md, fact 1).
   */
  early(path: CanonicalPath): boolean
}

/** What all exchanges of one server share. */
export interface Site {
  readonly ctx: Context
  readonly handler: Handler
  /** Sees what is refused before `handler` is asked, as it sees all other requests: the access log. */
  readonly refused: Middleware
  /** From `normalBase`. */
  readonly base: string
  readonly buffers: Buffers
  readonly kept: KeptAnswers
  /** Longest wait for the next bytes of a request body, ms; Infinity = none. */
  readonly bodyIdle: number
  /** Longest time for a whole response, ms; Infinity = none. */
  readonly writeTimeout: number
  /** Absent: no body is longer than the time for a request, and one without a length is none. */
  readonly uploads?: UploadPaths | undefined
  /** Failed requests in a row after which a connection is closed; Infinity = none. */
  readonly maxErrors: number
  /** Every answer closes its connection. */
  readonly noKeepalive: boolean
  /** True while the server ends: every answer closes its connection. */
  draining: boolean
}

/** How the body of a response is delimited. */
export interface Framing {
  /** Content-Length; undefined = none is sent. */
  readonly length: number | undefined
  /** Nothing follows the head. */
  readonly bodiless: boolean
  /** The connection ends after this response. */
  readonly close: boolean
}

/**
 * One request and its response on a socket: the request that handlers see, and what `send` writes the response with. The
 * two subclasses, one for each version of HTTP, are the only code that knows Node's objects for them.
 */
export abstract class Exchange implements HttpRequest, Sink {
  abstract readonly protocol: string
  abstract readonly chunk: number
  readonly method: string
  readonly peer: Peer
  readonly site: Site
  readonly connection: Connection
  user: User | undefined = undefined
  /** Bytes of the body that the socket has taken, as far as somebody waited for it. */
  sent = 0
  /** Set when the client was too slow with its body: the answer is then 408. */
  late = false
  next: Activity | undefined
  previous: Activity | undefined
  readonly #target: Target
  #left = false
  #abort: AbortController | undefined
  /** Ends the wait for the write under way. */
  #wake: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #open = true
  /** Called when the client leaves while a body is pushed to it. */
  onLeft: (() => void) | undefined

  constructor(site: Site, connection: Connection, peer: Peer, method: string, target: Target) {
    this.site = site
    this.connection = connection
    this.peer = peer
    this.method = method
    this.#target = target
    if (site.writeTimeout !== Infinity) this.#timer = setTimeout(() => this.destroy(), site.writeTimeout).unref()
  }

  get rawPath(): string {
    return this.#target.rawPath
  }

  get path(): CanonicalPath {
    return this.#target.path
  }

  get directory(): boolean {
    return this.#target.directory
  }

  get query(): string {
    return this.#target.query
  }

  get base(): string {
    return this.#target.base
  }

  abstract get contentLength(): number | undefined
  abstract header(name: string): string | undefined
  abstract get rawHeaders(): readonly string[]
  abstract get body(): Body
  abstract whole(max: number, enough?: (chunk: Uint8Array) => number | undefined): Promise<Uint8Array>

  /** Aborts when the client leaves before its answer is complete, or the server closes. Made on first use. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController()
      this.watch()
      if (this.gone) this.left()
      else if (this.site.ctx.signal.aborted) this.#abort.abort(this.site.ctx.signal.reason)
    }
    return this.#abort.signal
  }

  /** True when nobody takes the response any more. */
  get gone(): boolean {
    return this.#left || this.isDestroyed
  }

  /** From now on `left` is called when the client leaves. */
  watch(): void {
    this.connection.watch(this)
  }

  /** The client has left, or must be treated as if it had: whoever waits for it is let go. */
  left(): void {
    if (!this.#open) return
    this.#left = true
    this.#wake?.()
    this.onLeft?.()
    this.#abort?.abort(new AppError('aborted', 'the client has left'))
  }

  /** The server closes: ends the work for this request. */
  stop(reason: unknown): void {
    this.#abort?.abort(reason)
  }

  /** What is pushed goes on without an end: only cutting it off ends it. All else can still answer, should somebody wait for that. */
  abandoned(): void {
    if (this.onLeft) this.destroy()
    else this.#abort?.abort(new AppError('aborted', 'the client has left'))
  }

  async write(chunk: Uint8Array | string): Promise<number> {
    if (this.gone) return 0
    const begun = performance.now()
    const taken = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(false)
      this.put(chunk, (error) => resolve(!error))
    })
    this.#wake = undefined
    if (taken) this.sent += chunk.length
    return performance.now() - begun
  }

  /**
   * Has `send` write bytes of the body to the socket itself, and gives the count that it gives. undefined, and `send` is not
   * called, when that cannot be: the bytes are framed or encrypted, or earlier ones still wait.
   */
  direct(_send: (descriptor: number) => number | undefined): number | undefined {
    return undefined
  }

  /** Ends the response. True when the socket has taken all of it, false when the client left before. */
  async finish(chunk?: Uint8Array | string): Promise<boolean> {
    if (this.gone) return false
    const taken = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(false)
      this.end(chunk, (error) => resolve(!error))
    })
    this.#wake = undefined
    if (taken && chunk !== undefined) this.sent += chunk.length
    return taken
  }

  /** The exchange is over, one way or the other. Safe to call twice. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    if (this.#timer) clearTimeout(this.#timer)
    this.connection.end()
    this.connection.unwatch(this)
  }

  /** True once the head is on its way: a failure can then only be shown by cutting the connection. */
  abstract get started(): boolean
  protected abstract get isDestroyed(): boolean
  /** True while bytes of the request body are still to come. */
  abstract get isBodyPending(): boolean
  /** Sends a whole answer that is kept for many requests; false = it has to go the usual way. */
  kept(_answer: KeptAnswer): boolean {
    return false
  }
  /** Has the head go out before there is anything of the body. */
  flush(): void {}
  /** Writes a piece of a pushed body. False = full: nothing more before `whenDrained` calls. */
  abstract offer(piece: Piece): boolean
  /** Calls, once for each time, when a client that had enough has taken what it was given. */
  abstract whenDrained(call: () => void): void
  /** Sends the head. Throws when a header cannot be sent; nothing is sent then. */
  abstract head(status: number, headers: HeaderList, framing: Framing): void
  /** Writes a chunk of the body; `done` is called when the socket has taken it. */
  protected abstract put(chunk: Uint8Array | string, done: (error?: Error | null) => void): void
  /** Writes the last chunk, if there is one, and ends the response. */
  abstract end(chunk?: Uint8Array | string, done?: (error?: Error | null) => void): void
  /** Cuts the connection (HTTP/2: the stream), so that the client sees that the response is not complete. */
  abstract destroy(): void
}

/** The context of one request: that of the server, with a signal that is made only when somebody looks at it. */
export class RequestContext implements Context {
  readonly #exchange: Exchange

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }

  get log(): Context['log'] {
    return this.#exchange.site.ctx.log
  }

  get stats(): Context['stats'] {
    return this.#exchange.site.ctx.stats
  }

  get filter(): Context['filter'] {
    return this.#exchange.site.ctx.filter
  }

  get<B extends OptionBlock>(block: B): Values<B> {
    return this.#exchange.site.ctx.get(block)
  }

  with(change: ContextChange): Context {
    return this.#exchange.site.ctx.with({ ...change, signal: change.signal ?? this.signal })
  }
}
