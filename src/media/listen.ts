import { bodyOf } from '../base/body.ts'
import { octetStream } from '../base/mime.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import type { HeaderList, HttpRequest, HttpResponse } from '../http/message.ts'
import type { Channel } from './channel.ts'
import { bearsTitles } from './formats.ts'
import { METAINT } from './icy.ts'
import { stationHeaders } from './station.ts'

/** How long somebody who comes early waits for a source to begin, ms. */
const PATIENCE = 10_000

/**
 * What somebody who asks for a mount gets: its stream from a little while ago on, without an end that is known; ranges mean
 * nothing (httpout.md 4.2, live.md 3.3). 404 while nobody publishes, 503 when the mount is full or its source does not begin.
 */
export async function listen(ctx: Context, request: HttpRequest, channel: Channel): Promise<HttpResponse> {
  if (channel.isFull) return textResponse(503, 'Too many listeners: try again later', ['retry-after', '10'])
  if (request.method === 'HEAD' || channel.stream || channel.best()) return admitted(request, channel)
  if (channel.mount.source === '')
    return textResponse(404, 'Nobody publishes to this mount', ['cache-control', 'no-store'])
  const come = channel.expect()
  try {
    if (await channel.begun(PATIENCE, ctx.signal)) return admitted(request, channel)
    return textResponse(503, 'The source of this mount does not begin: try again later', ['retry-after', '5'])
  } finally {
    come()
  }
}

function admitted(request: HttpRequest, channel: Channel): HttpResponse {
  const { mount } = channel
  const stream = (channel.best() ?? channel).stream
  const type = stream?.type ?? mount.type ?? octetStream
  const wantsTitles = request.header('icy-metadata') === '1'
  const headers = listenerHeaders(request, type, { ...stream?.station, ...mount.station }, wantsTitles)
  if (request.method === 'HEAD') {
    const known = stream ?? mount.source
    return known === '' ? textResponse(404) : { status: 200, headers, body: bodyOf() }
  }
  const listener = channel.join(
    {
      address: request.peer.address,
      agent: request.header('user-agent') ?? '',
      user: request.user?.name,
      wantsTitles,
    },
    type,
  )
  return { status: 200, headers, body: listener, close: request.protocol !== 'HTTP/2.0' }
}

function listenerHeaders(
  request: HttpRequest,
  type: string,
  station: Readonly<Record<string, string>>,
  titles: boolean,
): HeaderList {
  const bears = bearsTitles(type)
  const list = [
    'content-type',
    type,
    'cache-control',
    'no-cache, no-store',
    'accept-ranges',
    'none',
    ...stationHeaders({ pub: '0', ...station }),
  ]
  if (request.protocol === 'HTTP/1.0') list.push('expires', 'Mon, 26 Jul 1997 05:00:00 GMT', 'pragma', 'no-cache')
  if (bears && titles) list.push('icy-metaint', String(METAINT))
  return list
}
