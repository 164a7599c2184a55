import * as http2 from 'node:http2'
import { once } from 'node:events'
import { abortError } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { type ClientRequest, type ClientResponse, drained, parseHeaders } from './client.ts'
import { basic, bare } from './login.ts'
import { netOptions } from './options.ts'
import { tlsOptions } from './tls.ts'

/**
 * Talks HTTP/2 to one server at a time over one connection: over TLS, or in clear to a server that is known to speak it. For
 * uploads; redirects are not followed.
 */
export class Http2Client {
  #session: Promise<http2.ClientHttp2Session> | undefined
  #origin = ''

  /** Sends a request and gives the answer as soon as its head is there, whatever its status. */
  async request(ctx: Context, request: ClientRequest): Promise<ClientResponse> {
    const { signal } = ctx
    if (signal.aborted) throw abortError(signal)
    const { url, body } = request
    const session = await this.#connected(ctx, url)
    const stream = session.request(headersOf(ctx, request), { endStream: !body })
    const abort = () => void stream.destroy(abortError(signal))
    signal.addEventListener('abort', abort, { once: true })
    stream.once('close', () => signal.removeEventListener('abort', abort))
    const answered = new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
      stream.once('response', resolve)
      stream.on('error', (error) => reject(translated(error, url)))
      stream.once('close', () => reject(new AppError('io', `${url.host}: the connection broke`, { retry: 'now' })))
    })
    answered.catch(() => {})
    if (body) void upload(stream, body).catch((error: unknown) => stream.destroy(toAppError(error)))
    const found = await answered
    const headers = Object.fromEntries(
      Object.entries(found).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
    )
    const status = Number(found[':status'])
    return { status, headers, url, body: stream as Body }
  }

  close(): void {
    this.#session?.then(
      (session) => session.destroy(),
      () => {},
    )
    this.#session = undefined
  }

  /** The connection: all requests that come while it is made share it. */
  async #connected(ctx: Context, url: URL): Promise<http2.ClientHttp2Session> {
    if (this.#origin !== url.origin) this.close()
    this.#origin = url.origin
    const before = this.#session
    const known = await before?.catch(() => undefined)
    if (known && !known.closed && !known.destroyed) return known
    // Somebody else may have begun another one meanwhile.
    if (this.#session === before) this.#session = connected(ctx, url)
    return await (this.#session ?? connected(ctx, url))
  }
}

async function connected(ctx: Context, url: URL): Promise<http2.ClientHttp2Session> {
  const { connectTimeout } = ctx.get(mainOptions)
  const session = http2.connect(url.origin, tlsOptions(ctx.get(netOptions)))
  // An error between two requests is told by the next one.
  session.on('error', () => {})
  const timeout = connectTimeout > 0 && connectTimeout < 2 ** 31 ? AbortSignal.timeout(connectTimeout) : undefined
  const signal = AbortSignal.any([ctx.signal, ...(timeout ? [timeout] : [])])
  await once(session, 'connect', { signal }).catch((error: unknown) => {
    session.destroy()
    if (ctx.signal.aborted) throw abortError(ctx.signal)
    throw translated(error, url)
  })
  return session
}

function headersOf(ctx: Context, { method, url, headers = {}, length }: ClientRequest): http2.OutgoingHttpHeaders {
  const options = ctx.get(netOptions)
  return {
    ':method': method,
    ':path': `${url.pathname}${url.search}`,
    'user-agent': options.userAgent,
    ...parseHeaders(options.header),
    ...parseHeaders(options.headerUpload),
    ...(url.username === '' && url.password === '' ? {} : { authorization: basic(url) }),
    ...headers,
    ...(length === undefined ? {} : { 'content-length': String(length) }),
  }
}

async function upload(stream: http2.ClientHttp2Stream, body: Body): Promise<void> {
  for await (const chunk of body) {
    if (stream.destroyed || stream.closed) return
    if (!stream.write(chunk)) await drained(stream)
  }
  stream.end()
}

function translated(reason: unknown, url: URL): AppError {
  const { code, message, retry } = toAppError(reason)
  return new AppError(code, `${bare(url).host}: ${message}`, { cause: reason, retry: retry === false ? 'now' : retry })
}
