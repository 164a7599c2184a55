import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { bodyOf, type Body } from '../base/body.ts'
import type { Connection } from './connection.ts'
import { reasonOf } from './error.ts'
import { Exchange, type Framing, type Site } from './exchange.ts'
import { gather, intake, type IntakeSettings } from './intake.ts'
import type { HeaderList } from './message.ts'
import type { Piece } from './pushed.ts'
import { lingeringEnd } from './refuse.ts'
import type { Target } from './target.ts'

/** A sender that has sent nothing of its body for this long (ms) waits to be told that it may. */
const WAITING_MS = 100

/**
 * A request whose body has no length and ends with the connection, as publishers of radio send it: `PUT` without
 * Content-Length, and `SOURCE` (live.md 3.3). A sender that asks for it, or sends nothing after its head, is told at once to go on, with
 * an answer: the one that the handler gives at the end is then for the log alone. Others get that one. They would not look
 * for an answer before their end, and closing a connection on which something was left unread looks as if it had broken off.
 */
export class EndlessExchange extends Exchange {
  readonly #req: IncomingMessage
  readonly #socket: Socket
  #answered = false
  #timer: NodeJS.Timeout | undefined
  /** The sender was told to go on: what the handler answers in the end is not sent. */
  #welcomed = false
  #body: Body | undefined

  constructor(
    site: Site,
    connection: Connection,
    host: string,
    target: Target,
    { req, socket }: { readonly req: IncomingMessage; readonly socket: Socket },
  ) {
    super(site, connection, connection.peer(host), req.method ?? '', target)
    this.#req = req
    this.#socket = socket
  }

  get protocol(): string {
    return this.#req.httpVersionMinor === 0 ? 'HTTP/1.0' : 'HTTP/1.1'
  }

  readonly chunk = 64 * 1024

  header(name: string): string | undefined {
    const value = this.#req.headers[name]
    return typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : undefined
  }

  get rawHeaders(): readonly string[] {
    return this.#req.rawHeaders
  }

  readonly contentLength = undefined

  get body(): Body {
    this.#body ??= this.#answered ? bodyOf() : intake(this.#socket, this.#intakeSettings())
    return this.#body
  }

  async whole(max: number, enough?: (chunk: Uint8Array) => number | undefined): Promise<Uint8Array> {
    return await gather(this.#socket, this.#intakeSettings(), max, enough)
  }

  #intakeSettings(): IntakeSettings {
    const socket = this.#socket
    return {
      idle: this.site.bodyIdle,
      length: undefined,
      lasts: true,
      begin: () => this.#begin(),
      count: () => clearTimeout(this.#timer),
      isComplete: () => socket.readableEnded && !socket.errored,
      late: () => (this.late = true),
    }
  }

  #begin(): void {
    if (this.#req.headers.expect !== undefined) this.#welcome()
    else this.#timer = setTimeout(() => this.#welcome(), WAITING_MS)
  }

  /** What lets the sender go on: both answers, as Icecast gives them, for there are senders that wait for either. */
  #welcome(): void {
    if (this.#answered || this.isDestroyed) return
    this.#answered = true
    this.#welcomed = true
    const expects = this.protocol === 'HTTP/1.1' && this.#req.headers.expect !== undefined
    this.#socket.write(`${expects ? 'HTTP/1.1 100 Continue\r\n\r\n' : ''}${this.#head(200, ['connection', 'close'])}`)
  }

  #head(status: number, headers: HeaderList): string {
    if (headers.some((part) => /[^\t\u0020-\u007e\u0080-\u00ff]/.test(part)))
      throw new TypeError('Invalid character in header')
    const lines = [`${this.protocol} ${status} ${reasonOf(status)}`, `date: ${new Date().toUTCString()}`]
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
    return `${lines.join('\r\n')}\r\n\r\n`
  }

  override close(): void {
    clearTimeout(this.#timer)
    super.close()
  }

  get isBodyPending(): boolean {
    return !this.#socket.readableEnded
  }

  get started(): boolean {
    return this.#answered
  }

  protected get isDestroyed(): boolean {
    return this.#socket.destroyed
  }

  head(status: number, headers: HeaderList, { length }: Framing): void {
    if (this.#answered) return
    const sized = length === undefined ? [] : ['content-length', String(length)]
    const list = headers.filter((_, i) => headers[i - (i % 2)] !== 'content-length')
    this.#socket.write(this.#head(status, [...list, ...sized, 'connection', 'close']), 'latin1')
    this.#answered = true
  }

  protected put(chunk: Uint8Array | string, done: (error?: Error | null) => void): void {
    if (this.#welcomed) done()
    else this.#socket.write(chunk, done)
  }

  offer(piece: Piece): boolean {
    return this.#welcomed || this.#socket.write(piece.bytes)
  }

  whenDrained(call: () => void): void {
    this.#socket.on('drain', call)
  }

  end(chunk?: Uint8Array | string, done?: (error?: Error | null) => void): void {
    const socket = this.#socket
    if (chunk !== undefined && !this.#welcomed) socket.write(chunk)
    // What is still to come is dropped, for as long as the sender needs to read the answer.
    this.connection.closing = true
    socket.resume()
    lingeringEnd(socket)
    done?.()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
