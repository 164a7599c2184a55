import { escapeHtml } from '../base/html.ts'
import type { Codec } from './codec.ts'

/** A segment that is whole: times in units of the timescale of its track. */
export interface ListedSegment {
  readonly number: number
  readonly time: number
  readonly length: number
  readonly bytes: number
}

export interface ListedTrack {
  readonly id: string
  /** `video`, `audio` or another handler. */
  kind: string
  timescale: number
  codec: Codec | undefined
  /** The oldest first. */
  readonly segments: ListedSegment[]
}

export interface ManifestSettings {
  /** ms since 1970, at which the time of the tracks is 0. */
  readonly start: number
  /** What is listed while the stream goes on, seconds; and how long a segment is about. */
  readonly window: number
  readonly segment: number
  readonly ended: boolean
}

/**
 * A DASH manifest (ISO 23009-1) of tracks whose segments are called `ID/NUMBER.m4s` behind `ID/init.mp4`: of the last ones
 * while they come, of all when the stream has ended.
 */
export function manifestText(tracks: readonly ListedTrack[], settings: ManifestSettings): string {
  const { start, window, segment, ended } = settings
  const length = Math.max(...tracks.map(endOf)) - Math.min(...tracks.map(beginOf))
  const head = ended
    ? `type="static" mediaPresentationDuration="PT${length.toFixed(3)}S"`
    : `type="dynamic" availabilityStartTime="${new Date(start).toISOString()}" publishTime="${new Date().toISOString()}" minimumUpdatePeriod="PT${segment}S" timeShiftBufferDepth="PT${window}S" suggestedPresentationDelay="PT${3 * segment}S"`
  const first = ended ? Math.min(...tracks.map(beginOf)) : 0
  const kinds = [...new Set(tracks.map(({ kind }) => kind))]
  const sets = kinds.map((kind) => {
    const same = tracks.filter((track) => track.kind === kind)
    const list = same.map((track) => representation(track, first, ended ? 0 : endOf(track) - window))
    return `<AdaptationSet contentType="${escapeHtml(kind)}" mimeType="${kind === 'audio' ? 'audio' : 'video'}/mp4" segmentAlignment="true">\n${list.join('')}</AdaptationSet>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" ${head} minBufferTime="PT${segment}S">
<Period id="0" start="PT0S">
${sets.join('')}</Period>
</MPD>
`
}

/** `first` is the time of the period, and `from` that of the first segment to list, both in seconds. */
function representation({ id, codec, timescale, segments }: ListedTrack, first: number, from: number): string {
  const listed = segments.filter(({ time, length }) => (time + length) / timescale > from)
  const rate = Math.max(...segments.map(({ bytes, length }) => (bytes * 8 * timescale) / Math.max(1, length)))
  const { codecs, width, height, sampleRate, channels } = codec ?? {}
  const said = { codecs, width, height, audioSamplingRate: sampleRate }
  const attributes = Object.entries(said).flatMap(([name, value]) => (value ? [` ${name}="${value}"`] : []))
  const sound = channels
    ? `<AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="${channels}"/>\n`
    : ''
  const offset = Math.round(first * timescale)
  const entries = listed.map(({ time, length }) => `<S t="${time}" d="${length}"/>`)
  return `<Representation id="${escapeHtml(id)}" bandwidth="${Math.ceil(rate)}"${attributes.join('')}>
${sound}<SegmentTemplate timescale="${timescale}" startNumber="${listed[0]?.number ?? 1}" presentationTimeOffset="${offset}" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s">
<SegmentTimeline>${entries.join('')}</SegmentTimeline>
</SegmentTemplate>
</Representation>
`
}

function beginOf({ segments, timescale }: ListedTrack): number {
  return (segments[0]?.time ?? 0) / timescale
}

function endOf({ segments, timescale }: ListedTrack): number {
  const last = segments.at(-1)
  return last ? (last.time + last.length) / timescale : 0
}
