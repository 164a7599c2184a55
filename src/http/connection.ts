import { isIPv6, type Socket } from 'node:net'
import { Chain, type Link } from '../base/chain.ts'
import type { Peer } from './message.ts'
import type { Repeats } from './repeats.ts'

/** What is going on over a connection, as far as the connection must know. */
export interface Activity extends Link<Activity> {
  /** Called when the connection is gone. */
  left(): void
  /** Called when the server ends all work. */
  stop(reason: unknown): void
  /** Called when the client has ended its side and was sent nothing for a while: it has most likely left. */
  abandoned(): void
  /** True once a response has begun. */
  readonly started: boolean
}

const attached = Symbol('connection')

interface Attached {
  [attached]?: Connection
}

/** A connection that has been quiet for less than this (ms) still counts as busy: its client is between two requests. */
const RECENT_MS = 90

/** A client that has ended its side, and is sent nothing for this long (ms), has most likely left. */
const HALF_OPEN_MS = 2000

/** Quiet time (ms) after which a peer is asked whether it is still there. */
const PROBE_MS = 60_000

/** One accepted connection: who it is, and what it is doing. */
export class Connection implements Link<Connection> {
  socket: Socket
  next: Connection | undefined
  previous: Connection | undefined
  secure = false
  /** Common name of the verified client certificate. */
  certificate: string | undefined
  /** Set when it came over a limit: every request is answered with 503. */
  over = false
  /** Set when the last answer has been given: what still arrives is not a request. */
  closing = false
  /** Set for HTTP/2: the session closes the connection itself when its streams have ended. */
  multiplexed = false
  /** Requests in a row whose answer was an error. */
  errors = 0
  /** Requests whose answer is not complete. */
  active = 0
  /** Answers some of its requests by itself. HTTP/1 only. */
  repeats: Repeats | undefined
  /** The exchange of the latest request. */
  latest: Activity | undefined
  #idle: (() => void) | undefined
  #watched: Chain<Activity> | undefined
  #key: string | undefined
  #quietSince = 0
  /** How long nothing has moved, and what had moved by then. */
  #quiet = { ms: 0, bytes: -1 }
  #requested = false
  #peer: Peer | undefined

  constructor(socket: Socket) {
    this.socket = socket
  }

  /** What limits per client count by: the address, or the /64 of an IPv6 one; `''` for a unix socket. */
  get key(): string {
    this.#key ??= clientKey(plainAddress(this.socket.remoteAddress ?? ''))
    return this.#key
  }

  /** Makes this the connection of `socket`; a TLS socket gets the one of the TCP socket below it. */
  attach(socket: Socket): void {
    ;(socket as Attached)[attached] = this
  }

  static of(socket: Socket): Connection | undefined {
    return (socket as Attached)[attached]
  }

  begin(activity: Activity): void {
    this.active++
    this.latest = activity
    this.#requested = true
  }

  end(): void {
    if (--this.active > 0) return
    this.latest = undefined
    this.served()
    this.#idle?.()
  }

  /** A request has been answered. */
  served(): void {
    this.#quietSince = performance.now()
  }

  /** Calls when the answers to all requests so far are complete; at once when they are. */
  whenIdle(call: () => void): void {
    this.#idle = () => {
      this.#idle = undefined
      call()
    }
    if (this.active === 0) this.#idle()
  }

  /** For how long (ms) nothing has come or gone, when it is `ms` since it was asked last. */
  quietFor(ms: number): number {
    const bytes = this.socket.bytesRead + this.socket.bytesWritten
    this.#quiet = { ms: bytes === this.#quiet.bytes ? this.#quiet.ms + ms : ms, bytes }
    return this.#quiet.ms
  }

  /** Has `left` of this activity called when the connection is gone. */
  watch(activity: Activity): void {
    if (!this.#watched) {
      this.#watched = new Chain()
      // Somebody may wait here for long, on either side: finds out when the other has vanished without a word.
      this.socket.setKeepAlive(true, PROBE_MS)
    }
    if (!this.#watched.has(activity)) this.#watched.add(activity)
  }

  unwatch(activity: Activity): void {
    this.#watched?.remove(activity)
  }

  /** The connection is gone. */
  left(): void {
    if (!this.#watched) return
    for (const activity of this.#watched) {
      this.#watched.remove(activity)
      activity.left()
    }
  }

  /**
   * The client has ended its side. It may still wait for its answers (RFC 9112 section 9.6), or have left: whether it takes
   * anything is seen when something is sent, and what is silent is given up.
   */
  ended(): void {
    if (this.active === 0 || this.multiplexed) return
    const { socket } = this
    let written = socket.bytesWritten
    const timer = setInterval(() => {
      if (socket.bytesWritten === written && this.#watched) for (const activity of this.#watched) activity.abandoned()
      written = socket.bytesWritten
    }, HALF_OPEN_MS).unref()
    socket.once('close', () => clearInterval(timer))
  }

  /** Ends the work for what is under way; the connection stays. */
  stop(reason: unknown): void {
    if (this.#watched) for (const activity of this.#watched) activity.stop(reason)
  }

  /** True once a request has come. */
  get requested(): boolean {
    return this.#requested
  }

  /** True while a request is under way, a first one is awaited, or one has just ended. */
  get busy(): boolean {
    if (this.closing) return false
    return this.active > 0 || !this.#requested || performance.now() - this.#quietSince < RECENT_MS
  }

  /** The peer as requests show it; one object for as long as the host asked for stays the same. */
  peer(host: string): Peer {
    if (this.#peer?.host === host) return this.#peer
    const { secure, certificate } = this
    const address = this.#peer?.address ?? plainAddress(this.socket.remoteAddress ?? '')
    const port = this.#peer?.port ?? this.socket.remotePort ?? 0
    this.#peer =
      certificate === undefined ? { address, port, secure, host } : { address, port, secure, host, certificate }
    return this.#peer
  }

  /** The host of the last request, already checked. */
  get knownHost(): string | undefined {
    return this.#peer?.host
  }
}

/** An IPv4 address that came in over an IPv6 socket (`::ffff:1.2.3.4`) is the IPv4 address. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** The client that an address stands for: IPv6 addresses of one /64 network are one client. */
export function clientKey(address: string): string {
  if (!isIPv6(address)) return address
  const [left = '', right] = address.replace(/%.*$/, '').toLowerCase().split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? [] : Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0')
  const groups = [...head, ...zeros, ...tail].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${groups.join(':')}::/64`
}
