import { isAllowedHost, localHosts } from '../http/strict.ts'
import { Markup, markup } from '../base/html.ts'
import { textResponse } from '../http/error.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { foreignPage } from '../http/same-site.ts'
import type { Channel } from './channel.ts'
import type { Live } from './live.ts'
import { IcyQuery } from './query.ts'

export interface AdminSettings {
  /** A login is needed for these pages, and was asked for. */
  readonly locked: boolean
  readonly origins: readonly string[]
  /** `sluice/0.2.0` */
  readonly serverId: string
}

type Page = (live: Live, query: IcyQuery, settings: AdminSettings) => HttpResponse | Promise<HttpResponse>

/** The pages of Icecast's administration, by their path below `admin/` (live.md 3.3): programs that know Icecast use these. */
const pages: Readonly<Record<string, Page>> = {
  metadata: (live, query) => metadata(live, query),
  stats: (live, query, { serverId }) => xml(stats(live, query, serverId)),
  'stats.xml': (live, query, { serverId }) => xml(stats(live, query, serverId)),
  listmounts: (live) => xml(listMounts(live)),
  listclients: (live, query) => withMount(live, query, (channel) => xml(listClients(channel))),
  killclient: (live, query) =>
    withMount(live, query, (channel) => {
      const id = query.get('id') ?? ''
      return channel.kick(Number(id)) ? answer(`Client ${id} removed`) : answer(`Client ${id} not found`, false)
    }),
  killsource: (live, query) =>
    withMount(live, query, (channel) => {
      if (!channel.publisher) return textResponse(400, 'Source does not exist')
      channel.end(undefined)
      return answer('Source Removed')
    }),
  moveclients: (live, query) =>
    withMount(live, query, (channel) => {
      const other = mountOf(live, query.get('destination'))
      if (!other) return textResponse(400, 'No such destination')
      if (other === channel) return textResponse(400, 'supplied mountpoints are identical')
      channel.moveTo(other)
      return answer(`Clients moved from /${channel.mount.path} to /${other.mount.path}`)
    }),
  fallbacks: (live, query) =>
    withMount(live, query, (channel) => {
      // A fallback is part of what a mount is; it is told, not changed.
      const { fallback } = channel.mount
      return answer(
        fallback === undefined ? 'No fallback configured' : `Fallback configured: /${fallback}`,
        fallback !== undefined,
      )
    }),
  'streamlist.txt': (live) => ({
    status: 200,
    headers: ['content-type', 'text/plain; charset=utf-8'],
    body: published(live)
      .map((channel) => `/${channel.mount.path}\n`)
      .join(''),
  }),
}

/** Answers a page of the administration; undefined when there is none of this path. */
export function adminPage(
  live: Live,
  request: HttpRequest,
  settings: AdminSettings,
): HttpResponse | Promise<HttpResponse> | undefined {
  // A client of Icecast looks at the headers of this one to learn whom it talks to.
  if (request.path === 'admin/!POKE') return textResponse(404)
  const page = pageOf(request)
  if (!page || request.method !== 'GET') return undefined
  const refused = refusal(request, settings)
  if (refused !== undefined) return textResponse(403, refused)
  return page(live, new IcyQuery(request.query), settings)
}

function pageOf({ path, query }: HttpRequest): Page | undefined {
  // The way of Shoutcast's first version.
  if (path === 'admin.cgi') return new IcyQuery(query).get('mode') === 'updinfo' ? pages.metadata : undefined
  const name = path.startsWith('admin/') ? path.slice('admin/'.length) : ''
  return Object.hasOwn(pages, name) ? pages[name] : undefined
}

/** These pages change things by GET: no web page of others may have a browser do it, and without a login only this machine may. */
function refusal(request: HttpRequest, { locked, origins }: AdminSettings): string | undefined {
  const foreign = foreignPage(request, origins)
  if (foreign !== undefined || locked) return foreign
  const { address, host } = request.peer
  const near = address === '' || address === '::1' || address.startsWith('127.')
  if (near && isAllowedHost(host, localHosts([]))) return undefined
  return 'Without a login these pages are for this machine alone: start the server with --user and --pass'
}

function metadata(live: Live, query: IcyQuery): HttpResponse {
  const mode = query.get('mode') ?? 'updinfo'
  if (mode !== 'updinfo') return textResponse(400, 'No such mode')
  const channel = mountOf(live, query.get('mount')) ?? (query.get('mount') === undefined ? only(live) : undefined)
  if (!channel?.stream) return textResponse(400, 'Source does not exist')
  const [artist, title] = [query.get('artist'), query.get('title')]
  const text = query.get('song') ?? [artist, title].filter((part) => part !== undefined && part !== '').join(' - ')
  channel.setTitle({ title: text, url: query.get('url') ?? '' })
  return answer('Metadata update successful')
}

function mountOf(live: Live, name: string | undefined): Channel | undefined {
  return name === undefined ? undefined : live.find(name.replace(/^\//, ''))
}

/** The mount that is meant when none is named: there is but one with a source. */
function only(live: Live): Channel | undefined {
  const [first, second] = published(live)
  return second ? undefined : first
}

function withMount(live: Live, query: IcyQuery, use: (channel: Channel) => HttpResponse): HttpResponse {
  const name = query.get('mount')
  if (name === undefined) return textResponse(400, 'Missing parameter: mount')
  const channel = mountOf(live, name)
  return channel ? use(channel) : textResponse(400, 'Source does not exist')
}

function published(live: Live): Channel[] {
  return live.channels.filter((channel) => channel.stream)
}

function answer(message: string, good = true): HttpResponse {
  return xml(markup`<iceresponse><message>${message}</message><return>${good ? 1 : 0}</return></iceresponse>`)
}

function xml(content: Markup): HttpResponse {
  return {
    status: 200,
    headers: ['content-type', 'text/xml; charset=utf-8', 'cache-control', 'no-cache, no-store'],
    body: `<?xml version="1.0"?>\n${content.text}\n`,
  }
}

function listMounts(live: Live): Markup {
  const now = Date.now()
  return markup`<icestats>${published(live).map(
    ({ mount, listeners, stream }) =>
      markup`<source mount="/${mount.path}"><fallback>${mount.fallback === undefined ? '' : `/${mount.fallback}`}</fallback><listeners>${listeners.length}</listeners><Connected>${Math.round((now - (stream?.begun ?? now)) / 1000)}</Connected><content-type>${stream?.type ?? ''}</content-type></source>`,
  )}</icestats>`
}

function listClients({ mount, listeners }: Channel): Markup {
  const now = Date.now()
  return markup`<icestats><source mount="/${mount.path}"><Listeners>${listeners.length}</Listeners>${listeners.map(
    ({ parts, lag }) =>
      markup`<listener id="${parts.id}"><IP>${parts.address}</IP><UserAgent>${parts.agent}</UserAgent><Connected>${Math.round((now - parts.since) / 1000)}</Connected><ID>${parts.id}</ID><lag>${lag}</lag></listener>`,
  )}</source></icestats>`
}

function stats(live: Live, query: IcyQuery, serverId: string): Markup {
  const wanted = query.get('mount')
  const channels = published(live).filter(({ mount }) => wanted === undefined || `/${mount.path}` === wanted)
  const all = live.channels
  const sum = (count: (channel: Channel) => number) => all.reduce((total, channel) => total + count(channel), 0)
  return markup`<icestats><listeners>${sum((c) => c.listeners.length)}</listeners><server_id>${serverId}</server_id><server_start_iso8601>${new Date(live.begun).toISOString()}</server_start_iso8601><source_total_connections>${sum((c) => c.counts.streams)}</source_total_connections><listener_connections>${sum((c) => c.counts.joined)}</listener_connections><sources>${published(live).length}</sources>${channels.map(sourceStats)}</icestats>`
}

function sourceStats({ mount, counts, stream, listeners, publisher }: Channel): Markup {
  const station = { ...stream?.station, ...mount.station }
  const facts: Readonly<Record<string, string | number>> = {
    audio_info: station['audio-info'] ?? '',
    genre: station.genre ?? '',
    listener_peak: counts.peak,
    listeners: listeners.length,
    max_listeners: mount.maxListeners === 0 ? 'unlimited' : mount.maxListeners,
    public: station.pub ?? '0',
    server_description: station.description ?? '',
    server_name: station.name ?? '',
    server_type: stream?.type ?? '',
    server_url: station.url ?? '',
    slow_listeners: counts.dropped + counts.skipped,
    source_ip: publisher?.address ?? '',
    stream_start_iso8601: stream ? new Date(stream.begun).toISOString() : '',
    title: stream?.title?.title ?? '',
    total_bytes_read: counts.received,
    total_bytes_sent: counts.sent,
    user_agent: publisher?.agent ?? '',
  }
  const elements = Object.entries(facts).map(
    ([name, value]) => markup`<${new Markup(name)}>${value}</${new Markup(name)}>`,
  )
  return markup`<source mount="/${mount.path}">${elements}</source>`
}
