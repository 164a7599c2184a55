import { FileSlice, type Body } from '../base/body.ts'
import { AppError, messageOf } from '../base/error.ts'
import { SMALL } from './buffers.ts'
import { errorResponse, textResponse } from './error.ts'
import { RequestContext, type Exchange } from './exchange.ts'
import { bodyLength, type HttpResponse, type ResponseBody } from './message.ts'
import { isReading } from './methods.ts'
import { fill, pump } from './pump.ts'
import { PushedBody } from './pushed.ts'

/** A request body of which no more than this is still to come is read and dropped, so that the connection can be kept. */
const DROPPED_BODY = 64 * 1024

/** Has the handler answer, and sends the answer. Never throws: a failure becomes an answer, or a cut connection. */
export function answer(exchange: Exchange, handler = exchange.site.handler): void {
  let response: HttpResponse | Promise<HttpResponse>
  try {
    response = handler(new RequestContext(exchange), exchange)
  } catch (reason) {
    response = failure(exchange, reason)
  }
  if (response instanceof Promise)
    response.then(
      (value) => send(exchange, value),
      (reason: unknown) => send(exchange, failure(exchange, reason)),
    )
  else send(exchange, response)
}

/** Sends the answer to a request that does not get as far as the handler. */
export function refuse(exchange: Exchange, response: HttpResponse): void {
  answer(
    exchange,
    exchange.site.refused(() => response),
  )
}

function failure(exchange: Exchange, reason: unknown): HttpResponse {
  const response = errorResponse(reason)
  if (response.status === 500) exchange.site.ctx.log.error(messageOf(reason), { object: exchange.path })
  return response
}

/** Sends a response: small ones in one write, slices of files by the pump, all others chunk by chunk. */
export function send(exchange: Exchange, response: HttpResponse): void {
  const { body } = response
  if (exchange.gone) {
    release(body)
    return over(exchange, response, false)
  }
  if (exchange.late && response.status >= 400) response = { ...textResponse(408), close: true }
  else if (isOneTooMany(exchange, response.status)) response = { ...response, close: true }
  if (hasNoBody(exchange, response.status) || body === undefined) return sendHead(exchange, response)
  if (typeof body === 'string' || body instanceof Uint8Array) return sendWhole(exchange, response, body)
  exchange.watch()
  const sending =
    body instanceof FileSlice
      ? sendSlice(exchange, response, body)
      : body instanceof PushedBody
        ? sendPushed(exchange, response, body)
        : sendBody(exchange, response, body)
  sending.catch((reason: unknown) => broken(exchange, response, reason))
}

/** True for the last of the errors in a row that a client may have. What it writes does not count: a packager goes on, whatever comes. */
function isOneTooMany(exchange: Exchange, status: number): boolean {
  const { connection, site } = exchange
  if (status < 400) connection.errors = 0
  else if (isReading(exchange) && !connection.multiplexed) return ++connection.errors >= site.maxErrors
  return false
}

function hasNoBody(exchange: Exchange, status: number): boolean {
  return exchange.method === 'HEAD' || status === 204 || status === 304
}

function sendHead(exchange: Exchange, response: HttpResponse): void {
  const { status, body } = response
  release(body)
  const length =
    status === 204 || status === 304 ? undefined : (response.length ?? (body === undefined ? 0 : bodyLength(body)))
  if (!head(exchange, response, length, true)) return
  exchange.end()
  over(exchange, response, true)
}

function sendWhole(exchange: Exchange, response: HttpResponse, body: string | Uint8Array): void {
  const { status, headers, again } = response
  if (again && Object.isFrozen(headers) && typeof body !== 'string' && !mustClose(exchange, response))
    if (exchange.kept({ status, headers, body, again })) return exchange.close()
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  if (!head(exchange, response, length, false)) return
  if (response.done === undefined) {
    exchange.end(body)
    exchange.close()
    return
  }
  exchange.watch()
  exchange.finish(typeof body === 'string' ? Buffer.from(body) : body).then(
    (complete) => over(exchange, response, complete),
    () => over(exchange, response, false),
  )
}

async function sendSlice(exchange: Exchange, response: HttpResponse, slice: FileSlice): Promise<void> {
  const { buffers } = exchange.site
  let complete = false
  try {
    const first = await fill(slice, slice.start, buffers.take(SMALL), buffers)
    if (!head(exchange, response, slice.length, false)) return
    if (first && first.count < slice.length) {
      const sent = await pump(exchange, slice, first, buffers)
      complete = sent === slice.length && (await exchange.finish())
    } else {
      complete = await exchange.finish(first?.buffer.subarray(0, first.count))
      if (first && complete) buffers.give(first.buffer)
    }
  } finally {
    await slice.close()
  }
  over(exchange, response, complete)
}

async function sendBody(exchange: Exchange, response: HttpResponse, body: Body): Promise<void> {
  const { length = Infinity } = response
  const iterator = body[Symbol.asyncIterator]()
  let sent = 0
  let ended = false
  let cut = 0
  try {
    // The first chunk comes before the head: a source that fails at once is still an error response.
    for (let step = await iterator.next(); ; step = await iterator.next()) {
      ended = step.done === true
      if (!exchange.started && !head(exchange, response, response.length, false)) return
      if (step.done || exchange.gone) break
      const chunk = sent + step.value.length > length ? step.value.subarray(0, length - sent) : step.value
      cut += step.value.length - chunk.length
      sent += chunk.length
      if (chunk.length > 0) await exchange.write(chunk)
      if (exchange.gone || cut > 0) break
    }
  } finally {
    if (!ended) iterator.return?.().catch(() => {})
  }
  if (cut > 0)
    exchange.site.ctx.log.error(`body is longer than the ${length} bytes announced: cut`, { object: exchange.path })
  if (!exchange.gone && sent < length && length !== Infinity)
    throw new AppError('io', `body ended after ${sent} of ${length} bytes`)
  over(exchange, response, await exchange.finish())
}

/** The head goes out at once, for what is pushed may be long in coming. */
async function sendPushed(exchange: Exchange, response: HttpResponse, body: PushedBody): Promise<void> {
  if (!head(exchange, response, response.length, false)) return body.detach()
  exchange.flush()
  const reason = await new Promise<unknown>((resolve) => {
    exchange.onLeft = () => {
      body.detach()
      resolve(undefined)
    }
    exchange.whenDrained(() => body.drained())
    body.attach({ offer: (piece) => exchange.offer(piece), end: resolve })
  })
  exchange.onLeft = undefined
  if (reason === undefined) return over(exchange, response, await exchange.finish())
  // Whoever pushes has said why, once for all who are cut off.
  exchange.destroy()
  over(exchange, response, false)
}

/** A body failed: an error response when there is still time for one, else the connection is cut, never a clean end. */
function broken(exchange: Exchange, response: HttpResponse, reason: unknown): void {
  const { log } = exchange.site.ctx
  if (!exchange.started && !exchange.gone)
    return send(exchange, { ...failure(exchange, reason), ...(response.done && { done: response.done }) })
  if (!exchange.gone) log.error(`sending broke off: ${messageOf(reason)}`, { object: exchange.path })
  exchange.destroy()
  over(exchange, response, false)
}

/** Sends the head; false when that failed and the exchange is dealt with. */
function head(exchange: Exchange, response: HttpResponse, length: number | undefined, bodiless: boolean): boolean {
  if (exchange.gone) {
    over(exchange, response, false)
    return false
  }
  try {
    exchange.head(response.status, response.headers, { length, bodiless, close: mustClose(exchange, response) })
    return true
  } catch (reason) {
    exchange.site.ctx.log.error(`bad response header: ${messageOf(reason)}`, { object: exchange.path })
    const { done } = response
    send(exchange, { ...textResponse(500), ...(done && { done }) })
    return false
  }
}

/** The rest of a request body is waited for only when it is short and the request was no failure. */
function mustClose(exchange: Exchange, response: HttpResponse): boolean {
  const { site, connection } = exchange
  if (response.close || site.draining || site.noKeepalive || connection.closing) return true
  return exchange.isBodyPending && (response.status >= 400 || (exchange.contentLength ?? Infinity) > DROPPED_BODY)
}

function over(exchange: Exchange, response: HttpResponse, complete: boolean): void {
  exchange.close()
  response.done?.({ bytes: exchange.sent, complete })
}

/** Gives a body back that is not sent. */
function release(body: ResponseBody | undefined): void {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return
  if (body instanceof PushedBody) return body.detach()
  const released = body instanceof FileSlice ? body.close() : Promise.resolve(body[Symbol.asyncIterator]().return?.())
  released.catch(() => {})
}
