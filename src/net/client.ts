import type { EventEmitter } from 'node:events'
import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import { abortError } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError, rethrow, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { dumpHead } from './dump.ts'
import { checkHost, guardedLookup, type Reach } from './guard.ts'
import { bare, basic } from './login.ts'
import { netOptions, type NetOptions } from './options.ts'
import { Idle, leave, LONGEST_TIMER, ResponseBody, restOf, translate } from './response-body.ts'
import { statusError } from './status.ts'
import { tlsOptions } from './tls.ts'

const MAX_HEADER_BYTES = 64 * 1024
const MAX_REDIRECTS = 10
/** Methods that change nothing: a redirect may be followed. */
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PROPFIND'])

/** Names in lower case. */
export type Headers = Readonly<Record<string, string>>

export interface ClientRequest {
  readonly method: string
  readonly url: URL
  readonly headers?: Headers
  readonly body?: Body
  /** Bytes of the body; without it the body is sent in chunks. */
  readonly length?: number
  /** Follow redirects of GET, HEAD and PROPFIND; a body is then one that can be read again. */
  readonly follow?: boolean
  /** Take all headers along to another host that a redirect leads to, a login as well. */
  readonly trusting?: boolean
}

export interface ClientResponse {
  readonly status: number
  /** Names in lower case; several of one name are joined by `, `. */
  readonly headers: Headers
  /** Where the answer came from, after redirects. */
  readonly url: URL
  /** Identity bytes as sent. Read it to its end or leave it, else its connection stays taken. Throws when it ends early. */
  readonly body: Body
}

export interface ClientParts {
  readonly options: NetOptions
  /** Time for a connection, in ms. */
  readonly connectTimeout: number
  /** Time without any byte, in ms. */
  readonly timeout: number
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Which addresses may be connected to, also by redirects; all without it. */
  readonly reach?: Reach | undefined
  /** Path of a unix socket that all requests go through. */
  readonly socketPath?: string
}

/**
 * Talks HTTP/1.1 to remotes over connections that are kept. Bodies come as they were sent, never decoded; a redirect never
 * leads from https to http, and takes no header but the harmless ones to another host.
 */
export class HttpClient {
  readonly #parts: ClientParts
  readonly #plain: http.Agent
  readonly #secure: https.Agent
  readonly #fixed: Headers
  readonly #proxied: boolean

  constructor(parts: ClientParts) {
    const { options } = parts
    this.#parts = parts
    const proxyEnv = proxies(parts)
    const known = [proxyEnv.HTTP_PROXY, proxyEnv.HTTPS_PROXY].flatMap((text) => URL.parse(text ?? '')?.hostname ?? [])
    this.#proxied = known.length > 0
    const common = {
      keepAlive: true,
      maxFreeSockets: 32,
      localAddress: options.bindAddr || undefined,
      proxyEnv,
      ...(parts.reach ? { lookup: guardedLookup(parts.reach, known) } : {}),
    }
    this.#plain = new http.Agent({ ...common, ...largeReads() })
    this.#secure = new https.Agent({ ...common, ...tlsOptions(options) })
    this.#fixed = { 'user-agent': options.userAgent, ...parseHeaders(options.header) }
  }

  /** A client with the options of a context. */
  static of(ctx: Context, more: Partial<Pick<ClientParts, 'env' | 'reach' | 'socketPath'>> = {}): HttpClient {
    const { connectTimeout, timeout } = ctx.get(mainOptions)
    return new HttpClient({ options: ctx.get(netOptions), connectTimeout, timeout, env: process.env, ...more })
  }

  /** Sends a request and gives the answer as soon as its head is there, whatever its status. */
  async request(ctx: Context, request: ClientRequest): Promise<ClientResponse> {
    const follows = request.follow === true && safe.has(request.method)
    let { url, headers = {} } = request
    for (let hops = 0; ; hops++) {
      const response = await this.#send(ctx, { ...request, url, headers })
      const next = follows ? redirect(response) : undefined
      if (!next) return response
      await leave(response.body)
      if (hops >= MAX_REDIRECTS)
        throw new AppError('io', `${request.url.host} redirects more than ${MAX_REDIRECTS} times`)
      if (url.protocol === 'https:' && next.protocol !== 'https:')
        throw new AppError('io', `${url.host} redirects from https to ${next.protocol.slice(0, -1)}: refused`)
      if (next.origin !== url.origin && !request.trusting) headers = harmless(headers)
      url = next
    }
  }

  /** As `request`; a status of 400 or more is thrown as an error that tells whether to try again. */
  async fetch(ctx: Context, request: ClientRequest): Promise<ClientResponse> {
    const response = await this.request(ctx, request)
    if (response.status < 400) return response
    await leave(response.body)
    throw statusError(response.status, `${request.method} ${bare(response.url).href}`, response.headers['retry-after'])
  }

  /** Ends kept connections; those in use end with their bodies. */
  close(): void {
    this.#plain.destroy()
    this.#secure.destroy()
  }

  async #send(ctx: Context, request: ClientRequest): Promise<ClientResponse> {
    const { method, url, body } = request
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new AppError('invalid', `${url.protocol} is not http or https`)
    const secure = url.protocol === 'https:'
    const { signal } = ctx
    if (this.#parts.reach) await checkHost(url, this.#parts.reach, { resolve: this.#proxied }).catch(rethrow)
    if (signal.aborted) throw abortError(signal)
    const headers = this.#headers(request)
    dumpHead(ctx, `> ${method}`, url, headers)
    const sent = (secure ? https : http).request(bare(url), {
      method,
      agent: secure ? this.#secure : this.#plain,
      headers,
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(this.#parts.socketPath === undefined ? {} : { socketPath: this.#parts.socketPath }),
    })
    const abort = () => void sent.destroy(abortError(signal))
    signal.addEventListener('abort', abort, { once: true })
    sent.once('close', () => signal.removeEventListener('abort', abort))
    const idle = new Idle(this.#parts.timeout, sent, url)
    this.#limitConnecting(sent, url)
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve)
      // Also after the answer: an error of a socket that nobody listens to would end the process.
      sent.on('error', (error) => reject(translate(error, url)))
    })
    answered.catch(() => {})
    const uploaded = body ? upload(sent, body, idle) : void sent.end()
    // A server may answer, or refuse, before it has all of the body.
    uploaded?.catch((error: unknown) => sent.destroy(toAppError(error)))
    const message = await (uploaded
      ? Promise.race([answered, uploaded.then(() => idle.during(answered))])
      : idle.during(answered))
    const status = message.statusCode ?? 0
    const answer = flat(message.headers)
    dumpHead(ctx, `< ${status}`, url, answer)
    return {
      status,
      headers: answer,
      url,
      body: new ResponseBody(message, { idle, signal, url, rest: restOf(method, message) }),
    }
  }

  #headers({ url, headers = {}, body, length, method }: ClientRequest): Record<string, string> {
    const { headerDownload, headerUpload } = this.#parts.options
    const login: Headers = url.username === '' && url.password === '' ? {} : { authorization: basic(url) }
    const direction = method === 'GET' ? headerDownload : body ? headerUpload : []
    return {
      'accept-encoding': 'identity',
      ...this.#fixed,
      ...parseHeaders(direction),
      ...login,
      ...headers,
      ...(length === undefined ? {} : { 'content-length': String(length) }),
    }
  }

  #limitConnecting(sent: http.ClientRequest, url: URL): void {
    const { connectTimeout } = this.#parts
    if (!(connectTimeout > 0 && connectTimeout < LONGEST_TIMER)) return
    sent.once('socket', (socket) => {
      if (!socket.connecting) return
      const error = new AppError('io', `${url.host} could not be reached in time`, { retry: 'now' })
      const timer = setTimeout(() => sent.destroy(error), connectTimeout)
      const stop = () => clearTimeout(timer)
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', stop).once('close', stop)
    })
  }
}

/** Bytes that are read at once from a connection that is not encrypted, if there are as many. */
const READ = 256 * 1024

/**
 * Has sockets read more at once than the 64 KiB of Node, all into one place, which costs a quarter of the steps: Node's parser
 * copies what it is given, so that nothing of it is needed any more when the next read begins.
 */
function largeReads(): object {
  const callback = function (this: Socket, count: number, buffer: Uint8Array): boolean {
    this.emit('data', buffer.subarray(0, count))
    return true
  }
  return { onread: { buffer: Buffer.allocUnsafeSlow(READ), callback } }
}

async function upload(sent: http.ClientRequest, body: Body, idle: Idle): Promise<void> {
  for await (const chunk of body) {
    if (sent.destroyed) return
    if (!sent.write(chunk)) await idle.during(drained(sent))
  }
  sent.end()
}

/** Resolves when a request or stream takes more bytes, or none any more. */
export function drained(sent: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      sent.off('drain', done).off('close', done)
      resolve()
    }
    sent.on('drain', done).on('close', done)
  })
}

function redirect({ status, headers, url }: ClientResponse): URL | undefined {
  const { location } = headers
  if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return undefined
  const next = URL.parse(location, url)
  if (!next) throw new AppError('io', `${url.host} redirects to something that is no URL`)
  // A login stays with the host it is for.
  if (next.origin === url.origin && next.username === '') {
    next.username = url.username
    next.password = url.password
  }
  return next
}

/** What may go to a host that the operator did not name. */
function harmless(headers: Headers): Headers {
  const names = new Set(['range', 'if-range', 'accept', 'user-agent'])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.has(name)))
}

/** Headers as `Name: value` texts. */
export function parseHeaders(lines: readonly string[]): Headers {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? []
      if (name === undefined || value === undefined) throw new AppError('invalid', `"${line}" is not "Name: value"`)
      return [name.toLowerCase(), value]
    }),
  )
}

/** Headers as the option `headers` of backends has them: name, value, name, value. Throws `invalid` for a name without value. */
export function headerPairs(list: readonly string[]): Headers {
  if (list.length % 2 !== 0) throw new AppError('invalid', 'headers are name,value,name,value ...')
  return Object.fromEntries(
    list.flatMap((name, i) => (i % 2 === 0 ? [[name.trim().toLowerCase(), list[i + 1] ?? '']] : [])),
  )
}

function flat(headers: http.IncomingHttpHeaders): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}

function proxies({ options, env }: ClientParts): NodeJS.ProcessEnv {
  const noProxy = { NO_PROXY: env.NO_PROXY ?? env.no_proxy }
  const own = options.httpProxy
  return own === ''
    ? { ...noProxy, HTTP_PROXY: env.HTTP_PROXY ?? env.http_proxy, HTTPS_PROXY: env.HTTPS_PROXY ?? env.https_proxy }
    : { ...noProxy, HTTP_PROXY: own, HTTPS_PROXY: own }
}
