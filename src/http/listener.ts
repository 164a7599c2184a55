import type { Server as HttpServer } from 'node:http'
import { Socket, type AddressInfo, type Server } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { parseAddress, type Address } from './address.ts'
import { bind } from './bind.ts'
import { Buffers } from './buffers.ts'
import { Connection } from './connection.ts'
import type { Site, UploadPaths } from './exchange.ts'
import { http1Server } from './http1.ts'
import { Session } from './http2.ts'
import { Limits } from './limits.ts'
import type { Handler, Middleware } from './message.ts'
import type { HttpOptions } from './options.ts'
import { KeptAnswers } from './kept.ts'
import { requestLine, turnAway } from './refuse.ts'
import { encodePath, normalBase } from './target.ts'
import { certificateName, TlsSide, wantsTls } from './tls.ts'

/** What of the block `http` a listener looks at, the sockets that were opened for the process (`inheritedFds`), and the access log. */
export type ListenSettings = Pick<
  HttpOptions,
  | 'addr'
  | 'baseurl'
  | 'cert'
  | 'key'
  | 'clientCa'
  | 'minTlsVersion'
  | 'http2'
  | 'serverReadTimeout'
  | 'serverWriteTimeout'
  | 'headerTimeout'
  | 'bodyIdle'
  | 'writeIdle'
  | 'idleTimeout'
  | 'maxHeaderBytes'
  | 'maxConnections'
  | 'maxConnectionsPerIp'
  | 'maxClientErrors'
  | 'noKeepalive'
> & {
  readonly fds?: readonly number[]
  readonly uploads?: UploadPaths
  /** Sees the requests that are refused before the handler gets them; none does without it. */
  readonly refused?: Middleware
}

/** A server that listens. */
export interface Listening {
  /** Where clients find it: `http://127.0.0.1:8080/`, or `unix:///run/x.sock`. */
  readonly urls: readonly string[]
  /** The bound addresses, as `host:port` or path. */
  readonly addresses: readonly string[]
  /** Open connections. */
  readonly connections: number
  /** Resolves when the last connection has closed, of which at least one has asked for something. */
  readonly idle: Promise<void>
  /** Reads certificates anew when their files have changed. */
  reload(): Promise<void>
  /**
   * Takes no more connections at once, lets requests end for `drainMs`, then cuts what is left. `now` shortens the wait.
   * Resolves when everything is closed.
   */
  close(options: { drainMs: number; now?: AbortSignal }): Promise<void>
}

/** How often HTTP/2 sessions are looked at: twice per `writeIdle`, within bounds. */
const SWEEP_MS = 5000
const MIN_SWEEP_MS = 50
const DRAIN_CHECK_MS = 50

/**
 * Serves `handler` over HTTP/1.1 and HTTP/2 on all addresses of the settings, or throws with none of them open. Requests
 * get a context derived from `ctx`; when its signal aborts, so do those of the requests.
 */
export async function listen(ctx: Context, handler: Handler, settings: ListenSettings): Promise<Listening> {
  const addresses: Address[] = settings.fds?.length
    ? settings.fds.map((fd) => ({ kind: 'fd', fd, tls: undefined, text: `inherited socket ${fd}` }))
    : settings.addr.map(parseAddress)
  if (addresses.length === 0) throw new AppError('usage', 'no address to listen on: give one with --addr')
  const withTls = wantsTls(settings)
  if (!withTls && addresses.some((address) => address.tls))
    throw new AppError('usage', 'need both --cert and --key to use a tls:// address')
  const tls = withTls ? await TlsSide.open({ ...settings, http2: settings.http2 === 'on' }, ctx.log) : undefined
  const listener = new Listener(ctx, handler, settings, tls)
  try {
    for (const address of addresses) await listener.open(address)
  } catch (reason) {
    await listener.close({ drainMs: 0 })
    throw reason
  }
  return listener
}

class Listener implements Listening {
  readonly urls: string[] = []
  readonly addresses: string[] = []
  readonly #site: Site
  readonly #settings: ListenSettings
  readonly #limits: Limits
  readonly #http1: HttpServer
  readonly #tls: TlsSide | undefined
  readonly #servers: Server[] = []
  readonly #sessions = new Set<Session>()
  readonly #sweep: NodeJS.Timeout
  readonly #idle = Promise.withResolvers<void>()
  #asked = false
  readonly #onAbort = () => {
    for (const connection of this.#limits.connections) connection.stop(this.#site.ctx.signal.reason)
  }

  constructor(ctx: Context, handler: Handler, settings: ListenSettings, tls: TlsSide | undefined) {
    this.#site = {
      ctx,
      handler,
      refused: settings.refused ?? ((next) => next),
      base: normalBase(settings.baseurl),
      buffers: new Buffers(),
      kept: new KeptAnswers(orNone(settings.idleTimeout)),
      bodyIdle: orNone(settings.bodyIdle),
      writeTimeout: orNone(settings.serverWriteTimeout),
      uploads: settings.uploads,
      maxErrors: orNone(settings.maxClientErrors),
      noKeepalive: settings.noKeepalive,
      draining: false,
    }
    this.#settings = settings
    this.#limits = new Limits({
      maxConnections: settings.maxConnections,
      maxPerClient: settings.maxConnectionsPerIp,
    })
    this.#http1 = http1Server(this.#site, {
      ...this.#timeouts,
      maxHeaderBytes: settings.maxHeaderBytes,
      headerTimeout: settings.headerTimeout,
      exceeded: (connection) => this.#limits.exceeded(connection),
      upgrade: (connection, rest) => this.#upgrade(connection, rest),
    })
    this.#tls = tls
    tls?.server.on('secureConnection', (socket) => this.#onSecure(socket))
    const sweepMs = Math.min(SWEEP_MS, Math.max(MIN_SWEEP_MS, orNone(settings.writeIdle) / 2))
    this.#sweep = setInterval(() => this.#sessions.forEach((session) => session.sweep()), sweepMs).unref()
    ctx.signal.addEventListener('abort', this.#onAbort)
  }

  get #timeouts(): { idleTimeout: number; readTimeout: number; writeIdle: number } {
    const { idleTimeout, serverReadTimeout, writeIdle } = this.#settings
    return { idleTimeout: orNone(idleTimeout), readTimeout: orNone(serverReadTimeout), writeIdle: orNone(writeIdle) }
  }

  get idle(): Promise<void> {
    return this.#idle.promise
  }

  get connections(): number {
    return this.#limits.connections.size
  }

  async open(address: Address): Promise<void> {
    const secure = address.tls ?? this.#tls !== undefined
    const server = await bind(address, (socket) => this.#accept(socket, secure))
    this.#servers.push(server)
    const bound = server.address()
    const name = typeof bound === 'string' ? bound : bound ? hostAndPort(bound) : address.text
    this.addresses.push(name)
    const root = this.#site.base === '' ? '/' : `${encodePath(this.#site.base)}/`
    this.urls.push(typeof bound === 'string' ? `unix://${bound}` : `${secure ? 'https' : 'http'}://${name}${root}`)
  }

  #accept(socket: Socket, secure: boolean): void {
    const connection = new Connection(socket)
    socket.on('error', () => {})
    if (!this.#limits.open(connection)) {
      socket.destroy()
      return
    }
    connection.attach(socket)
    this.#follow(connection, socket)
    if (secure) this.#sniff(socket)
    else this.#http1.emit('connection', socket)
  }

  #follow(connection: Connection, socket: Socket): void {
    socket.once('end', () => connection.ended())
    socket.once('close', () => {
      if (connection.socket !== socket) return
      connection.left()
      this.#limits.close(connection)
      this.#asked ||= connection.requested
      if (this.#asked && this.connections === 0) this.#idle.resolve()
    })
  }

  /** Tells who speaks plain HTTP to a TLS port what is wrong; everybody else begins the handshake. */
  #sniff(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), this.#settings.headerTimeout)
    socket.once('close', () => clearTimeout(timer))
    socket.once('data', (first: Buffer) => {
      clearTimeout(timer)
      if (first[0] === TLS_HANDSHAKE) {
        socket.pause()
        socket.unshift(first)
        this.#tls?.server.emit('connection', socket)
      } else {
        const message = 'Client sent an HTTP request to an HTTPS server.'
        turnAway(this.#site, socket, { status: 400, message, line: requestLine({ rawPacket: first }) })
      }
    })
  }

  #onSecure(socket: TLSSocket): void {
    const connection = Connection.of((socket as { _parent?: Socket })._parent ?? socket)
    if (connection === undefined || socket.destroyed) {
      socket.destroy()
      return
    }
    socket.on('error', () => {})
    socket.disableRenegotiation()
    connection.attach(socket)
    connection.socket = socket
    this.#follow(connection, socket)
    connection.secure = true
    connection.certificate = certificateName(socket)
    if (socket.alpnProtocol === 'h2') this.#session(connection, socket)
    else this.#http1.emit('connection', socket)
  }

  /** Turns a plain connection that opened with the HTTP/2 preface into a session. */
  #upgrade(connection: Connection, rest: Buffer): boolean {
    if (this.#settings.http2 !== 'on' || connection.secure) return false
    const old = connection.socket as Socket & { _handle: unknown }
    const handle = old._handle
    // The HTTP/1 parser lets go of a socket when that closes, and without its handle it closes in name only.
    old._handle = null
    const socket = new Socket({ handle, allowHalfOpen: true } as ConstructorParameters<typeof Socket>[0])
    connection.socket = socket
    old.destroy()
    socket.on('error', () => {})
    connection.attach(socket)
    this.#follow(connection, socket)
    socket.unshift(Buffer.concat([PREFACE, rest]))
    this.#session(connection, socket)
    return true
  }

  #session(connection: Connection, socket: Socket): void {
    const settings = { ...this.#timeouts, exceeded: (c: Connection) => this.#limits.exceeded(c) }
    connection.multiplexed = true
    const session = new Session(this.#site, settings, connection, socket)
    this.#sessions.add(session)
    socket.once('close', () => this.#sessions.delete(session))
  }

  async reload(): Promise<void> {
    await this.#tls?.reload()
  }

  async close({ drainMs, now }: { drainMs: number; now?: AbortSignal }): Promise<void> {
    this.#site.draining = true
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    for (const session of this.#sessions) session.end()
    const deadline = performance.now() + drainMs
    const hasTime = () => performance.now() < deadline && !now?.aborted
    while (this.#endIdle() > 0 && hasTime()) await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_MS))
    for (const { socket } of this.#limits.connections) {
      closed.push(new Promise<void>((resolve) => socket.once('close', () => resolve())))
      socket.destroy()
    }
    await Promise.all(closed)
    clearInterval(this.#sweep)
    this.#tls?.close()
    // It never listened, so that this ends only its timers.
    this.#http1.close()
    this.#site.ctx.signal.removeEventListener('abort', this.#onAbort)
  }

  /** Closes the connections on which nothing is under way; gives the count of the others. */
  #endIdle(): number {
    let busy = 0
    for (const connection of this.#limits.connections) {
      if (connection.multiplexed || connection.active > 0 || connection.socket.writableLength > 0) busy++
      else connection.socket.destroy()
    }
    return busy
  }
}

const TLS_HANDSHAKE = 0x16
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** 0 means no limit, as in rclone. */
function orNone(limit: number): number {
  return limit > 0 ? limit : Infinity
}

function hostAndPort({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}
