import type { Json } from '../base/json.ts'
import { escapeHtml } from '../base/html.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { encodePath } from '../http/target.ts'
import type { Channel } from './channel.ts'
import type { Live } from './live.ts'
import { IcyQuery } from './query.ts'

/** Where listeners find a mount, as the one who asks would write it. */
export function listenUrl({ peer, base }: HttpRequest, path: string): string {
  return `${peer.secure ? 'https' : 'http'}://${peer.host || 'localhost'}${encodePath(base)}/${encodePath(path)}`
}

/**
 * `/status-json.xsl` as Icecast has it, for the programs and pages that read it: `source` is absent without a source, an object
 * with one, and a list with several (live.md 3.3). `?mount=` picks one.
 */
export function statusPage(
  channels: readonly Channel[],
  request: HttpRequest,
  { begun, serverId }: { readonly begun: number; readonly serverId: string },
): HttpResponse {
  const wanted = new IcyQuery(request.query).get('mount')
  const sources = channels
    .filter(({ stream, mount }) => stream && (wanted === undefined || `/${mount.path}` === wanted))
    .map((channel) => sourceStatus(channel, request))
  const icestats: Json = {
    admin: '',
    host: request.peer.host,
    location: '',
    server_id: serverId,
    ...times('server_start', begun),
    ...(sources.length === 0 ? {} : { source: sources.length === 1 ? (sources[0] as Json) : sources }),
  }
  return {
    status: 200,
    headers: ['content-type', 'application/json; charset=utf-8', 'cache-control', 'no-cache, no-store'],
    body: JSON.stringify({ icestats }),
  }
}

function sourceStatus({ mount, stream, counts, listeners }: Channel, request: HttpRequest): Json {
  const station = { ...stream?.station, ...mount.station }
  const { name = '', description = '', genre = '', url, br, pub: _pub, ...others } = station
  const audio = others['audio-info']
  return {
    ...(audio === undefined ? {} : { audio_info: audio }),
    ...(br === undefined ? {} : { bitrate: Number(br) || br }),
    ...Object.fromEntries(
      Object.entries(others)
        .filter(([key]) => key !== 'audio-info')
        .map(([key, value]) => [`ice-${key}`, value]),
    ),
    genre,
    listener_peak: counts.peak,
    listeners: listeners.length,
    listenurl: listenUrl(request, mount.path),
    server_description: description,
    server_name: name,
    server_type: stream?.type ?? '',
    ...(url === undefined ? {} : { server_url: url }),
    ...times('stream_start', stream?.begun ?? 0),
    ...(stream?.title ? { title: stream.title.title } : {}),
    dummy: null,
  }
}

/** `Wed, 25 Nov 2026 14:00:00 +0000`, and ISO 8601. */
function times(name: string, ms: number): Record<string, string> {
  const date = new Date(ms)
  return {
    [name]: date.toUTCString().replace('GMT', '+0000'),
    [`${name}_iso8601`]: date.toISOString().replace(/\.\d+Z$/, '+0000'),
  }
}

/** `MOUNT.m3u` and `MOUNT.xspf`: lists of one, which players open. Undefined for any other path. */
export function playlist(live: Live, request: HttpRequest): HttpResponse | undefined {
  const [, path = '', kind = ''] = /^(.*)\.(m3u|xspf)$/s.exec(request.path) ?? []
  const channel = live.find(path)
  if (!channel) return undefined
  const url = listenUrl(request, path)
  const headers = ['cache-control', 'no-cache', 'content-disposition', `attachment; filename="listen.${kind}"`]
  if (kind === 'm3u')
    return { status: 200, headers: ['content-type', 'audio/x-mpegurl', ...headers], body: `${url}\r\n` }
  const station = { ...channel.stream?.station, ...channel.mount.station }
  const title = escapeHtml(channel.stream?.title?.title ?? station.name ?? path)
  return {
    status: 200,
    headers: ['content-type', 'application/xspf+xml', ...headers],
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<playlist xmlns="http://xspf.org/ns/0/" version="1"><trackList><track><location>${escapeHtml(url)}</location><title>${title}</title></track></trackList></playlist>\n`,
  }
}
