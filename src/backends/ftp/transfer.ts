import { once } from 'node:events'
import type { Socket } from 'node:net'
import { finished } from 'node:stream/promises'
import { orAbort } from '../../base/abort.ts'
import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { drained } from '../../net/client.ts'
import type { Connection } from './connection.ts'
import type { Lease } from './pool.ts'
import { replyCode, replyError } from './reply.ts'

export interface TransferSettings {
  readonly signal: AbortSignal
  /** Time without any byte, in ms. */
  readonly timeout: number
  /** Time for the last word of the server, in ms: of a transfer that is whole, and of one that was left. */
  readonly closeTimeout: number
  readonly shutTimeout: number
}

/** Bytes on their way over a connection of their own, while the server's word on them is awaited on the other. */
interface Transfer {
  readonly socket: Socket
  /** The server says that all is well; throws when it is not. */
  readonly told: Promise<unknown>
  /** Aborts when nobody waits any more, and with its error when the server says that all is not well. */
  readonly signal: AbortSignal
}

/**
 * The bytes `[start, end)` of a file of `size` bytes; all that there are from `start` on when `end` is Infinity. A reader who
 * leaves before that costs the data connection, and the other one only if the server does not answer to that. Gives the lease
 * back.
 */
export async function* download(
  { connection, release }: Lease,
  path: string,
  { start, end, size }: { readonly start: number; readonly end: number; readonly size: number },
  settings: TransferSettings,
): AsyncGenerator<Uint8Array, void> {
  const { socket, told, signal } = await begin(connection, `RETR ${path}`, start, settings).catch((error: unknown) => {
    release()
    throw error
  })
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>
  let left = end - start
  try {
    while (left > 0) {
      const { done, value } = await moving(connection, chunks.next(), signal, settings.timeout)
      if (done && end === Infinity) {
        await lastWord(connection, told, settings, settings.closeTimeout)
        break
      }
      if (done) throw new AppError('io', `${left} bytes are missing at the end`, { retry: 'now' })
      const piece = value.subarray(0, left)
      left -= piece.length
      yield piece
    }
  } catch (error) {
    throw replyError(error)
  } finally {
    // All of it: the server is about to say so. Otherwise it is to stop.
    const whole = end === size || end === Infinity
    socket.destroy()
    const last = within(connection, told, whole ? settings.closeTimeout : settings.shutTimeout)
    const settled = last.catch(() => {}).finally(release)
    // Who was stopped does not wait for it.
    if (!settings.signal.aborted) await settled
  }
}

/** Stores all of a body under a name. Throws what the body throws; then, too, a part of it may be stored. */
export async function upload(
  connection: Connection,
  path: string,
  body: Body,
  settings: TransferSettings,
): Promise<void> {
  const { socket, told, signal } = await begin(connection, `STOR ${path}`, 0, settings)
  // Nothing comes but tickets of TLS, which the next data connection has to show.
  socket.resume()
  try {
    for await (const chunk of body) {
      if (socket.destroyed) break
      if (!socket.write(chunk)) await moving(connection, drained(socket), signal, settings.timeout)
    }
    socket.end()
    await moving(connection, finished(socket, { readable: false }), signal, settings.timeout)
    await lastWord(connection, told, settings, settings.closeTimeout)
  } catch (error) {
    socket.destroy()
    await lastWord(connection, told, settings, settings.shutTimeout).catch(() => {})
    throw replyError(error)
  }
}

/** Sends a command that moves bytes; resolves when they may flow. */
async function begin(
  connection: Connection,
  command: string,
  start: number,
  { signal, timeout }: TransferSettings,
): Promise<Transfer> {
  const { client } = connection
  const { ftp } = client
  try {
    await orAbort(signal, client.prepareTransfer(ftp))
    const socket = dataSocket(ftp.dataSocket)
    const failed = new AbortController()
    const all = AbortSignal.any([signal, failed.signal])
    return await new Promise<Transfer>((resolve, reject) => {
      socket.once('error', reject)
      const told = ftp.handle(start > 0 ? `REST ${start}` : command, (answer, task) => {
        if (answer instanceof Error) task.reject(answer)
        else if (answer.code === 350) ftp.send(command)
        else if (answer.code >= 200 && answer.code < 300) task.resolve(answer)
        else if (answer.code === 125 || answer.code === 150) {
          // Nothing is said on this connection while bytes flow on the other.
          ftp.socket.setTimeout(0)
          within(connection, secured(socket), timeout).then(() => resolve({ socket, told, signal: all }), reject)
        }
      })
      // The library takes its listeners off a socket that it closes: nobody would hear of it.
      told.catch((error: unknown) => failed.abort(replyError(error)))
      told.catch(reject)
    })
  } catch (error) {
    if (signal.aborted || replyCode(error) === undefined) client.close()
    throw replyError(error)
  }
}

/** The data connection, whose errors are for us alone: one after the last byte would end the login as well. */
function dataSocket(socket: Socket | undefined): Socket {
  if (!socket) throw new AppError('io', 'there is no data connection', { retry: 'now' })
  for (const event of ['error', 'close', 'timeout']) socket.removeAllListeners(event)
  return socket.on('error', () => {})
}

/** Before its handshake is over a connection must not end, as it would for an empty file. */
async function secured(socket: Socket): Promise<void> {
  const { secureConnecting } = socket as Socket & { readonly secureConnecting?: boolean }
  if (secureConnecting) await once(socket, 'secureConnect')
}

/** A step of a transfer; the server is given up when it takes too long. */
async function moving<T>(connection: Connection, step: Promise<T>, signal: AbortSignal, timeout: number): Promise<T> {
  return await within(connection, orAbort(signal, step), timeout)
}

async function lastWord(
  connection: Connection,
  told: Promise<unknown>,
  { signal }: TransferSettings,
  ms: number,
): Promise<void> {
  if (signal.aborted) connection.close()
  await within(connection, told, ms)
}

/** Closes the connection when something is not done in time, which then fails. */
async function within<T>(connection: Connection, work: Promise<T>, ms: number): Promise<T> {
  if (!(ms > 0 && ms < 2 ** 31)) return await work
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    connection.close()
    late.reject(new AppError('io', `the FTP server was silent for ${ms / 1000} s`, { retry: 'now' }))
  }, ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
