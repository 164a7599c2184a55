import { isPlaylist } from '../base/mime.ts'
import type { HttpRequest } from '../http/message.ts'
import type { Manifest } from './manifest.ts'
import { segmentSeconds } from './manifest.ts'
import { isMediaName } from './numbered.ts'
import type { MediaPlaylist } from './playlist.ts'

/** How long caches may keep a playlist (live.md 3.4): one that names its state for long, others for half of what they change in. */
export function playlistCaching({ targetDuration, partTarget, ended }: MediaPlaylist, { query }: HttpRequest): string {
  if (ended) return 'max-age=60'
  if (query.includes('_HLS_msn=')) return `max-age=${Math.ceil(6 * targetDuration)}`
  return `max-age=${partTarget === undefined ? Math.max(1, Math.floor(targetDuration / 2)) : 1}`
}

/** How long caches may keep a DASH manifest (live.md 3.5). */
export function manifestCaching({ dynamic, minimumUpdatePeriod, representations }: Manifest): string {
  if (!dynamic) return 'max-age=60'
  const segment = Math.max(0, ...representations.map((one) => segmentSeconds(one) ?? 0))
  const early = representations.some(({ availabilityTimeOffset }) => availabilityTimeOffset > 0)
  if (early) return 'max-age=1'
  return `max-age=${Math.max(1, Math.floor(Math.min(minimumUpdatePeriod ?? Infinity, segment / 2 || 1)))}`
}

/** How long caches may keep a file of a live folder whose segments are there for about `window` seconds. */
export function fileCaching(path: string, window: number): string {
  if (isPlaylist(path)) return 'max-age=1'
  return isMediaName(path) ? `max-age=${window}, immutable` : 'no-cache'
}
