import type { Server, Socket } from 'node:net'
import { type Body, bodyOf } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import type { CanonicalPath } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { Address } from './address.ts'
import { bind } from './bind.ts'
import { plainAddress } from './connection.ts'
import { intake } from './intake.ts'
import type { Handler, HttpRequest, HttpResponse } from './message.ts'
import { encodePath } from './target.ts'

export interface ShoutcastParts {
  /** Of the server. */
  readonly ctx: Context
  readonly address: Address
  /** The mount that is published to. */
  readonly path: CanonicalPath
  /** Answers `SOURCE`, for which the password is that of the user `source`, or `user:password`. */
  readonly handler: Handler
  /** Longest wait for the next bytes, ms; Infinity = none. */
  readonly idle: number
}

/** What comes before the sound takes no longer (ms) and has no more bytes. */
const HEAD_MS = 15_000
const HEAD_BYTES = 8192
const MOST_CONNECTIONS = 64

/**
 * Takes publishers that speak as those of Shoutcast 1 do, on a port of their own (live.md 3.3): a line with the password,
 * answered by `OK2`; lines such as `icy-name:My radio` up to an empty one; then the sound, as long as the connection lasts.
 */
export async function listenShoutcast(parts: ShoutcastParts): Promise<Server> {
  const server = await bind(parts.address, (socket) => {
    socket.on('error', () => {})
    converse(parts, socket).then(
      () => socket.end(),
      () => socket.destroy(),
    )
  })
  server.maxConnections = MOST_CONNECTIONS
  return server
}

async function converse(parts: ShoutcastParts, socket: Socket): Promise<void> {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  const ctx = parts.ctx.with({ signal: AbortSignal.any([parts.ctx.signal, gone.signal]) })
  ctx.signal.addEventListener('abort', () => socket.destroy(), { once: true })
  const late = setTimeout(() => socket.destroy(), HEAD_MS).unref()
  const input = new Input(socket, parts.idle)
  const password = await input.until(/\r?\n/)
  const asks = await answer(parts, ctx, { socket, password, lines: '' })
  if (asks.status !== 200) {
    socket.write('invalid password\r\n')
    return
  }
  socket.write('OK2\r\nicy-caps:11\r\n\r\n')
  const lines = await input.until(/\r?\n\r?\n/)
  clearTimeout(late)
  await answer(parts, ctx, { socket, password, lines, body: input.rest() })
}

interface Said {
  readonly socket: Socket
  readonly password: string
  readonly lines: string
  /** Absent for the question whether the password is right. */
  readonly body?: Body
}

async function answer({ path, handler }: ShoutcastParts, ctx: Context, said: Said): Promise<HttpResponse> {
  const { socket, password, lines, body } = said
  const login = password.includes(':') ? password : `source:${password}`
  const headers = new Map([['authorization', `Basic ${Buffer.from(login, 'latin1').toString('base64')}`]])
  for (const [, name = '', value = ''] of lines.matchAll(/^([\w-]+)\s*:\s*(.*?)\r?$/gm))
    headers.set(name.toLowerCase(), value)
  const request: HttpRequest = {
    method: 'SOURCE',
    rawPath: `/${encodePath(path)}`,
    path,
    directory: false,
    query: '',
    base: '',
    protocol: 'HTTP/1.0',
    header: (name) => headers.get(name),
    body: body ?? bodyOf(),
    contentLength: body ? undefined : 0,
    isBodyPending: body !== undefined,
    peer: {
      address: plainAddress(socket.remoteAddress ?? ''),
      port: socket.remotePort ?? 0,
      secure: false,
      host: 'localhost',
    },
    user: undefined,
  }
  const response = await handler(ctx, request)
  response.done?.({ bytes: 0, complete: true })
  return response
}

/** What a publisher sends: lines, and then bytes. */
class Input {
  readonly #chunks: AsyncGenerator<Uint8Array>
  #held = Buffer.alloc(0)

  constructor(socket: Socket, idle: number) {
    const isComplete = () => socket.readableEnded && !socket.errored
    this.#chunks = intake(socket, { idle, length: undefined, lasts: true, begin() {}, isComplete, late() {} })
  }

  /** The text before a mark, which is taken away; one character for each byte. Throws when it does not come. */
  async until(mark: RegExp): Promise<string> {
    for (;;) {
      const text = this.#held.toString('latin1')
      const found = mark.exec(text)
      if (found) {
        this.#held = this.#held.subarray(found.index + found[0].length)
        return text.slice(0, found.index)
      }
      if (text.length > HEAD_BYTES) throw new AppError('invalid', 'the head of a publisher is too long')
      const { done, value } = await this.#chunks.next()
      if (done) throw new AppError('aborted', 'the publisher left before its sound')
      this.#held = Buffer.concat([this.#held, value])
    }
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    if (this.#held.length > 0) yield this.#held
    yield* this.#chunks
  }
}
