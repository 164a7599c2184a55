import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Body } from '../base/body.ts'
import { bodyOf } from '../base/body.ts'
import { errorCode } from '../base/error.ts'
import { http } from '../base/node-http.ts'
import { Connection } from './connection.ts'
import { textResponse } from './error.ts'
import { Exchange, type Framing, type Site } from './exchange.ts'
import { gather, intake, type IntakeSettings } from './intake.ts'
import { overLimit } from './limits.ts'
import type { HeaderList, HttpResponse } from './message.ts'
import { lingeringEnd, rawAnswer } from './refuse.ts'
import { answer, send } from './send.ts'
import { checkHead } from './strict.ts'
import { parseTarget, type Target } from './target.ts'

const KIB = 1024
/** Largest chunk for plain sockets; over TLS each write is copied once more, so it is smaller. */
const PLAIN_CHUNK = 512 * KIB
const TLS_CHUNK = 64 * KIB

export interface Http1Settings {
  /** Bytes of a request head; Go allows 4096 more than it says, and so do we. */
  readonly maxHeaderBytes: number
  /** Longest time for a request head, ms. */
  readonly headerTimeout: number
  /** Longest time for a whole request with its body, ms; Infinity = none. */
  readonly readTimeout: number
  /** How long an idle connection is kept, ms; Infinity = for ever. */
  readonly idleTimeout: number
  /** How long a client may take nothing of a response, ms; Infinity = for ever. */
  readonly writeIdle: number
  /** True for a connection whose requests are over a limit. */
  exceeded(connection: Connection): boolean
  /** Takes over a plain connection that opened with the HTTP/2 preface, of which `rest` came after it. False = refused. */
  upgrade(connection: Connection, rest: Buffer): boolean
}

/** Requests on one connection before it is closed, so that none lives for ever. */
const MAX_REQUESTS = 100_000
const MAX_TIMER = 2 ** 31 - 1

/**
 * The HTTP/1 side of a server: connections are handed to it with `emit('connection', socket)`, it never listens itself.
 * `close` it to stop its timers.
 */
export function http1Server(site: Site, settings: Http1Settings): Server {
  const { headerTimeout, readTimeout } = settings
  const requestTimeout = timer(readTimeout)
  const headersTimeout = requestTimeout > 0 ? Math.min(headerTimeout, requestTimeout) : headerTimeout
  const server = http.createServer({
    maxHeaderSize: Math.min(settings.maxHeaderBytes + 4 * KIB, 64 * KIB),
    headersTimeout,
    requestTimeout,
    connectionsCheckingInterval: Math.min(5000, Math.max(100, headersTimeout / 4)),
    keepAliveTimeout: timer(settings.idleTimeout),
    keepAliveTimeoutBuffer: 1000,
    requireHostHeader: false,
    rejectNonStandardBodyWrites: true,
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: () => false,
  })
  server.maxHeadersCount = 0
  server.maxRequestsPerSocket = MAX_REQUESTS
  server.timeout = timer(settings.writeIdle)
  server.on('request', (req, res) => onRequest(site, settings, req, res))
  server.on('checkContinue', (req, res) => onRequest(site, settings, req, res, true))
  server.on('checkExpectation', (_, res: ServerResponse) => {
    res.writeHead(417, ['content-type', 'text/plain; charset=utf-8', 'content-length', '19', 'connection', 'close'])
    res.end('Expectation Failed\n')
  })
  server.on('connect', (_, socket: Socket) => lingeringEnd(socket, rawAnswer(405, undefined, 'Allow: GET, HEAD\r\n')))
  server.on('clientError', (error, socket) => onClientError(settings, error, socket as Socket))
  server.on('timeout', onStalled)
  // Starts the checks of headersTimeout and requestTimeout, which else wait for listen().
  server.emit('listening')
  return server
}

/** A duration as Node's servers take it: 0 = none. */
function timer(ms: number): number {
  return ms === Infinity ? 0 : Math.min(MAX_TIMER, Math.max(1, Math.ceil(ms)))
}

function onRequest(
  site: Site,
  settings: Http1Settings,
  req: IncomingMessage,
  res: ServerResponse,
  expects = false,
): void {
  const connection = Connection.of(req.socket)
  // What follows the last answer is no request any more.
  if (connection === undefined || connection.closing) return
  const refusal = checkHead(req, connection.knownHost)
  const host = hostOf(req)
  const target = refusal ? nowhere : parseTarget(req.url ?? '', req.method ?? '', host, site.base)
  const refused = 'status' in target
  const exchange = new Http1Exchange(site, connection, host, refused ? nowhere : target, { req, res, expects })
  connection.begin(exchange)
  if (settings.exceeded(connection)) return sendLast(exchange, overLimit())
  if (refusal) return sendLast(exchange, textResponse(refusal.status, refusal.message, allow(refusal.status)))
  answer(exchange, refused ? site.refusals(() => target) : site.handler)
}

/** The host that is asked for: that of an absolute target counts, and the header then does not (RFC 9112 section 3.2.2). */
function hostOf(req: IncomingMessage): string {
  const url = req.url ?? ''
  const named = url.startsWith('/') ? undefined : /^https?:\/\/([\w.:[\]-]+)(?=[/?]|$)/i.exec(url)?.[1]
  return named ?? req.headers.host ?? ''
}

/** A copy of the list that lacks a header. */
function without(headers: HeaderList, name: string): HeaderList {
  if (!headers.includes(name)) return headers.slice()
  return headers.filter((_, i) => headers[i - (i % 2)] !== name)
}

const nowhere = { rawPath: '', path: '', directory: true, query: '', base: '' } as unknown as Target

function allow(status: number): HeaderList {
  return status === 405 ? ['allow', 'GET, HEAD, OPTIONS'] : []
}

function sendLast(exchange: Http1Exchange, response: HttpResponse): void {
  exchange.connection.closing = true
  send(exchange, response)
}

function onClientError(settings: Http1Settings, error: Error, socket: Socket): void {
  const connection = Connection.of(socket)
  const code = errorCode(error)
  if (connection === undefined || code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  // What follows the last answer is read only to be dropped: it fails to parse again and again.
  if (connection.closing) return
  if (code === 'HPE_PAUSED_H2_UPGRADE' && connection.active === 0) {
    const { bytesParsed = 0, rawPacket } = error as { bytesParsed?: number; rawPacket?: Buffer }
    if (rawPacket && settings.upgrade(connection, rawPacket.subarray(bytesParsed))) return
  }
  connection.closing = true
  if (connection.active > 1 || (connection.active === 1 && connection.latest?.started)) {
    socket.destroy()
    return
  }
  connection.latest?.left()
  lingeringEnd(socket, rawAnswer(statusOfParser(code)))
}

function statusOfParser(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
}

/** Nothing went over a socket for as long as a client may stall: that ends it, unless it is the handler that takes its time. */
function onStalled(socket: Socket): void {
  const connection = Connection.of(socket)
  if (connection && connection.active > 0 && socket.writableLength === 0) socket.setTimeout(socket.timeout ?? 0)
  else socket.destroy()
}

/** Bodies up to this size go out in one write with their head. */
const JOINED = 16 * 1024

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

interface Pair {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expects: boolean
}

class Http1Exchange extends Exchange {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #expects: boolean
  #body: Body | undefined
  /** What still comes of the body is not taken any more. */
  #cut = false

  constructor(site: Site, connection: Connection, host: string, target: Target, { req, res, expects }: Pair) {
    super(site, connection, connection.peer(host), req.method ?? '', target)
    this.#req = req
    this.#res = res
    this.#expects = expects
  }

  get protocol(): string {
    return this.#req.httpVersionMinor === 0 ? 'HTTP/1.0' : 'HTTP/1.1'
  }

  get chunk(): number {
    return this.peer.secure ? TLS_CHUNK : PLAIN_CHUNK
  }

  header(name: string): string | undefined {
    const value = this.#req.headers[name]
    // A name of Object.prototype finds something that is no header.
    return typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : undefined
  }

  get rawHeaders(): readonly string[] {
    return this.#req.rawHeaders
  }

  get contentLength(): number | undefined {
    const length = this.#req.headers['content-length']
    return length === undefined ? undefined : Number(length)
  }

  get #hasBody(): boolean {
    const { headers } = this.#req
    return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
  }

  get body(): Body {
    this.#body ??= this.#hasBody ? intake(this.#req, this.#intakeSettings()) : bodyOf()
    return this.#body
  }

  async whole(max: number, enough?: (chunk: Uint8Array) => number | undefined): Promise<Uint8Array> {
    return this.#hasBody ? await gather(this.#req, this.#intakeSettings(), max, enough) : new Uint8Array()
  }

  #intakeSettings(): IntakeSettings {
    const req = this.#req
    return {
      idle: this.site.bodyIdle,
      length: this.contentLength,
      begin: () => {
        if (this.#expects && !this.started) this.#res.writeContinue()
      },
      isComplete: () => req.complete && !this.#cut,
      isCut: () => this.#cut,
      late: () => (this.late = true),
    }
  }

  /** A request that was refused in the middle of its body ends there, although its connection lingers and may bring the rest. */
  override left(): void {
    super.left()
    if (this.#cut || this.#req.complete) return
    this.#cut = true
    this.#req.emit('aborted')
  }

  get isBodyPending(): boolean {
    return !this.#req.complete && this.#hasBody
  }

  get started(): boolean {
    return this.#res.headersSent
  }

  protected get isDestroyed(): boolean {
    return this.#res.destroyed || this.#req.socket.destroyed
  }

  override kept(status: number, headers: HeaderList, body: Uint8Array): boolean {
    return !this.isBodyPending && this.site.kept.send(this.#res, status, headers, body)
  }

  head(status: number, headers: HeaderList, { length, close }: Framing): void {
    const list = without(headers, 'content-length')
    if (length !== undefined) list.push('content-length', String(length))
    if (close) list.push('connection', 'close')
    this.#res.writeHead(status, list)
    if (!this.isBodyPending && !this.connection.closing) return
    if (close) this.#linger()
    else this.#req.resume()
  }

  /** Has the connection end, after this response, in a way that leaves the client time to read the answer while it still sends its body. */
  #linger(): void {
    const { socket } = this.#req
    const { connection } = this
    socket.destroySoon = () => {
      connection.closing = true
      lingeringEnd(socket)
    }
    this.#req.resume()
  }

  protected put(chunk: Uint8Array | string, done: (error?: Error | null) => void): void {
    this.#res.write(chunk, done)
  }

  end(chunk?: Uint8Array | string, done?: (error?: Error | null) => void): void {
    // Node joins a text with the head into one write; bytes cost a second one.
    if (chunk instanceof Uint8Array && chunk.length <= JOINED) this.#res.end(latin1(chunk), 'latin1', done)
    else this.#res.end(chunk, done)
  }

  destroy(): void {
    this.#req.socket.destroy()
  }
}
