import type { ActiveLives } from '../media/active.ts'
import type { Channel } from '../media/channel.ts'
import { delayBounds } from '../media/delays.ts'

/** What is told of each mount: name, kind, help and value. */
const figures: readonly (readonly [string, 'counter' | 'gauge', string, (channel: Channel) => number])[] = [
  ['listeners', 'gauge', 'Listeners of a live mount', ({ listeners }) => listeners.length],
  ['source_connected', 'gauge', 'Whether a live mount has a stream', ({ stream }) => (stream ? 1 : 0)],
  ['listener_connections_total', 'counter', 'Listeners that came', ({ counts }) => counts.joined],
  ['received_bytes_total', 'counter', 'Bytes published', ({ counts }) => counts.received],
  ['sent_bytes_total', 'counter', 'Bytes sent to listeners', ({ counts }) => counts.sent],
  [
    'bitrate',
    'gauge',
    'Bits per second of the stream, as its frames tell',
    ({ stream }) => stream?.audio?.bitRate ?? 0,
  ],
  [
    'slow_listeners_dropped_total',
    'counter',
    'Listeners left for taking less than came',
    ({ counts }) => counts.dropped,
  ],
  ['slow_listeners_skipped_total', 'counter', 'Times that slow listeners missed bytes', ({ counts }) => counts.skipped],
]

/**
 * The live mounts for Prometheus, in its text format. Written here and not by the library: they come and go, and their values are
 * kept where they are counted.
 */
export function liveMetrics(lives: ActiveLives): string {
  const mounts = lives.all.flatMap(({ address, live }) =>
    live.channels.map((channel) => ({
      channel,
      labels: `{server="${escaped(address)}",mount="${escaped(`/${channel.mount.path}`)}"}`,
    })),
  )
  if (mounts.length === 0) return ''
  const lines = figures.flatMap(([name, kind, help, value]) => [
    ...heading(`sluice_live_${name}`, kind, help),
    ...mounts.map(({ channel, labels }) => `sluice_live_${name}${labels} ${value(channel)}`),
  ])
  const name = 'sluice_live_forward_seconds'
  lines.push(...heading(name, 'histogram', 'Time from the arrival of bytes to their last listener'))
  for (const { address, live } of lives.all) {
    const { buckets, sum, count } = live.delays
    const server = `server="${escaped(address)}"`
    let total = 0
    for (const [i, bound] of [...delayBounds.map((ms) => ms / 1000), '+Inf'].entries())
      lines.push(`${name}_bucket{${server},le="${bound}"} ${(total += buckets[i] ?? 0)}`)
    lines.push(`${name}_sum{${server}} ${sum / 1000}`, `${name}_count{${server}} ${count}`)
  }
  return `${lines.join('\n')}\n`
}

function heading(name: string, kind: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`]
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
