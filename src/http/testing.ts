import { bodyOf, collect } from '../base/body.ts'
import { asCanonical } from '../base/path.ts'
import { headerOf } from './message.ts'
import type { HttpRequest, HttpResponse } from './message.ts'

export interface TestRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly base?: string
}

/** A request as a listener would hand it on, for tests of handlers without sockets. `target` is percent-encoded, with query. */
export function testRequest(target = '/', { method = 'GET', headers = {}, base = '' }: TestRequest = {}): HttpRequest {
  const [rawPath = '/', query = ''] = target.split(/\?(.*)/s, 2)
  const below = decodeURIComponent(rawPath.slice(base.length))
  return {
    method,
    rawPath,
    path: asCanonical(below.split('/').filter(Boolean).join('/')),
    directory: below.endsWith('/'),
    query,
    base,
    header: (name) => headers[name],
    body: bodyOf(),
    contentLength: undefined,
    peer: { address: '127.0.0.1', port: 4321, secure: false, host: 'localhost:8080' },
    protocol: 'HTTP/1.1',
    user: undefined,
  }
}

/** What a client would have of a response: status, headers by name, all bytes. */
export async function received(response: HttpResponse | Promise<HttpResponse>): Promise<{
  readonly status: number
  readonly header: (name: string) => string | undefined
  readonly bytes: Buffer
  readonly text: string
  readonly length: number | undefined
}> {
  const { status, headers, body, length } = await response
  const bytes =
    body === undefined || typeof body === 'string'
      ? Buffer.from(body ?? '')
      : Buffer.from(body instanceof Uint8Array ? body : await collect(body))
  return { status, header: (name) => headerOf(headers, name), bytes, text: bytes.toString(), length }
}
