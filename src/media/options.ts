import { AppError } from '../base/error.ts'
import { defineOptions, option, type Values } from '../schema/option.ts'
import { bool, duration, int, oneOf, size, string, strings } from '../schema/values.ts'
import { type MountDefaults, parsePace } from './mount.ts'
import { stationEntry } from './station.ts'

const group = 'Live media'
const KiB = 1024

/** Mounts that carry one live stream each (httpout.md section 2, live.md 3.3). */
export const liveOptions = defineOptions('live', {
  live: option(
    strings,
    [],
    'Path that takes a live stream and sends it to all who listen, as /PATH[=SOURCE][,WORD[=VALUE]...]. Without a SOURCE whoever publishes by PUT, POST or SOURCE is heard; others are -, a file, a named pipe, exec:PROGRAM or a URL. Words: hold, reopen, loop, pace, fallback, on-demand, linger, open, max-listeners, max-duration, type, burst, slow, max-client-lag, name, genre, description, url, bitrate. Give it several times',
    { group },
  ),
  hold: option(bool, false, 'Sources of live mounts begin with the first listener, who gets all of it', { group }),
  reopen: option(bool, false, 'Listeners of a live mount stay when its source ends, and hear the next one', { group }),
  loop: option(bool, false, 'Files on live mounts begin again where they end', { group }),
  pace: option(
    string,
    'off',
    'Speed to read files for live mounts: as they play (auto), or bits a second such as 128k',
    {
      group,
    },
  ),
  ice: option(
    strings,
    [],
    'What live mounts tell their listeners, as Name=VALUE: name, genre, description, url, or any other. Give it several times',
    { group },
  ),
  burst: option(size, 64 * KiB, 'Bytes that somebody who joins a live mount gets at once', { group }),
  slow: option(
    oneOf('drop', 'skip'),
    'drop',
    'What becomes of a listener that takes less than comes: it is left (drop), or misses what it is behind (skip)',
    { group },
  ),
  maxClientLag: option(size, 512 * KiB, 'How far a listener of a live mount may fall behind', {
    aliases: ['max-async-buf'],
    group,
  }),
  maxListeners: option(int, 0, 'Most listeners of each live mount; 0 is unlimited', { group }),
  maxListenerDuration: option(duration, Infinity, 'How long somebody may listen to a live mount; off is unlimited', {
    group,
  }),
  linger: option(duration, 30_000, 'How long a source that runs on demand goes on without listeners', {
    group,
    advanced: true,
  }),
  shoutcast: option(
    strings,
    [],
    'Address for publishers that speak as those of Shoutcast 1 do, as ADDR[=/MOUNT]: :8001, :8001=/live.mp3. They send the password of the user source, or USER:PASSWORD. Give it several times',
    { group },
  ),
  earlyContinue: option(
    bool,
    true,
    'Tell who uploads in chunks to a live mount, or a playlist or manifest, to go on before it asks: what it sends in small parts then does not wait',
    { group, advanced: true },
  ),
})

/** What `sluice live` has beside them. */
export const fromOptions = defineOptions('live-from', {
  from: option(
    string,
    '',
    'Where the stream comes from: -, a file, a named pipe, exec:PROGRAM or a URL; without it whoever publishes to the mount is heard',
    { group, exec: true },
  ),
})

/** The values of the block. */
export type LiveOptions = Values<typeof liveOptions>

/** What mounts have that say nothing else. Throws `usage`. */
export function mountDefaults(options: LiveOptions): MountDefaults {
  const station = options.ice.map((text) => {
    const entry = stationEntry(text)
    if (!entry) throw new AppError('usage', `--ice ${JSON.stringify(text)}: use NAME=VALUE`)
    return entry
  })
  return {
    hold: options.hold,
    reopen: options.reopen,
    loop: options.loop,
    pace: parsePace(options.pace),
    open: false,
    onDemand: false,
    linger: options.linger,
    maxListeners: options.maxListeners,
    maxDuration: options.maxListenerDuration,
    station: Object.fromEntries(station),
    burst: Math.max(0, options.burst),
    slow: options.slow,
    maxLag: Math.max(16 * KiB, options.maxClientLag),
  }
}
