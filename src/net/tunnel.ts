import { once } from 'node:events'
import { request } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import { AppError, toAppError } from '../base/error.ts'
import { basic } from './login.ts'

/** Where a connection is to lead, and by which way. */
export interface Tunnel {
  readonly host: string
  readonly port: number
  /** `user:pass@host:port`, `user@host:port` or `host:port` of a SOCKS 5 proxy; `''` = none. */
  readonly socksProxy: string
  /** URL of a proxy that knows CONNECT, `http://user:pass@host:port`; `''` = none. */
  readonly httpProxy: string
  /** Address of this machine to connect from; `''` = any. */
  readonly localAddress: string
  /** Time for the proxy to connect, in ms; 0 = any. */
  readonly connectTimeout: number
}

/** True when the connection goes through a proxy. */
export function isTunnel({ socksProxy, httpProxy }: Pick<Tunnel, 'socksProxy' | 'httpProxy'>): boolean {
  return socksProxy !== '' || httpProxy !== ''
}

/** A TCP connection that a proxy made for us. Throws `invalid` for a proxy that is none, `io` and `denied` for what it says. */
export async function tunnelled(tunnel: Tunnel): Promise<Socket> {
  if (tunnel.socksProxy !== '' && tunnel.httpProxy !== '')
    throw new AppError('invalid', 'socks_proxy and http_proxy exclude each other')
  return tunnel.socksProxy === '' ? await throughHttp(tunnel) : await throughSocks(tunnel)
}

/** By the method CONNECT (RFC 9110 section 9.3.6). */
async function throughHttp(tunnel: Tunnel): Promise<Socket> {
  const { host, port, httpProxy, localAddress } = tunnel
  const url = URL.parse(httpProxy)
  if (url?.protocol !== 'http:') throw new AppError('invalid', 'http_proxy is not an http:// URL')
  const path = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  const login = url.username === '' ? {} : { 'proxy-authorization': basic(url) }
  const sent = request({
    host: url.hostname.replaceAll(/[[\]]/g, ''),
    port: url.port || 80,
    method: 'CONNECT',
    path,
    headers: { host: path, ...login },
    agent: false,
    signal: limitOf(tunnel),
    ...(localAddress === '' ? {} : { localAddress }),
  }).end()
  const answered = new Promise<Socket>((resolve, reject) => {
    sent.once('error', (error) => reject(proxyFailed(error)))
    const refused = (status: number | undefined, socket: Socket) => {
      socket.destroy()
      const code = status === 403 || status === 407 ? 'denied' : 'io'
      reject(new AppError(code, `the proxy ${url.host} answered ${status} when asked for ${path}`))
    }
    sent.once('response', ({ statusCode, socket }) => refused(statusCode, socket))
    sent.once('connect', ({ statusCode }, socket: Socket, head: Buffer) => {
      if (statusCode !== 200) return refused(statusCode, socket)
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
      return undefined
    })
  })
  return await answered
}

/**
 * RFC 1928; a login by RFC 1929. The proxy looks the host up. The library for this (socks) loses what a host says first to whoever
 * does not listen for `data` at once.
 */
async function throughSocks(tunnel: Tunnel): Promise<Socket> {
  const { host, port, socksProxy, localAddress } = tunnel
  const at = URL.parse(`socks://${socksProxy}`)
  if (!at || at.hostname === '') throw new AppError('invalid', 'socks_proxy is not [user[:pass]@]host:port')
  const to = { host: at.hostname.replaceAll(/[[\]]/g, ''), port: Number(at.port || 1080) }
  const socket = connect(localAddress === '' ? to : { ...to, localAddress })
  const signal = limitOf(tunnel)
  const stop = () => socket.destroy(late())
  signal.addEventListener('abort', stop, { once: true })
  try {
    await once(socket, 'connect')
    await greet(socket, decodeURIComponent(at.username), decodeURIComponent(at.password))
    await ask(socket, host, port)
    return socket
  } catch (error) {
    socket.on('error', () => {}).destroy()
    throw proxyFailed(error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const [VERSION, NO_LOGIN, BY_PASSWORD, CONNECT] = [5, 0, 2, 1]
const [IPV4, DOMAIN, IPV6] = [1, 3, 4]

async function greet(socket: Socket, user: string, password: string): Promise<void> {
  const methods = user === '' ? [NO_LOGIN] : [NO_LOGIN, BY_PASSWORD]
  socket.write(Buffer.from([VERSION, methods.length, ...methods]))
  const [version, method] = await take(socket, 2)
  if (version !== VERSION) throw new AppError('io', 'it is no SOCKS 5 proxy')
  if (method === NO_LOGIN) return
  if (method !== BY_PASSWORD || user === '') throw new AppError('denied', 'it wants a login that we have not')
  socket.write(Buffer.concat([Buffer.from([1]), counted(user), counted(password)]))
  const [, status] = await take(socket, 2)
  if (status !== 0) throw new AppError('denied', 'it refuses the login')
}

async function ask(socket: Socket, host: string, port: number): Promise<void> {
  socket.write(
    Buffer.concat([Buffer.from([VERSION, CONNECT, 0, DOMAIN]), counted(host), Buffer.from([port >> 8, port & 0xff])]),
  )
  const [, status = 1, , kind] = await take(socket, 4)
  if (status !== 0)
    throw new AppError(status === 2 ? 'denied' : 'io', `it says: ${replies[status] ?? `error ${status}`}`)
  // Where it connects from is of no interest, and in the way of what follows.
  const length = kind === IPV4 ? 4 : kind === IPV6 ? 16 : ((await take(socket, 1))[0] ?? 0)
  await take(socket, length + 2)
}

const replies: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed',
  3: 'the network cannot be reached',
  4: 'the host cannot be reached',
  5: 'the connection was refused',
  6: 'it took too long',
}

/** A text behind its length. */
function counted(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > 255) throw new AppError('invalid', 'a name is too long for SOCKS')
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

/** So many bytes of a socket that nobody else reads; what comes behind them stays in it. */
async function take(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null
    if (bytes?.length === count) return bytes
    if (socket.readableEnded || socket.destroyed) throw new AppError('io', 'it ended the connection')
    const changed = new AbortController()
    const { signal } = changed
    // A socket that ends tells so by one of the two.
    await Promise.race([once(socket, 'readable', { signal }), once(socket, 'close', { signal })]).finally(() =>
      changed.abort(),
    )
  }
}

function limitOf({ connectTimeout }: Tunnel): AbortSignal {
  const limited = connectTimeout > 0 && connectTimeout < 2 ** 31
  return limited ? AbortSignal.timeout(connectTimeout) : new AbortController().signal
}

function late(): AppError {
  return new AppError('io', 'it did not answer in time', { retry: 'now' })
}

function proxyFailed(reason: unknown): AppError {
  const known = toAppError(reason)
  const { code, retry, message } = known.code === 'aborted' ? late() : known
  return new AppError(code, `the proxy: ${message}`, { cause: reason, retry })
}
