import { defineOptions, option, type Values } from '../schema/option.ts'
import { bool, duration, int, size, strings } from '../schema/values.ts'

const group = 'Live media'

/** Live directories: where packagers push segments and playlists to. */
export const shelfOptions = defineOptions('shelf', {
  liveDir: option(
    strings,
    [],
    'URL folder that packagers push live DASH and HLS into, as PATH=REMOTE:PATH or PATH=memory. Give it several times',
    { group },
  ),
  liveHold: option(
    duration,
    3000,
    'Longest time that a request waits for a live file which is announced but not there yet; 0 answers 404 at once',
    { group },
  ),
  utcTiming: option(bool, false, 'Add the clock of this server to live DASH manifests that name none', {
    flag: 'utc-timing',
    group,
  }),
  maxCacheSegs: option(
    int,
    5,
    'Media segments of each representation to keep in live folders, and those that a manifest lists; 0 keeps all',
    { flag: 'max-cache-segs', aliases: ['max_cache_segs'], group },
  ),
  maxCacheAge: option(duration, Infinity, 'Age at which media segments leave live folders', {
    flag: 'max-cache-age',
    group,
  }),
  maxCacheBytes: option(
    size,
    -1,
    'Most that a live folder holds: the oldest segments go first; off is unlimited, and 512Mi in memory',
    { flag: 'max-cache-bytes', group },
  ),
})

export type ShelfOptions = Values<typeof shelfOptions>
