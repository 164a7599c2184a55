import type { Socket } from 'node:net'
import { bodyOf } from '../base/body.ts'
import { Connection } from './connection.ts'
import { reasonOf } from './error.ts'
import type { Site } from './exchange.ts'
import { type HttpRequest, whenDone } from './message.ts'
import { unreadTarget } from './target.ts'

/** How long (ms) a connection of which one side has ended is kept for the other, so that a client gets to read its answer. */
export const LINGER_MS = 2000
/** And how much (bytes). */
const LINGER_BYTES = 4 * 1024 * 1024

/** A whole HTTP/1.1 answer as text, for when there is no request object to answer: it always closes. */
export function rawAnswer(status: number, message = `${status} ${reasonOf(status)}`, headers = ''): string {
  return (
    `HTTP/1.1 ${status} ${reasonOf(status)}\r\nDate: ${new Date().toUTCString()}\r\n` +
    `Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n${headers}` +
    `Content-Length: ${Buffer.byteLength(message) + 1}\r\nConnection: close\r\n\r\n${message}\n`
  )
}

/**
 * Ends the writing side after `text` and drops what the client still sends, for a while. A socket that is destroyed with
 * unread bytes resets the connection, and the client would lose the answer. The socket closes by itself when the client ends
 * its side as well.
 */
export function lingeringEnd(socket: Socket, text?: string): void {
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  const limit = socket.bytesRead + LINGER_BYTES
  const check = setInterval(() => {
    if (socket.bytesRead > limit) socket.destroy()
  }, LINGER_MS / 20)
  socket.once('close', () => {
    clearTimeout(timer)
    clearInterval(check)
  })
  if (text === undefined) socket.end()
  else socket.end(text)
}

/** How long a connection is kept for work that does not end with it, ms. */
const WORK_MS = 1000

/**
 * Calls when the requests of a connection that is to end have let go of it, or have taken too long for that: whoever sees its end
 * then finds nothing of an upload that ended with it.
 */
export function whenLetGo(connection: Connection, call: () => void): void {
  let called = false
  const once = () => {
    clearTimeout(timer)
    if (!called) call()
    called = true
  }
  const timer = setTimeout(once, WORK_MS)
  connection.whenIdle(once)
}

/** An answer to what never became a request. */
export interface Refused {
  readonly status: number
  /** Instead of the status and its reason. */
  readonly message?: string
  /** More header lines, each with its line break. */
  readonly headers?: string
  /** What is known of the request line; undefined = there is a request, which is logged as such. */
  readonly line: string | undefined
}

/** Answers what never became a request and ends its connection. It is in the access log like all others. */
export function turnAway(site: Site, socket: Socket, { status, message, headers, line }: Refused): void {
  const text = rawAnswer(status, message, headers)
  lingeringEnd(socket, text)
  const connection = Connection.of(socket)
  if (line === undefined || !connection) return
  const bytes = Buffer.byteLength(text) - text.indexOf('\r\n\r\n') - 4
  const log = site.refused(() => ({ status, headers: [] }))
  void whenDone(log(site.ctx, unreadRequest(connection, line)), (response) => {
    response.done?.({ bytes, complete: true })
    return response
  })
}

/** Most of a request line that is kept for the log, characters. */
const MAX_LINE = 2000

/** The request line at which Node's parser failed, its bytes as Latin-1 text; `''` when it is not known. */
export function requestLine(error: object): string {
  const { rawPacket, bytesParsed = 0 } = error as { rawPacket?: Buffer; bytesParsed?: number }
  const text = rawPacket?.toString('latin1') ?? ''
  // What was parsed before may be other requests.
  const before = text.slice(0, bytesParsed).lastIndexOf('\r\n\r\n')
  const begin = before < 0 ? 0 : before + 4
  return (/^[^\r\n]*/.exec(text.slice(begin))?.[0] ?? '').slice(0, MAX_LINE)
}

function unreadRequest(connection: Connection, line: string): HttpRequest {
  const [, method = '', target = line, protocol = ''] = /^([!-~]+) (.*?) ?(HTTP\/[\d.]+)?$/.exec(line) ?? []
  return {
    ...unreadTarget(target),
    method,
    protocol,
    header: () => undefined,
    body: bodyOf(),
    contentLength: undefined,
    peer: connection.peer(''),
    user: undefined,
  }
}
