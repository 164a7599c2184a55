import type { Channel } from '../../media/channel.ts'
import { optional, required } from '../../schema/field.ts'
import { int, listOf, mapOf, shapeOf, string } from '../../schema/params.ts'
import { method, nothing } from '../method.ts'

const which = {
  mount: required(string, 'Path of the mount, `/live.mp3`'),
  server: optional(string, 'Address of its server, when several run'),
}

const mountInfo = {
  mount: required(string, 'Its path'),
  server: required(string, 'Address of its server'),
  source: required(string, 'Where its stream comes from: a kind of source, or `publisher`; empty without a stream'),
  type: required(string, 'Media type; empty without a stream'),
  publisher: required(string, 'Address of who publishes'),
  since: required(string, 'When the stream began (RFC 3339); empty without a stream'),
  title: required(string, 'What is played'),
  station: required(mapOf(string), 'What the station says of itself'),
  listeners: required(int, 'How many listen'),
  peak: required(int, 'The most that listened at a time'),
  joined: required(int, 'How many came so far'),
  received: required(int, 'Bytes published so far'),
  sent: required(int, 'Bytes sent to listeners so far'),
  dropped: required(int, 'Listeners that were left for taking less than came'),
  skipped: required(int, 'How often listeners missed bytes for that reason'),
}

const listenerInfo = {
  id: required(int, 'Number, for `live/kick`'),
  address: required(string, 'Its address'),
  agent: required(string, 'The program'),
  user: required(string, 'Who is logged in'),
  since: required(string, 'When it came (RFC 3339)'),
  sent: required(int, 'Bytes sent to it'),
  lag: required(int, 'Bytes that it is behind'),
}

export const liveMethods = [
  method({
    path: 'live/list',
    title: 'Show live mounts',
    input: nothing,
    output: { list: required(listOf(shapeOf(mountInfo)), 'The mounts of all servers') },
    run: ({ services }) => ({
      list: services.lives.all.flatMap(({ address, live }) =>
        live.channels.map((channel) => described(address, channel)),
      ),
    }),
  }),
  method({
    path: 'live/start',
    title: 'Add a live mount to a server that runs',
    help: '`mount` is what `--live` takes: `/live.mp3`, `/live.mp3=nas:music/set.mp3,loop,pace`, `/r.mp3=https://radio.example/high`. Sources that run a program need `--rc-allow-exec`.',
    input: which,
    output: { mount: required(string, 'Its path') },
    run({ services, trusted }, { mount, server }) {
      const exec = trusted || services.allowExec
      const channel = services.lives.server(server).add(mount, { exec, reach: services.reach })
      return { mount: `/${channel.mount.path}` }
    },
  }),
  method({
    path: 'live/stop',
    title: 'Take a live mount away',
    help: 'Its publisher and its listeners are ended.',
    input: which,
    output: nothing,
    run: async ({ services }, { mount, server }) => {
      const { live, channel } = services.lives.mount(mount, server)
      await live.stop(channel.mount.path)
    },
  }),
  method({
    path: 'live/listeners',
    title: 'Show who listens to a live mount',
    input: which,
    output: { listeners: required(listOf(shapeOf(listenerInfo)), 'Who listens, the first that came first') },
    run: ({ services }, { mount, server }) => ({
      listeners: services.lives.mount(mount, server).channel.listeners.map(({ parts, sent, lag }) => ({
        id: parts.id,
        address: parts.address,
        agent: parts.agent,
        user: parts.user ?? '',
        since: new Date(parts.since).toISOString(),
        sent,
        lag,
      })),
    }),
  }),
  method({
    path: 'live/kick',
    title: 'End a listener of a live mount, or its publisher',
    input: { ...which, id: optional(int, 'Number of the listener; without it the publisher is ended') },
    output: nothing,
    run({ services }, { mount, server, id }) {
      services.lives.mount(mount, server).channel.end(id)
    },
  }),
  method({
    path: 'live/metadata',
    title: 'Name what a live mount plays',
    help: 'Listeners that asked for titles get it where it belongs in the stream.',
    input: { ...which, title: required(string, 'The title'), url: optional(string, 'A page about it') },
    output: nothing,
    run({ services }, { mount, server, title, url = '' }) {
      services.lives.mount(mount, server).channel.setTitle({ title, url })
    },
  }),
] as const

function described(server: string, { mount, stream, publisher, listeners, counts }: Channel) {
  return {
    mount: `/${mount.path}`,
    server,
    source: publisher ? (publisher.address === '' ? publisher.agent : 'publisher') : '',
    type: stream?.type ?? '',
    publisher: publisher?.address ?? '',
    since: stream ? new Date(stream.begun).toISOString() : '',
    title: stream?.title?.title ?? '',
    station: { ...stream?.station, ...mount.station },
    listeners: listeners.length,
    peak: counts.peak,
    joined: counts.joined,
    received: counts.received,
    sent: counts.sent,
    dropped: counts.dropped,
    skipped: counts.skipped,
  }
}
