import type { Context } from '../core/context.ts'
import type { HttpRequest } from '../http/message.ts'
import type { HookRequest } from './hook.ts'

/** What of a request its own fields do not tell. */
export interface AskedParts {
  readonly id: number
  readonly connId: number
  readonly groups: readonly string[]
}

/** A request of the server as a hook sees it. */
export class Asked implements HookRequest {
  readonly id: number
  readonly connId: number
  readonly auth: HookRequest['auth']
  readonly #ctx: Context
  readonly #request: HttpRequest
  #headers: Headers | undefined
  #body: ReadableStream<Uint8Array> | undefined

  constructor(ctx: Context, request: HttpRequest, { id, connId, groups }: AskedParts) {
    this.id = id
    this.connId = connId
    this.auth = { code: 200, ...(request.user ? { user: request.user.name } : {}), groups }
    this.#ctx = ctx
    this.#request = request
  }

  get method(): string {
    return this.#request.method
  }

  get url(): URL {
    const { peer, rawPath, query } = this.#request
    const path = rawPath.startsWith('/') ? rawPath : `/${rawPath}`
    const scheme = peer.secure ? 'https' : 'http'
    // What may stand in a Host header is not always the host of a URL: 1.2.3.4.5 is none.
    const origin = URL.canParse(`${scheme}://${peer.host}`) ? `${scheme}://${peer.host}` : `${scheme}://localhost`
    return new URL(origin + path + (query === '' ? '' : `?${query}`))
  }

  get path(): string {
    const { path, directory } = this.#request
    return `/${path}${directory && path !== '' ? '/' : ''}`
  }

  get headers(): Headers {
    if (!this.#headers) {
      this.#headers = new Headers()
      const raw = this.rawHeaders
      // Those of HTTP/2 that begin with a colon are no headers.
      for (let i = 0; i < raw.length; i += 2)
        if (!raw[i]?.startsWith(':')) this.#headers.append(raw[i] ?? '', raw[i + 1] ?? '')
    }
    return this.#headers
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders ?? []
  }

  get ip(): string {
    return this.#request.peer.address
  }

  get port(): number {
    return this.#request.peer.port
  }

  get tls(): boolean {
    return this.#request.peer.secure
  }

  get http(): '1.0' | '1.1' | '2' {
    const { protocol } = this.#request
    return protocol === 'HTTP/1.0' ? '1.0' : protocol === 'HTTP/1.1' ? '1.1' : '2'
  }

  get body(): ReadableStream<Uint8Array> {
    this.#body ??= ReadableStream.from(this.#request.body)
    return this.#body
  }

  get signal(): AbortSignal {
    return this.#ctx.signal
  }

  /** What is shown of it in logs and by `JSON.stringify`. */
  toJSON(): object {
    const { id, method, url, path, ip, port, tls, http, connId, auth } = this
    return { id, method, url, path, headers: Object.fromEntries(this.headers), ip, port, tls, http, connId, auth }
  }
}
