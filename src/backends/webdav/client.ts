import { bodyOf, type Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { runProgram } from '../../base/program.ts'
import type { Context } from '../../core/context.ts'
import { headerPairs, HttpClient, type ClientResponse, type Headers } from '../../net/client.ts'
import { bare } from '../../net/login.ts'
import { leave } from '../../net/response-body.ts'
import { statusError } from '../../net/status.ts'
import { encodePath } from '../../remote/encoding.ts'
import type { Values } from '../../schema/option.ts'
import type { webdavOptions } from './index.ts'

export interface DavRequest {
  readonly method: string
  readonly url: URL
  readonly headers?: Headers
  /** XML of the request. */
  readonly text?: string
  readonly body?: Body
  /** Bytes of `body`; without it the body is sent in chunks. */
  readonly length?: number | undefined
  readonly follow?: boolean
}

/** Speaks to one WebDAV server as one user. */
export class DavClient {
  readonly #http: HttpClient
  readonly #base: URL
  readonly #options: Values<typeof webdavOptions>
  readonly #headers: Headers
  #token: Promise<string> | undefined

  private constructor(http: HttpClient, base: URL, options: Values<typeof webdavOptions>) {
    this.#http = http
    this.#base = base
    this.#options = options
    this.#headers = headerPairs(options.headers)
  }

  /** Throws `invalid` for a URL that is missing or not of the web. */
  static of(ctx: Context, options: Values<typeof webdavOptions>): DavClient {
    const { url, unixSocket } = options
    if (url === '') throw new AppError('invalid', 'webdav backend: the option url is missing')
    const base = URL.parse(url.endsWith('/') ? url : `${url}/`)
    if (base?.protocol !== 'http:' && base?.protocol !== 'https:')
      throw new AppError('invalid', 'webdav backend: the option url is not an http or https URL')
    const http = HttpClient.of(ctx, unixSocket === '' ? {} : { socketPath: unixSocket })
    return new DavClient(http, base, options)
  }

  /** The URL that the configuration names, without a login. */
  get base(): URL {
    return bare(this.#base)
  }

  /** The URL of a path below the base; that of a directory ends in a slash, so that no server has to redirect. */
  url(path: string, directory = false): URL {
    const url = new URL(this.#base)
    if (path === '') return url
    const names = encodePath(this.#options.encoding, path).split('/').map(encodeURIComponent)
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${names.join('/')}${directory ? '/' : ''}`
    return url
  }

  /** Sends a request and gives the answer, whatever its status. A token that a program gave is asked for anew after a 401. */
  async request(ctx: Context, request: DavRequest): Promise<ClientResponse> {
    const response = await this.#send(ctx, request)
    if (response.status !== 401 || this.#options.bearerTokenCommand.length === 0 || request.body) return response
    await leave(response.body)
    this.#token = undefined
    return await this.#send(ctx, request)
  }

  /** As `request`, for an answer that has nothing to read; gives its head. */
  async send(ctx: Context, request: DavRequest): Promise<ClientResponse> {
    const response = await this.request(ctx, request)
    await leave(response.body)
    return response
  }

  close(): void {
    this.#http.close()
  }

  async #send(ctx: Context, { text, ...request }: DavRequest): Promise<ClientResponse> {
    const { length, body = text === undefined ? undefined : again(text), headers, ...rest } = request
    const bytes = text === undefined ? length : Buffer.byteLength(text)
    return await this.#http.request(ctx, {
      ...rest,
      headers: {
        ...(await this.#login()),
        ...this.#headers,
        ...(text === undefined ? {} : { 'content-type': 'application/xml; charset=utf-8' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      ...(bytes === undefined ? {} : { length: bytes }),
      trusting: this.#options.authRedirect,
    })
  }

  async #login(): Promise<Headers> {
    const { user, pass, bearerToken, bearerTokenCommand } = this.#options
    if (bearerTokenCommand.length > 0) {
      this.#token ??= askFor(bearerTokenCommand)
      return { authorization: `Bearer ${await this.#token}` }
    }
    if (bearerToken !== '') return { authorization: `Bearer ${bearerToken}` }
    if (user === '' && pass === '') return {}
    return { authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}` }
  }
}

/** The error of an answer of 300 or more, told with what the server says the trouble is. */
export function davError({ status, headers }: ClientResponse, what: string): AppError {
  if (status === 405 || status === 501)
    return new AppError('unsupported', `${what}: the server answered ${status}; is this the URL of a WebDAV server?`)
  return statusError(status, what, headers['retry-after'])
}

/** A body that can be read again after a redirect. */
function again(text: string): Body {
  return { [Symbol.asyncIterator]: () => bodyOf(text) }
}

async function askFor([program = '', ...args]: readonly string[]): Promise<string> {
  const token = (await runProgram(program, args)).trim()
  if (token === '') throw new AppError('denied', `${program} gave no bearer token`)
  return token
}
