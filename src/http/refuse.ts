import type { Socket } from 'node:net'
import { reasonOf } from './error.ts'

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
