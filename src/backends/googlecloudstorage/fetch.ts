import { bodyOf, collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { HttpClient } from '../../net/client.ts'

/** Lets Google's library ask for tokens over our own client, with the proxies, certificates and timeouts of all remotes. */
export function fetchOver(ctx: Context, http: HttpClient): typeof fetch {
  return async (target, init = {}) => {
    const { body: data, method = 'GET' } = init
    const text = data === undefined || data === null ? undefined : textOf(data)
    const response = await http.request(ctx, {
      method,
      url: new URL(target instanceof Request ? target.url : target),
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(text === undefined ? {} : { body: bodyOf(text), length: Buffer.byteLength(text) }),
    })
    const bytes = await collect(response.body)
    return new Response(bytes.length === 0 ? null : Buffer.from(bytes), response)
  }
}

function textOf(data: unknown): string {
  if (typeof data === 'string' || data instanceof URLSearchParams) return String(data)
  throw new AppError('io', 'a request for a token has a body of an unknown kind')
}
