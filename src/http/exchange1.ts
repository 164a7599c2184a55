import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Body, bodyOf } from '../base/body.ts'
import type { Socket } from 'node:net'
import type { Connection } from './connection.ts'
import { Exchange, type Framing, type Site } from './exchange.ts'
import { gather, intake, type IntakeSettings } from './intake.ts'
import type { KeptAnswer } from './kept.ts'
import type { HeaderList } from './message.ts'
import type { Piece } from './pushed.ts'
import { lingeringEnd, rawAnswer, whenLetGo } from './refuse.ts'
import { isLengthless } from './takeover.ts'
import type { Target } from './target.ts'

const KIB = 1024
/** Largest chunk for plain sockets; over TLS each write is copied once more, so it is smaller. */
const PLAIN_CHUNK = 512 * KIB
const TLS_CHUNK = 64 * KIB
/** Bodies up to this size go out in one write with their head. */
const JOINED = 16 * KIB
const MAX_TIMER = 2 ** 31 - 1

/** A socket with its handle, which has the descriptor. */
interface Handled {
  readonly _handle?: { readonly fd?: number } | null
}

/** A request as Node has it. */
export interface Pair {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expects: boolean
}

/** A request over HTTP/1, and its response. */
export class Http1Exchange extends Exchange {
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #expects: boolean
  #body: Body | undefined
  #late: NodeJS.Timeout | undefined
  /** What still comes of the body is not taken any more. */
  #cut = false

  constructor(site: Site, connection: Connection, host: string, target: Target, { req, res, expects }: Pair) {
    super(site, connection, connection.peer(host), req.method ?? '', target)
    this.#req = req
    this.#res = res
    this.#expects = expects
  }

  /** Ends a request whose body takes longer than this, ms, unless it may. */
  limit(readTimeout: number): void {
    if (!this.#hasBody || readTimeout > MAX_TIMER || this.#lasts) return
    this.#late = setTimeout(() => this.isBodyPending && this.#tooLate(), readTimeout).unref()
  }

  /** As when Node's own timer ends a request. */
  #tooLate(): void {
    if (this.started) return this.destroy()
    const { socket } = this.#req
    this.connection.closing = true
    this.left()
    this.connection.left()
    whenLetGo(this.connection, () => lingeringEnd(socket, rawAnswer(408)))
  }

  get #lasts(): boolean {
    return this.site.uploads?.endless(this.path) === true
  }

  override close(): void {
    clearTimeout(this.#late)
    // Who answered need not have waited for all who read: they would hold up what is dropped now.
    if (this.isBodyPending) this.#cutBody()
    super.close()
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

  get lengthless(): boolean {
    return this.site.uploads !== undefined && isLengthless(this.#req)
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
      lasts: this.#lasts,
      begin: () => {
        if ((this.#expects || this.#goesEarly) && !this.started) this.#res.writeContinue()
      },
      isComplete: () => req.complete && !this.#cut,
      isCut: () => this.#cut,
      late: () => (this.late = true),
    }
  }

  /** See `UploadPaths.early`. */
  get #goesEarly(): boolean {
    const { headers, httpVersionMinor } = this.#req
    const chunked = httpVersionMinor === 1 && headers['transfer-encoding'] !== undefined
    return chunked && this.site.uploads?.early(this.path) === true
  }

  /** A request that was refused in the middle of its body ends there, although its connection lingers and may bring the rest. */
  override left(): void {
    super.left()
    if (!this.#req.complete) this.#cutBody()
  }

  #cutBody(): void {
    if (this.#cut) return
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

  override kept(answer: KeptAnswer): boolean {
    if (this.isBodyPending || !this.site.kept.send(this.#res, answer)) return false
    this.connection.repeats?.answered(this.#req, answer)
    return true
  }

  head(status: number, headers: HeaderList, { length, close }: Framing): void {
    const list = without(headers, 'content-length')
    if (length !== undefined) list.push('content-length', String(length))
    const { keepAlive } = this.site.kept
    if (close) list.push('connection', 'close')
    else if (keepAlive !== undefined && this.#res.shouldKeepAlive) list.push('keep-alive', keepAlive)
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

  override direct(send: (descriptor: number) => number | undefined): number | undefined {
    const descriptor = this.#descriptor
    const count = descriptor === undefined ? undefined : send(descriptor)
    this.sent += count ?? 0
    return count
  }

  /** Of the socket, when what is written to it now comes right behind what was written before. */
  get #descriptor(): number | undefined {
    const res = this.#res
    const socket: (Socket & Handled) | null = res.socket
    if (socket === null || this.gone || this.peer.secure || res.chunkedEncoding || res.writableLength > 0)
      return undefined
    const { fd } = socket._handle ?? {}
    return fd !== undefined && fd >= 0 ? fd : undefined
  }

  override flush(): void {
    this.#res.flushHeaders()
  }

  offer(piece: Piece): boolean {
    const res = this.#res
    this.sent += piece.bytes.length
    const { socket } = res
    // Node would put the frame of the chunk around it for each client anew. While an earlier answer is on its way, it must queue.
    if (socket === null || socket.destroyed) return res.write(piece.bytes)
    return socket.write(res.chunkedEncoding ? piece.chunked : piece.bytes)
  }

  whenDrained(call: () => void): void {
    this.#req.socket.on('drain', call)
    this.#res.on('drain', call)
  }

  end(chunk?: Uint8Array | string, done?: (error?: Error | null) => void): void {
    // Node joins a text with the head into one write; bytes cost a second one.
    if (chunk instanceof Uint8Array && chunk.length <= JOINED) this.#res.end(latin1(chunk), 'latin1', done)
    else this.#res.end(chunk, done)
  }

  destroy(): void {
    const { socket } = this.#req
    // A body that ends with its connection looks whole when that ends in order.
    const looksWhole = this.started && this.#req.httpVersionMinor === 0 && !this.peer.secure && this.peer.address !== ''
    if (looksWhole) socket.resetAndDestroy()
    else socket.destroy()
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** A copy of the list that lacks a header. */
function without(headers: HeaderList, name: string): HeaderList {
  if (!headers.includes(name)) return headers.slice()
  return headers.filter((_, i) => headers[i - (i % 2)] !== name)
}
