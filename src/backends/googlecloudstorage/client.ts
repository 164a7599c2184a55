import { bodyOf, collect, type Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { HttpClient, type ClientResponse, type Headers } from '../../net/client.ts'
import { statusError } from '../../net/status.ts'
import { fetchOver } from './fetch.ts'
import { type GcsOptions, type Login, loginOf } from './login.ts'

const STANDARD = 'https://storage.googleapis.com/'

export type Query = Readonly<Record<string, string>>

export interface GcsRequest {
  readonly method: string
  readonly url: URL
  readonly headers?: Headers
  /** Sent as JSON. */
  readonly json?: object
  readonly body?: Body
  readonly length?: number
}

/** Speaks the JSON API of one service. */
export class GcsClient {
  readonly #http: HttpClient
  readonly #login: Login
  readonly #base: URL
  readonly #userProject: string

  private constructor(http: HttpClient, login: Login, base: URL, options: GcsOptions) {
    this.#http = http
    this.#login = login
    this.#base = base
    this.#userProject = options.userProject
  }

  /** Throws `invalid` for options that lead nowhere. */
  static of(ctx: Context, options: GcsOptions): GcsClient {
    const { endpoint } = options
    const base = URL.parse(endpoint === '' ? STANDARD : endpoint)
    if (base?.protocol !== 'https:' && base?.protocol !== 'http:')
      throw new AppError('invalid', 'google cloud storage backend: the option endpoint is not an http or https URL')
    if (!base.pathname.endsWith('/')) base.pathname += '/'
    if (base.pathname === '/') base.pathname = '/storage/v1/'
    const http = HttpClient.of(ctx)
    return new GcsClient(http, loginOf(options, fetchOver(ctx, http)), base, options)
  }

  /** `b/bucket/o/key` below the service, with its names escaped; a name that is undefined ends it. */
  url(names: readonly string[], query: Query = {}): URL {
    return this.#finished(new URL(names.map(encodeURIComponent).join('/'), this.#base), query)
  }

  /** Where objects of a bucket are uploaded to. */
  uploadUrl(bucket: string, query: Query): URL {
    const path = `/upload${this.#base.pathname}b/${encodeURIComponent(bucket)}/o`
    return this.#finished(new URL(path, this.#base), query)
  }

  /** Sends a request and gives the answer, whatever its status. */
  async request(ctx: Context, { json, ...request }: GcsRequest): Promise<ClientResponse> {
    const text = json === undefined ? undefined : JSON.stringify(json)
    const more = text === undefined ? {} : { body: bodyOf(text), length: Buffer.byteLength(text) }
    const type: Headers = text === undefined ? {} : { 'content-type': 'application/json' }
    const headers = { ...(await this.#login()), ...type, ...request.headers }
    return await this.#http.request(ctx, { ...request, ...more, headers })
  }

  /** The JSON of an answer. Throws for a status of 300 or more, with the sentence of the service. */
  async json<T>(ctx: Context, what: string, request: GcsRequest): Promise<T> {
    return (await answerOf(await this.request(ctx, request), what)) as T
  }

  close(): void {
    this.#http.close()
  }

  #finished(url: URL, query: Query): URL {
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    if (this.#userProject !== '') url.searchParams.set('userProject', this.#userProject)
    return url
  }
}

/** What an answer says, as JSON. Throws for a status of 300 or more. */
export async function answerOf(response: ClientResponse, what: string): Promise<unknown> {
  const text = Buffer.from(await collect(response.body)).toString()
  if (response.status >= 300) throw gcsError(response, what, text)
  return text === '' ? {} : (JSON.parse(text) as unknown)
}

function gcsError({ status, headers }: ClientResponse, what: string, text: string): AppError {
  const error = statusError(status, what, headers['retry-after'])
  const sentence = /"message":\s*"((?:[^"\\]|\\.){1,300})"/.exec(text)?.[1]
  if (sentence === undefined) return error
  return new AppError(error.code, `${error.message}: ${sentence}`, { retry: error.retry })
}
