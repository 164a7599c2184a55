import { wait } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { derive } from '../base/derive.ts'
import { AppError, toAppError } from '../base/error.ts'
import { typeByName } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { encodePath } from '../http/target.ts'
import type { ClientRequest, ClientResponse } from '../net/client.ts'
import { statusError } from '../net/status.ts'
import type { PushOptions } from './push-options.ts'
import { lost, type Replay } from './push-replay.ts'

/** What speaks HTTP to the server. */
export interface Sender {
  request(ctx: Context, request: ClientRequest): Promise<ClientResponse>
  close(): void
}

/** One object to send. */
export interface Pushed {
  /** Below the URL; `''` is the URL itself. */
  readonly path: string
  /** Bytes, where they are known beforehand. */
  readonly length?: number | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** The bytes from the beginning. Called again for another attempt. */
  readonly open: (attempt: number) => Promise<Body> | Body
}

const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 5000

/** Sends objects to one server, each by one request, again when a connection breaks or the server is busy. */
export class Pusher {
  readonly #sender: Sender
  readonly #base: URL
  readonly #options: PushOptions

  /** `base` is the URL of the only object, or of the folder of all: then it ends in a slash. */
  constructor(sender: Sender, base: URL, options: PushOptions) {
    this.#sender = sender
    this.#base = base
    this.#options = options
  }

  /** Sends an object, up to `--low-level-retries` times. Throws when the server does not take it. */
  async send(ctx: Context, object: Pushed): Promise<void> {
    const transfer = ctx.stats.transfer(object.path || nameOf(this.#base.pathname), object.length ?? -1)
    try {
      await this.#again(ctx, object.path, async (attempt) => {
        const opened = transfer.account(await object.open(attempt), () => ctx.signal)
        await this.#once(ctx, object, opened)
      })
      transfer.done()
      ctx.log.info('Pushed', { object: object.path || this.#base.pathname })
    } catch (reason) {
      transfer.done(toAppError(reason))
      throw reason
    }
  }

  /**
   * Sends a stream by one request that lasts as long as the stream does. When its connection breaks it is begun again with all
   * that was sent, or, where that is not held any more and the input does not wait, with what comes next.
   */
  async stream(ctx: Context, replay: Replay): Promise<void> {
    await this.send(ctx, {
      path: '',
      open: (attempt) => {
        if (attempt === 0 || replay.start === 0) return replay.from(0, ctx.signal)
        if (!this.#options.keepInput) throw lost(replay.position)
        return replay.from(replay.position, ctx.signal)
      },
    })
  }

  /** Removes an object at the server; one that is not there is fine. */
  async remove(ctx: Context, path: string): Promise<void> {
    await this.#again(ctx, path, async () => {
      const response = await this.#sender.request(ctx, { method: 'DELETE', url: this.#urlOf(path) })
      await drain(response)
      if (response.status >= 400 && response.status !== 404 && response.status !== 410)
        throw refused(response, 'DELETE')
    })
    ctx.log.info('Removed', { object: path })
  }

  async #again(ctx: Context, object: string, work: (attempt: number) => Promise<void>): Promise<void> {
    const { lowLevelRetries } = ctx.get(mainOptions)
    for (let attempt = 0; ; attempt++)
      try {
        return await work(attempt)
      } catch (reason) {
        const error = toAppError(reason)
        if (ctx.signal.aborted || error.retry === false || attempt + 1 >= Math.max(1, lowLevelRetries)) throw error
        const ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt)
        ctx.log.info(`trying again: ${error.message}`, { object })
        await wait(typeof error.retry === 'object' ? error.retry.afterMs : ms, ctx.signal)
      }
  }

  async #once(ctx: Context, object: Pushed, bytes: Body): Promise<void> {
    const { method, contentType } = this.#options
    const type = contentType || typeByName(nameOf(object.path || this.#base.pathname))
    const way = { whole: false, over: Promise.withResolvers<void>() }
    const response = await this.#sender.request(ctx, {
      method,
      url: this.#urlOf(object.path),
      headers: { ...(type === undefined ? {} : { 'content-type': type }), ...object.headers },
      body: derive(bytes, (source) => watched(source, way)),
      ...(object.length === undefined ? {} : { length: object.length }),
    })
    if (response.status >= 400) {
      await response.body[Symbol.asyncIterator]().return?.()
      throw refused(response, method)
    }
    // A server may answer before it has all of it, and goes on reading.
    await Promise.all([drain(response), way.over.promise])
    if (!way.whole) throw new AppError('io', `${this.#base.host}: the connection broke`, { retry: 'now' })
  }

  #urlOf(path: string): URL {
    const url = new URL(this.#base)
    if (path !== '') url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodePath(path)}`
    const { user, pass } = this.#options
    if (user !== '') [url.username, url.password] = [encodeURIComponent(user), encodeURIComponent(pass)]
    return url
  }
}

interface Way {
  whole: boolean
  readonly over: PromiseWithResolvers<void>
}

/** Passes bytes on and tells when the last one was taken, or nobody takes them any more. */
async function* watched(source: Body, way: Way): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of source) yield chunk
    way.whole = true
  } finally {
    way.over.resolve()
  }
}

async function drain({ body }: ClientResponse): Promise<void> {
  for await (const chunk of body) void chunk
}

function refused({ status, headers, url }: ClientResponse, method: string): AppError {
  return statusError(status, `${method} ${url.host}${url.pathname}`, headers['retry-after'])
}
