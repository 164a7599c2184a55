import { AppError } from '../base/error.ts'
import { octetStream, typeByName, usefulType } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { foreignPage } from '../http/same-site.ts'
import type { Channel } from './channel.ts'
import { stationOf } from './station.ts'

/** The methods by which a mount is published to. */
export const publishing: readonly string[] = ['PUT', 'POST', 'SOURCE']

export interface Publishing {
  /** Of the server. */
  readonly ctx: Context
  /** Origins whose web pages may publish; `*` = any. */
  readonly origins: readonly string[]
}

/**
 * Takes a stream in: PUT and POST with chunks, with a length or without, and SOURCE as Icecast's own clients send it. Answers
 * when it has ended. One publisher at a time: another one gets 403 (live.md 3.3).
 */
export async function publish(
  ctx: Context,
  request: HttpRequest,
  channel: Channel,
  { ctx: server, origins }: Publishing,
): Promise<HttpResponse> {
  const foreign = foreignPage(request, origins)
  if (foreign !== undefined) throw new AppError('denied', foreign)
  // A question whether it would be taken, as libshout and packagers ask (live.md, fact 6, and 3.6).
  if (request.contentLength === 0) return textResponse(200, 'This mount takes a stream')
  if (channel.publisher) return { ...textResponse(403, 'Mountpoint in use'), close: true }
  const { mount } = channel
  const began = performance.now()
  try {
    const bytes = await channel.publish({
      type: mount.type ?? usefulType(request.header('content-type')) ?? typeByName(nameOf(mount.path)) ?? octetStream,
      station: stationOf((name) => request.header(name)),
      address: request.peer.address,
      agent: request.header('user-agent') ?? '',
      body: request.body,
      signal: AbortSignal.any([server.signal, lost(ctx, request)]),
    })
    return textResponse(200, `${bytes} bytes taken`)
  } finally {
    const seconds = Math.round((performance.now() - began) / 1000)
    ctx.log.info(`${request.peer.address}:${request.peer.port}: published for ${seconds} s`, { object: mount.path })
  }
}

/** Aborts when the publisher leaves before all has come. Who has sent all need not stay until somebody listens. */
function lost({ signal }: Context, request: HttpRequest): AbortSignal {
  const left = new AbortController()
  const look = () => request.isBodyPending !== false && left.abort(signal.reason)
  signal.addEventListener('abort', look, { once: true })
  return left.signal
}
