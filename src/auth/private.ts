import { headerOf, whenDone, type HttpResponse, type Middleware } from '../http/message.ts'

/** Tells caches between the server and the user that what was given after a login is for that user alone (RFC 9111 section 5.2.2.7). */
export const keepPrivate: Middleware = (next) => (ctx, request) => whenDone(next(ctx, request), marked)

function marked(response: HttpResponse): HttpResponse {
  const { headers } = response
  const present = headerOf(headers, 'cache-control')
  if (present === undefined) return { ...response, headers: [...headers, 'cache-control', 'private'] }
  if (/\b(?:private|public|no-store)\b/i.test(present)) return response
  return {
    ...response,
    headers: headers.map((text, i) => (headers[i - 1] === 'cache-control' && i % 2 === 1 ? `private, ${text}` : text)),
  }
}
