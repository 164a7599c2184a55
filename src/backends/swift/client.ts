import { collect, type Body } from '../../base/body.ts'
import { type Once, once } from '../../base/once.ts'
import type { Context } from '../../core/context.ts'
import { HttpClient, type ClientResponse, type Headers } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { statusError } from '../../net/status.ts'
import type { Place } from '../../remote/object-store.ts'
import { logIn, type Session, type SwiftOptions } from './login.ts'

export interface SwiftRequest {
  readonly method: string
  /** The account, when the bucket is `''`; a container, when the key is. */
  readonly place: Place
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Headers
  readonly body?: Body
  readonly length?: number | undefined
}

/** Speaks to one account; logs in when it is first used, and again when its token has run out. */
export class SwiftClient {
  readonly #http: HttpClient
  readonly #options: SwiftOptions
  #session: Once<Session> | undefined

  constructor(ctx: Context, options: SwiftOptions) {
    this.#http = HttpClient.of(ctx)
    this.#options = options
  }

  /** Sends a request and gives the answer, whatever its status. */
  async request(ctx: Context, request: SwiftRequest): Promise<ClientResponse> {
    const session = (this.#session ??= once(() => logIn(ctx, this.#http, this.#options)))
    const response = await this.#send(ctx, await session(), request)
    if (response.status !== 401) return response
    // What was read of a body cannot be sent again: the next request will log in.
    if (this.#session === session) this.#session = undefined
    if (request.body) return response
    await leave(response.body)
    this.#session ??= once(() => logIn(ctx, this.#http, this.#options))
    return await this.#send(ctx, await this.#session(), request)
  }

  /** Sends a request and gives the head of its answer. Throws for a status of 300 or more. */
  async send(ctx: Context, request: SwiftRequest): Promise<ClientResponse> {
    const response = await this.request(ctx, request)
    await leave(response.body)
    if (response.status < 300) return response
    throw swiftError(response, request.place)
  }

  /** The JSON of an answer. Throws for a status of 300 or more. */
  async json<T>(ctx: Context, place: Place, query: Readonly<Record<string, string>>): Promise<T[]> {
    const response = await this.request(ctx, { method: 'GET', place, query: { format: 'json', ...query } })
    const text = Buffer.from(await collect(response.body)).toString()
    if (response.status >= 300) throw swiftError(response, place)
    return text === '' ? [] : (JSON.parse(text) as T[])
  }

  close(): void {
    this.#http.close()
  }

  async #send(ctx: Context, { url, token }: Session, request: SwiftRequest): Promise<ClientResponse> {
    const { method, place, query = {}, headers, body, length } = request
    const target = new URL(pathOf(place), url)
    for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value)
    return await this.#http.request(ctx, {
      method,
      url: target,
      headers: { ...headers, 'x-auth-token': token },
      ...(body ? { body } : {}),
      ...(length === undefined ? {} : { length }),
    })
  }
}

/** A place as it stands in URLs and headers, below the account. */
export function pathOf({ bucket, key }: Place): string {
  const names = key === '' ? [bucket] : [bucket, ...key.split('/')]
  return names.map(encodeURIComponent).join('/')
}

/** The error of an answer of 300 or more. */
export function swiftError({ status, headers }: ClientResponse, { bucket, key }: Place) {
  // 498 is what Swift says when it is asked too often.
  return statusError(status === 498 ? 429 : status, key || bucket || 'the account', headers['retry-after'])
}
