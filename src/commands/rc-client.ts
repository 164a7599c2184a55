import { bodyOf, collect, type Body } from '../base/body.ts'
import { messageOf, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { reasonOf } from '../http/error.ts'
import { HttpClient } from '../net/client.ts'
import { netOptions } from '../net/options.ts'
import type { ErrorObject } from '../rc/error.ts'
import type { Target } from './rc-target.ts'
import { isLoopback } from './server-options.ts'

/** What came of a call over HTTP: an answer, text that a method streams, or an error as servers describe it. */
export interface Reply {
  readonly output?: unknown
  readonly stream?: Body
  readonly error?: Partial<ErrorObject> & { readonly error: string }
  /** The server could not be reached, and trying again may help. */
  readonly retry?: boolean
}

/** The largest answer that is read, bytes. */
const LARGEST = 512 * 1024 * 1024

/** Calls a method. `body` is JSON; `streams` says that the answer may be any text. Throws only when `ctx` aborts. */
export async function callOverHttp(
  ctx: Context,
  target: Target,
  path: string,
  body: string,
  streams = false,
): Promise<Reply> {
  const { url, user, pass } = target
  const failed = (status: number, error: string) => ({ error: { error, input: null, path, status } })
  const client = clientFor(ctx, target)
  let reading = false
  try {
    const bytes = Buffer.from(body)
    const response = await client.request(ctx, {
      method: 'POST',
      url: new URL(path.split('/').map(encodeURIComponent).join('/'), url),
      headers: {
        'content-type': 'application/json',
        ...(user === '' && pass === ''
          ? {}
          : { authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}` }),
      },
      body: bodyOf(bytes),
      length: bytes.length,
    })
    const { status, headers } = response
    const ok = status === 200 || status === 202
    if (ok && streams && !headers['content-type']?.startsWith('application/json')) {
      reading = true
      return { stream: closing(response.body, client) }
    }
    const text = new TextDecoder().decode(await collect(response.body, LARGEST))
    const json = jsonObject(text)
    if (!json && status === 401) return failed(status, '401 Unauthorized: give the login with --user and --pass')
    if (!json) return failed(status, `failed to decode response: ${status} ${reasonOf(status)}: ${text.trim()}`)
    if (ok) return { output: json }
    const { error } = json
    return { error: { ...json, error: typeof error === 'string' ? error : `${status} ${reasonOf(status)}` } }
  } catch (reason) {
    const error = toAppError(reason)
    if (ctx.signal.aborted) throw error
    return { ...failed(503, `connection failed: ${messageOf(error)}`), retry: error.retry !== false }
  } finally {
    if (!reading) client.close()
  }
}

function clientFor(ctx: Context, { url, socketPath }: Target): HttpClient {
  return new HttpClient({
    options: ctx.get(netOptions),
    connectTimeout: ctx.get(mainOptions).connectTimeout,
    // A call may be at work for hours before it answers.
    timeout: 0,
    // No proxy is asked for this very machine.
    env: socketPath !== undefined || isLoopback(url.hostname) ? {} : process.env,
    ...(socketPath === undefined ? {} : { socketPath }),
  })
}

async function* closing(body: Body, client: HttpClient): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    client.close()
  }
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
