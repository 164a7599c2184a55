import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { errorCode } from '../base/error.ts'
import { Connection } from './connection.ts'
import { refusalResponse } from './error.ts'
import { EndlessExchange } from './endless.ts'
import type { Site } from './exchange.ts'
import { Http1Exchange, type Pair } from './exchange1.ts'
import { overLimit } from './limits.ts'
import type { HttpResponse } from './message.ts'
import { requestLine, turnAway, whenLetGo } from './refuse.ts'
import { Repeats } from './repeats.ts'
import { answer, refuse } from './send.ts'
import { checkHead, type Refusal } from './strict.ts'
import { isLengthless, Takeover } from './takeover.ts'
import { parseTarget, type Target, unreadTarget } from './target.ts'

const KIB = 1024

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
  readonly exceeded: (connection: Connection) => boolean
  /** Takes over a plain connection that opened with the HTTP/2 preface, of which `rest` came after it. False = refused. */
  upgrade(connection: Connection, rest: Buffer): boolean
}

/** Requests on one connection before it is closed, so that none lives for ever. */
const MAX_REQUESTS = 100_000
const MAX_TIMER = 2 ** 31 - 1
/** An idle connection is kept for so much longer than is announced: a request may be on its way, ms. */
const IDLE_GRACE_MS = 1000

/**
 * The HTTP/1 side of a server: connections are handed to it with `emit('connection', socket)`, it never listens itself.
 * `close` it to stop its timers.
 */
export function http1Server(site: Site, settings: Http1Settings): Server {
  const { headerTimeout, readTimeout } = settings
  const { uploads } = site
  // Node ends every request that takes longer. Where some may, each of the others has a timer of its own.
  const longest = timer(readTimeout)
  const requestTimeout = uploads ? 0 : longest
  const takeover = new Takeover((req) => isLengthless(req) && isEndless(site, req))
  const headersTimeout = longest > 0 ? Math.min(headerTimeout, longest) : headerTimeout
  const server = createServer({
    maxHeaderSize: Math.min(settings.maxHeaderBytes + 4 * KIB, 64 * KIB),
    headersTimeout,
    requestTimeout,
    connectionsCheckingInterval: Math.min(5000, Math.max(100, headersTimeout / 4)),
    // See onQuiet.
    keepAliveTimeout: 0,
    requireHostHeader: false,
    rejectNonStandardBodyWrites: true,
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: takeover.takes,
  })
  if (uploads) takeover.watch(server, (req, socket, first) => onEndless(site, settings, { req, socket, first }))
  server.maxHeadersCount = 0
  // Else Node ends a connection when the client has ended its side, without the answers that this waits for. Not documented.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.maxRequestsPerSocket = MAX_REQUESTS
  server.timeout = timer(shortest(settings))
  server.on('connection', (socket: Socket) => {
    const connection = Connection.of(socket)
    if (connection) connection.repeats = new Repeats(connection, site, settings.exceeded)
  })
  server.on('request', (req, res) => onRequest(site, settings, { req, res, expects: false }))
  server.on('checkContinue', (req, res) => onRequest(site, settings, { req, res, expects: true }))
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) =>
    onRequest(site, settings, { req, res, expects: false }, { status: 417, message: 'Expectation Failed' }),
  )
  server.on('connect', ({ url, httpVersion }, socket: Socket) => {
    Connection.of(socket)?.repeats?.stop()
    turnAway(site, socket, {
      status: 405,
      headers: 'Allow: GET, HEAD\r\n',
      line: `CONNECT ${url} HTTP/${httpVersion}`,
    })
  })
  server.on('clientError', (error, socket) => onClientError(site, settings, error, socket as Socket))
  server.on('timeout', (socket) => onQuiet(settings, socket))
  // Starts the checks of headersTimeout and requestTimeout, which else wait for listen().
  server.emit('listening')
  return server
}

/** A duration as Node's servers take it: 0 = none. */
function timer(ms: number): number {
  return ms === Infinity ? 0 : Math.min(MAX_TIMER, Math.max(1, Math.ceil(ms)))
}

function onRequest(site: Site, settings: Http1Settings, pair: Pair, known?: Refusal): void {
  const { req } = pair
  const connection = Connection.of(req.socket)
  // What follows the last answer is no request any more.
  if (connection === undefined || connection.closing) return
  const { host, target, refusal, misses } = aim(site, req, known ?? checkHead(req, connection.knownHost))
  const exchange = new Http1Exchange(site, connection, host, target, pair)
  connection.begin(exchange)
  if (site.uploads) exchange.limit(settings.readTimeout)
  if (settings.exceeded(connection)) return refuseLast(exchange, overLimit())
  if (refusal) return refuseLast(exchange, refusal)
  if (misses) return refuse(exchange, misses)
  if (exchange.lengthless) connection.closing = true
  answer(exchange)
}

interface Aim {
  readonly host: string
  readonly target: Target
  /** Answers a head that is not right: nothing that follows is trusted. */
  readonly refusal?: HttpResponse
  /** Answers a target that leads nowhere. */
  readonly misses?: HttpResponse
}

/** Where a request goes; `refusal` is what is wrong with its head. */
function aim({ base }: Site, req: IncomingMessage, refusal: Refusal | undefined): Aim {
  const host = hostOf(req)
  const url = req.url ?? ''
  if (refusal) return { host, target: unreadTarget(url), refusal: refusalResponse(refusal) }
  const target = parseTarget(url, req.method ?? '', host, base)
  return 'status' in target ? { host, target: unreadTarget(url), misses: target } : { host, target }
}

/** True for a request to a path that takes bodies without an end. */
function isEndless({ uploads, base }: Site, req: IncomingMessage): boolean {
  const target = parseTarget(req.url ?? '', req.method ?? '', hostOf(req), base)
  return uploads !== undefined && !('status' in target) && !target.directory && uploads.endless(target.path)
}

interface Taken {
  readonly req: IncomingMessage
  readonly socket: Socket
  /** What came with the head. */
  readonly first: Buffer
}

/** A request whose body ends with its connection. It is answered when all before it were. */
function onEndless(site: Site, settings: Http1Settings, { req, socket, first }: Taken): void {
  const connection = Connection.of(socket)
  connection?.repeats?.stop()
  if (connection === undefined || connection.closing) return
  socket.setTimeout(0)
  if (first.length > 0) socket.unshift(first)
  connection.whenIdle(() => {
    const { host, target, refusal, misses } = aim(site, req, checkHead(req))
    const exchange = new EndlessExchange(site, connection, host, target, { req, socket })
    connection.begin(exchange)
    const over = settings.exceeded(connection) ? overLimit() : (refusal ?? misses)
    if (over) refuse(exchange, over)
    else answer(exchange)
  })
}

/** The host that is asked for: that of an absolute target counts, and the header then does not (RFC 9112 section 3.2.2). */
function hostOf(req: IncomingMessage): string {
  const url = req.url ?? ''
  const named = url.startsWith('/') ? undefined : /^https?:\/\/([\w.:[\]-]+)(?=[/?]|$)/i.exec(url)?.[1]
  return named ?? req.headers.host ?? ''
}

function refuseLast(exchange: Http1Exchange, response: HttpResponse): void {
  exchange.connection.closing = true
  refuse(exchange, response)
}

function onClientError(site: Site, settings: Http1Settings, error: Error, socket: Socket): void {
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
  const begun = connection.active > 0
  connection.latest?.left()
  const line = begun ? undefined : requestLine(error)
  whenLetGo(connection, () => turnAway(site, socket, { status: statusOfParser(code), line }))
}

function statusOfParser(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
}

/**
 * Nothing went over a socket for a while. That ends it when a client takes nothing of its response for too long, or asks for
 * nothing more; not when it is the handler that takes its time. One timer is for both: Node's way, which sets another one for
 * each answer and each request, costs as much as the rest of their timers.
 */
function onQuiet(settings: Http1Settings, socket: Socket): void {
  const { writeIdle, idleTimeout } = settings
  const connection = Connection.of(socket)
  if (!connection) return void socket.destroy()
  const isBusy = connection.active > 0
  const stalls = socket.writableLength > 0
  const most = isBusy || stalls ? writeIdle : idleTimeout + IDLE_GRACE_MS
  const left = most - connection.quietFor(socket.timeout ?? 0)
  // It is looked at again before the other limit may be over, whatever goes on by then.
  if (left > 0 || (isBusy && !stalls)) socket.setTimeout(timer(Math.min(left > 0 ? left : most, shortest(settings))))
  else socket.destroy()
}

/** The first time (ms) at which a connection on which nothing moves may be over a limit; Infinity = never. */
function shortest({ writeIdle, idleTimeout }: Http1Settings): number {
  return Math.min(writeIdle, idleTimeout + IDLE_GRACE_MS)
}
