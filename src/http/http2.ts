import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import type { Socket } from 'node:net'
import { bodyOf, type Body } from '../base/body.ts'
import type { Connection } from './connection.ts'
import { refusalResponse, textResponse } from './error.ts'
import { Exchange, type Framing, type Site } from './exchange.ts'
import { gather, intake, type IntakeSettings } from './intake.ts'
import { overLimit } from './limits.ts'
import type { HeaderList } from './message.ts'
import type { Piece } from './pushed.ts'
import { LINGER_MS } from './refuse.ts'
import { answer, refuse } from './send.ts'
import { checkHead2 } from './strict.ts'
import { parseTarget, type Target, unreadTarget } from './target.ts'

const KIB = 1024
const CHUNK = 64 * KIB

export interface Http2Settings {
  /** How long an idle session is kept, ms; Infinity = for ever. */
  readonly idleTimeout: number
  /** Longest time for a whole request with its body, ms; Infinity = none. */
  readonly readTimeout: number
  /** How long a client may take nothing of a response, ms; Infinity = for ever. */
  readonly writeIdle: number
  exceeded(connection: Connection): boolean
}

/** Limits against floods: those of the protocol library, tighter than its defaults. */
const options: ServerOptions = {
  settings: {
    maxConcurrentStreams: 128,
    initialWindowSize: 64 * KIB - 1,
    maxHeaderListSize: 16 * KIB,
    enablePush: false,
    enableConnectProtocol: false,
  },
  maxHeaderListPairs: 104,
  maxSessionMemory: 4,
  maxSettings: 32,
  maxOutstandingPings: 10,
  maxSessionInvalidFrames: 50,
  maxSessionRejectedStreams: 50,
  streamResetBurst: 200,
  streamResetRate: 33,
  peerMaxConcurrentStreams: 100,
}

/** Oldest that a session gets before its client is asked to open another one, ms. */
const MAX_AGE = 3_600_000
/** Streams that end in a reset, pings and settings that a client may send between two sweeps. */
const MAX_EVENTS = 2000
/** Bytes that a request may take besides the body that was read: its head, and a window of body that waits to be read. */
const REQUEST_BYTES = 72 * KIB
/** Bytes that a client may send between two sweeps beyond what its requests and their answers explain. */
const MAX_OVERHEAD = 512 * KIB
const MAX_TIMER = 2 ** 31 - 1

/** One HTTP/2 connection: passes its streams on as exchanges, and watches over what its client does. */
export class Session {
  readonly connection: Connection
  readonly #site: Site
  readonly #settings: Http2Settings
  readonly #session: ServerHttp2Session
  readonly #open = new Set<Http2Exchange>()
  readonly #born = performance.now()
  #events = 0
  #streams = 0
  /** Bytes of request bodies: of streams that have ended, and of all at the last sweep. */
  #ended = 0
  #bodies = 0
  #read = 0
  #written = 0

  constructor(site: Site, settings: Http2Settings, connection: Connection, socket: Socket) {
    this.connection = connection
    this.#site = site
    this.#settings = settings
    const session = performServerHandshake(socket, options)
    this.#session = session
    // Errors of a session end it; they are the client's.
    session.on('error', () => {})
    session.on('frameError', () => {})
    session.on('ping', () => this.#events++)
    session.on('remoteSettings', () => this.#events++)
    session.on('stream', (stream, headers, _, rawHeaders) => this.#onStream(stream, headers, rawHeaders))
    socket.once('end', () => this.#onEnd())
    if (settings.idleTimeout < MAX_TIMER) session.setTimeout(settings.idleTimeout, () => this.#onIdle())
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): void {
    stream.on('error', () => {})
    this.#streams++
    const method = headers[':method'] ?? ''
    const host = headers[':authority'] ?? headers.host ?? ''
    const refusal = checkHead2({ method, scheme: headers[':scheme'], host, rawHeaders })
    const url = headers[':path'] ?? ''
    const target = refusal ? undefined : parseTarget(url, method, host, this.#site.base)
    const good = target && !('status' in target) ? target : undefined
    const exchange = new Http2Exchange(this.#site, this.connection, host, good ?? unreadTarget(url), {
      stream,
      headers,
      rawHeaders,
    })
    this.#open.add(exchange)
    stream.once('close', () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.#events++
      this.#open.delete(exchange)
      this.#ended += exchange.received
      exchange.closed()
    })
    exchange.begin(this.#settings.readTimeout)
    if (this.#settings.exceeded(this.connection)) refuse(exchange, overLimit())
    else if (refusal) refuse(exchange, refusalResponse(refusal))
    else if (good) answer(exchange)
    else refuse(exchange, target && 'status' in target ? target : textResponse(400))
  }

  /** The client sends nothing more: what it has not sent whole will never be, but it may still read for a while. */
  #onEnd(): void {
    for (const exchange of this.#open) if (exchange.isBodyPending) exchange.destroy()
    this.end()
    const timer = setTimeout(() => this.#session.destroy(), LINGER_MS).unref()
    this.#session.once('close', () => clearTimeout(timer))
  }

  #onIdle(): void {
    if (this.#open.size === 0) this.end()
    else this.#session.setTimeout(this.#settings.idleTimeout)
  }

  /** Takes no new requests (GOAWAY) and closes when those under way are done. */
  end(): void {
    if (!this.#session.closed) this.#session.close()
  }

  /** Called every few seconds: ends what stalls, what floods and what is old. */
  sweep(): void {
    const session = this.#session
    if (session.destroyed) return
    const now = performance.now()
    for (const exchange of this.#open) if (exchange.isStalled(now, this.#settings.writeIdle)) exchange.destroy()
    if (this.#floods()) {
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
      session.destroy()
    } else if (now - this.#born > MAX_AGE) this.end()
  }

  #floods(): boolean {
    const { bytesRead, bytesWritten } = this.#session.socket
    const bodies = [...this.#open].reduce((sum, exchange) => sum + exchange.received, this.#ended)
    const requests = (this.#open.size + this.#streams) * REQUEST_BYTES
    const answers = (bytesWritten - this.#written) / 256
    const overhead = bytesRead - this.#read - (bodies - this.#bodies) - requests - answers
    const floods = this.#events > MAX_EVENTS || overhead > MAX_OVERHEAD
    this.#read = bytesRead
    this.#written = bytesWritten
    this.#bodies = bodies
    this.#streams = 0
    this.#events = 0
    return floods
  }
}

interface Pair {
  readonly stream: ServerHttp2Stream
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
}

class Http2Exchange extends Exchange {
  /** Bytes of the request body so far. */
  received = 0
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  #body: Body | undefined
  /** When the write that the client has not taken yet began, and its size. */
  #pending: { readonly since: number; readonly bytes: number } | undefined
  #readTimer: NodeJS.Timeout | undefined
  /** What still comes of the body is not taken any more. */
  #cut = false

  constructor(site: Site, connection: Connection, host: string, target: Target, { stream, headers, rawHeaders }: Pair) {
    super(site, connection, connection.peer(host), headers[':method'] ?? '', target)
    this.#stream = stream
    this.#headers = headers
    this.rawHeaders = rawHeaders
  }

  begin(readTimeout: number): void {
    this.connection.begin(this)
    if (!this.#stream.endAfterHeaders && readTimeout < MAX_TIMER && !this.#lasts)
      this.#readTimer = setTimeout(() => {
        if (!this.#stream.readableEnded) this.destroy()
      }, readTimeout).unref()
  }

  get #lasts(): boolean {
    return this.site.uploads?.endless(this.path) === true
  }

  /** The stream is no more. */
  closed(): void {
    clearTimeout(this.#readTimer)
    this.left()
  }

  get protocol(): string {
    return 'HTTP/2.0'
  }

  get chunk(): number {
    return CHUNK
  }

  header(name: string): string | undefined {
    const value = this.#headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  get contentLength(): number | undefined {
    const length = this.#headers['content-length']
    return length === undefined ? undefined : Number(length)
  }

  get body(): Body {
    this.#body ??= this.#stream.endAfterHeaders ? bodyOf() : intake(this.#stream, this.#intakeSettings())
    return this.#body
  }

  async whole(max: number, enough?: (chunk: Uint8Array) => number | undefined): Promise<Uint8Array> {
    if (this.#stream.endAfterHeaders) return new Uint8Array()
    return await gather(this.#stream, this.#intakeSettings(), max, enough)
  }

  #intakeSettings(): IntakeSettings {
    const stream = this.#stream
    return {
      idle: this.site.bodyIdle,
      length: this.contentLength,
      lasts: this.#lasts,
      begin: () => {
        if (this.#headers.expect !== undefined && !stream.headersSent) stream.additionalHeaders({ ':status': 100 })
      },
      isComplete: () => stream.readableEnded && !stream.aborted && !this.#cut,
      isCut: () => this.#cut,
      late: () => (this.late = true),
      count: (bytes) => (this.received += bytes),
    }
  }

  get isBodyPending(): boolean {
    return !this.#stream.endAfterHeaders && !this.#stream.readableEnded
  }

  get started(): boolean {
    return this.#stream.headersSent
  }

  protected get isDestroyed(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  /** True when a write has been waiting for longer than a slow but honest client needs. */
  isStalled(now: number, writeIdle: number): boolean {
    if (!this.#pending) return false
    const { since, bytes } = this.#pending
    return now - since > writeIdle * Math.max(1, bytes / CHUNK)
  }

  head(status: number, headers: HeaderList, { length, bodiless }: Framing): void {
    const list: string[] = [':status', String(status)]
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string
      if (!dropped.has(name)) list.push(name, headers[i + 1] as string)
    }
    if (length !== undefined) list.push('content-length', String(length))
    this.#stream.respond(list, bodiless ? { endStream: true } : undefined)
  }

  protected put(chunk: Uint8Array | string, done: (error?: Error | null) => void): void {
    this.#pending = { since: performance.now(), bytes: chunk.length }
    this.#stream.write(chunk, (error) => {
      this.#pending = undefined
      done(error)
    })
  }

  offer(piece: Piece): boolean {
    const { bytes } = piece
    this.sent += bytes.length
    const hasRoom = this.#stream.write(bytes, () => (this.#pending = undefined))
    this.#pending ??= { since: performance.now(), bytes: bytes.length }
    return hasRoom
  }

  whenDrained(call: () => void): void {
    this.#stream.on('drain', call)
  }

  end(chunk?: Uint8Array | string, done?: (error?: Error | null) => void): void {
    this.#pending = { since: performance.now(), bytes: chunk?.length ?? 0 }
    const ended = (error?: Error | null) => {
      this.#pending = undefined
      done?.(error)
    }
    if (chunk === undefined) this.#stream.end(ended)
    else this.#stream.end(chunk, ended)
    if (this.isBodyPending) this.#cutBody()
  }

  /** The rest of the request body will not be read: tells the client to stop (RFC 9113 section 8.1). */
  #cutBody(): void {
    this.#cut = true
    this.#stream.close(constants.NGHTTP2_NO_ERROR)
    // Who answered need not have waited for all who read.
    this.#stream.emit('aborted')
    // What is left unread would keep the stream; a reader lets it go himself.
    if (this.#stream.listenerCount('readable') === 0) this.#stream.resume()
  }

  destroy(): void {
    // close() ends the writing side first, which would send END_STREAM: the client would take what it has for the whole.
    this.#stream._final = (done) => done()
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }
}

/** Headers that belong to a connection and have no place in HTTP/2 (RFC 9113 section 8.2.2), and the one that we set. */
const dropped = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'content-length',
])
