import { attributes, type MediaPlaylist, segmentsBefore } from './playlist.ts'

/** `EXT-X-SERVER-CONTROL` as this origin delivers: what the publisher says, and that playlists can be waited for and come as deltas. */
export function serverControl(playlist: MediaPlaylist): string {
  const { control, targetDuration, partTarget } = playlist
  const merged = new Map(control)
  merged.set('CAN-BLOCK-RELOAD', 'YES')
  if (partTarget !== undefined && !(Number(control.get('PART-HOLD-BACK')) >= 2 * partTarget))
    merged.set('PART-HOLD-BACK', seconds(3 * partTarget))
  merged.set('CAN-SKIP-UNTIL', seconds(skipUntil(playlist)))
  if (hasDateRanges(playlist)) merged.set('CAN-SKIP-DATERANGES', 'YES')
  if (Number(control.get('HOLD-BACK')) < 3 * targetDuration) merged.delete('HOLD-BACK')
  return `#EXT-X-SERVER-CONTROL:${[...merged].map(([name, value]) => `${name}=${value}`).join(',')}`
}

/** A number of seconds as playlists have it. */
export function seconds(value: number): string {
  return String(Number(value.toFixed(5)))
}

/** What lies further behind the end than this (seconds) may be left out of a delta; six target durations at least. */
function skipUntil({ control, targetDuration }: MediaPlaylist): number {
  const said = Number(control.get('CAN-SKIP-UNTIL'))
  return said >= 6 * targetDuration ? said : 6 * targetDuration
}

function hasDateRanges({ segments, rest }: MediaPlaylist): boolean {
  return rest.lines.some(isDateRange) || segments.some(({ lines }) => lines.some(isDateRange))
}

function isDateRange(line: string): boolean {
  return line.startsWith('#EXT-X-DATERANGE:')
}

/** The identifiers of all date ranges of a playlist. */
export function dateRanges({ segments, rest }: MediaPlaylist): readonly string[] {
  const lines = [...segments.flatMap((segment) => segment.lines), ...rest.lines].filter(isDateRange)
  return lines.flatMap((line) => attributes(line).get('ID') ?? [])
}

/** The whole playlist. One that has ended is as its publisher wrote it. */
export function wholeText(playlist: MediaPlaylist): string {
  const { segments, rest, tail } = playlist
  const body = [...segments.flatMap(({ lines }) => lines), ...rest.lines, ...tail]
  return lines([...head(playlist, 0), ...body])
}

/**
 * The playlist without what a player that asks for a delta has already (section 6.2.5.1); undefined when that is nothing. `v2`
 * leaves out date ranges as well, and says which `removed` ones are gone.
 */
export function deltaText(playlist: MediaPlaylist, skip: 'YES' | 'v2', removed: readonly string[]): string | undefined {
  const { segments, rest, tail, ended } = playlist
  if (ended) return undefined
  const count = segmentsBefore(playlist, skipUntil(playlist))
  if (count === 0) return undefined
  const v2 = skip === 'v2' && (hasDateRanges(playlist) || removed.length > 0)
  const gone = v2 && removed.length > 0 ? `,RECENTLY-REMOVED-DATERANGES="${removed.join('\t')}"` : ''
  const kept = v2 ? [] : segments.slice(0, count).flatMap((segment) => segment.lines.filter(isDateRange))
  return lines([
    ...head(playlist, v2 ? 10 : 9),
    `#EXT-X-SKIP:SKIPPED-SEGMENTS=${count}${gone}`,
    ...kept,
    ...segments.slice(count).flatMap((segment) => segment.lines),
    ...rest.lines,
    ...tail,
  ])
}

function lines(all: readonly string[]): string {
  return `#EXTM3U\n${all.join('\n')}\n`
}

/** The tags about the whole, of this version at least (0 = as it is). */
function head(playlist: MediaPlaylist, version: number): string[] {
  if (playlist.ended) return [...playlist.head]
  const others = playlist.head.filter((line) => !line.startsWith('#EXT-X-SERVER-CONTROL:'))
  const versioned = others.filter((line) => !line.startsWith('#EXT-X-VERSION:'))
  const own = Number(others.find((line) => line.startsWith('#EXT-X-VERSION:'))?.slice(15) ?? 0)
  const least = Math.max(own, version)
  return [...(least > 0 ? [`#EXT-X-VERSION:${least}`] : []), ...versioned, serverControl(playlist)]
}
