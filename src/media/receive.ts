import type { Body } from '../base/body.ts'
import { toAppError } from '../base/error.ts'
import { octetStream, typeByName, usefulType } from '../base/mime.ts'
import type { CanonicalPath } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import type { Handler, HttpRequest, HttpResponse } from '../http/message.ts'
import { foreignPage } from '../http/same-site.ts'
import { encodePath } from '../http/target.ts'
import { AppError } from '../base/error.ts'

/** One upload, as whoever takes it sees it. */
export interface Incoming {
  readonly path: CanonicalPath
  /** Media type: as announced, else by the name. */
  readonly type: string
  /** Bytes, where they were announced. */
  readonly length: number | undefined
  /** Pull it to let the sender go on; it throws when the sender gives up. */
  readonly body: Body
  /** A header's value by lower-case name. */
  header(name: string): string | undefined
}

/** Takes an upload. Resolves when all of it was taken in good order; throws otherwise. */
export type Consumer = (ctx: Context, upload: Incoming) => Promise<void>

/**
 * Hands each PUT and POST on to a consumer as a stream of its own, at the pace at which that takes it, and stores nothing. Nothing
 * can be read here (404), and there are no parts of uploads (416).
 */
export function receiveHandler(consume: Consumer, origins: readonly string[]): Handler {
  return async function receive(ctx, request): Promise<HttpResponse> {
    const { method } = request
    if (method === 'GET' || method === 'HEAD') return textResponse(404, 'Nothing can be read here')
    if (method === 'OPTIONS') return { status: 204, headers: allow }
    if (method !== 'PUT' && method !== 'POST') return textResponse(405, 'Method Not Allowed', allow)
    const foreign = foreignPage(request, origins)
    if (foreign !== undefined) throw new AppError('denied', foreign)
    if (request.header('range') !== undefined || request.header('content-range') !== undefined)
      return { ...textResponse(416, 'Parts of uploads are not taken here'), close: true }
    await handOn(ctx, request, consume)
    const location = `${request.base}/${encodePath(request.path)}`
    return { status: 201, headers: ['content-location', location], length: 0 }
  }
}

const allow = ['allow', 'PUT, POST, OPTIONS']

async function handOn(ctx: Context, request: HttpRequest, consume: Consumer): Promise<void> {
  const { path, contentLength } = request
  const transfer = ctx.stats.transfer(path || '/', contentLength ?? -1)
  const type = usefulType(request.header('content-type')) ?? typeByName(path) ?? octetStream
  const header = (name: string) => request.header(name)
  try {
    const body = transfer.account(request.body, () => ctx.signal)
    await consume(ctx, { path, type, length: contentLength, body, header })
    transfer.done()
    ctx.log.info('Received', { object: path || '/' })
  } catch (reason) {
    const error = toAppError(reason)
    transfer.done(error)
    ctx.log.error(`Not received: ${error.message}`, { object: path || '/' })
    throw error
  }
}
