import { type Body, bodyOf } from '../base/body.ts'
import { discard } from '../base/derive.ts'
import { AppError } from '../base/error.ts'
import type { HeaderList, HttpResponse } from '../http/message.ts'
import type { HookReply, HookResponse } from './hook.ts'

/** Headers that say how a message is delimited: they are the server's alone. */
const framing = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'trailer'])
/** Headers that say something of the bytes of a body. */
const ofBody = ['etag', 'accept-ranges', 'content-range', 'content-encoding', 'repr-digest']

/** A response with the headers of a hook in the place of those of the same name. Throws `io` for one that cannot be sent. */
export function applyHeaders(response: HttpResponse, headers: HookReply['headers']): HttpResponse {
  if (headers === undefined) return response
  const added: HeaderList = []
  const names = new Set<string>()
  let { length } = response
  for (const [given, values] of Object.entries(headers)) {
    const name = given.toLowerCase()
    for (const value of [values].flat()) {
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value))
        throw new AppError('io', `hook: header ${JSON.stringify(given)} cannot be sent`)
      // Of a stream nobody else knows the length.
      if (name === 'content-length' && response.asIs && /^\d{1,15}$/.test(value)) length = Number(value)
      if (!framing.has(name)) added.push(name, value)
    }
    names.add(name)
  }
  const kept = response.headers.filter((_, i) => !names.has(response.headers[i - (i % 2)] ?? ''))
  return { ...response, headers: [...kept, ...added], length }
}

/** Lets a hook look at a response and change it. */
export async function rewritten(
  response: HttpResponse,
  change: (response: HookResponse) => Promise<void>,
): Promise<HttpResponse> {
  const view = new Shown(response)
  await change(view)
  return view.result()
}

class Shown implements HookResponse {
  status: number
  readonly headers = new Headers()
  readonly #response: HttpResponse
  #body: HookResponse['body']
  #changed = false

  constructor(response: HttpResponse) {
    this.#response = response
    this.status = response.status
    this.#body = response.body
    const list = response.headers
    for (let i = 0; i < list.length; i += 2) this.headers.append(list[i] ?? '', list[i + 1] ?? '')
  }

  get body(): HookResponse['body'] {
    return this.#body
  }

  set body(body: HookResponse['body']) {
    this.#body = body
    this.#changed = true
  }

  /** The response as it is after the hook. */
  result(): HttpResponse {
    const { status } = this
    if (!this.#changed) return { ...this.#response, status, headers: this.#list() }
    const before = this.#response.headers
    for (const name of ofBody) {
      const at = before.indexOf(name)
      if (at >= 0 && this.headers.get(name) === before[at + 1]) this.headers.delete(name)
    }
    const body = this.#body
    const sendable = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : bytes(body)
    const { done, body: old } = this.#response
    return {
      ...this.#response,
      status,
      headers: this.#list(),
      body: sendable,
      length: undefined,
      done(sent) {
        done?.(sent)
        // The new body may have been made of the old one; nobody reads that any more.
        discard(old).catch(() => {})
      },
    }
  }

  #list(): HeaderList {
    return [...this.headers].flat()
  }
}

/** A stream of texts or bytes as one of bytes. */
export async function* bytes(body: AsyncIterable<Uint8Array | string>): Body & AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield* bodyOf(chunk)
}
