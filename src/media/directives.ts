import { lastNumber, type MediaPlaylist } from './playlist.ts'

/** What a player asks of a playlist besides the playlist (RFC 8216bis section 6.2.5). */
export interface Directives {
  /** Number of the segment to wait for. */
  readonly segment?: number | undefined
  /** Index of its part. */
  readonly part?: number | undefined
  readonly skip?: 'YES' | 'v2' | undefined
}

/** The directives of a query; undefined = none; `bad` when they cannot be read, or name a part of no segment. */
export function directivesOf(query: string): Directives | undefined | 'bad' {
  if (!query.includes('_HLS_')) return undefined
  const given = new URLSearchParams(query)
  const [segment, part] = [count(given.get('_HLS_msn')), count(given.get('_HLS_part'))]
  if (segment === 'bad' || part === 'bad' || (part !== undefined && segment === undefined)) return 'bad'
  const skip = given.get('_HLS_skip')
  const wanted = skip === 'YES' || skip === 'v2' ? skip : undefined
  return segment === undefined && wanted === undefined ? undefined : { segment, part, skip: wanted }
}

function count(text: string | null): number | undefined | 'bad' {
  if (text === null) return undefined
  return /^\d{1,15}$/.test(text) ? Number(text) : 'bad'
}

/** Whether a playlist has what a request waits for; `bad` when that is too far ahead (section 6.2.5.2). */
export function judge(playlist: MediaPlaylist, { segment, part }: Directives): 'ready' | 'wait' | 'bad' {
  if (playlist.ended || segment === undefined) return 'ready'
  const last = lastNumber(playlist)
  if (segment > last + 2) return 'bad'
  const wanted = place(playlist, segment, part)
  if (wanted.part === undefined) return last >= wanted.segment ? 'ready' : 'wait'
  if (last >= wanted.segment) return 'ready'
  const listed = wanted.segment === last + 1 ? playlist.rest.parts.length : 0
  if (listed > wanted.part) return 'ready'
  return wanted.part - (listed - 1) > advanceLimit(playlist) ? 'bad' : 'wait'
}

/** The part that is waited for: behind the last part of a finished segment comes the first of the next one. */
function place(
  playlist: MediaPlaylist,
  segment: number,
  part: number | undefined,
): { readonly segment: number; readonly part: number | undefined } {
  // Without parts whole segments are all there is to wait for.
  if (part === undefined || playlist.partTarget === undefined) return { segment, part: undefined }
  const finished = playlist.segments[segment - playlist.first]
  if (finished && segment === lastNumber(playlist) && part >= finished.parts.length && finished.parts.length > 0)
    return { segment: segment + 1, part: 0 }
  return { segment, part }
}

/** How many parts ahead of the last one may be asked for. */
function advanceLimit({ partTarget = 1 }: MediaPlaylist): number {
  return Math.ceil(partTarget < 1 ? 3 / partTarget : 3)
}
