import { fragmentSeconds, isIndependent, type TrackInfo } from './fragment.ts'
import { type Manifest, pathOf, type Representation, segmentReader, segmentSeconds } from './manifest.ts'
import { nameOf } from '../base/path.ts'
import { seconds } from './playlist-text.ts'
import { type Listed, MediaSequence } from './media-sequence.ts'
import type { Track } from './tracks.ts'

/** Shorter fragments than this (seconds) are joined to parts, which cost each viewer a request. */
const SHORTEST_PART = 0.1
/** Players that stay closer to the end than this (seconds) stall on every hiccup of a network. */
const LEAST_HOLD_BACK = 1
/** A part of a segment: bytes of its file. */
interface MadePart {
  readonly start: number
  readonly end: number
  readonly seconds: number
  readonly independent: boolean
}

/** Of all playlists of a presentation alike, seconds; neither may get less while they live. */
export interface Targets {
  segment: number
  part: number
}

/** What is made of a segment. */
interface Made {
  readonly parts: readonly MadePart[]
  /** Seconds. */
  readonly length: number
  /** The tag with its time. */
  readonly time: readonly string[]
}

/** One representation of a DASH presentation, as HLS: its segments as they come, and the playlist of them. */
export class Rendition {
  /** Path of its playlist. */
  readonly path: string
  representation: Representation
  manifest: Manifest
  read: (path: string) => number | undefined
  readonly #sequence: MediaSequence
  readonly #targets: Targets
  /** What was made of whole segments: it stays although an encoder that begins again has another clock. */
  readonly #finished = new WeakMap<Track, Made>()

  constructor(path: string, targets: Targets, manifest: Manifest, representation: Representation) {
    this.path = path
    this.#targets = targets
    this.manifest = manifest
    this.representation = representation
    this.read = segmentReader(representation) ?? (() => undefined)
    this.#sequence = new MediaSequence(representation.media?.includes('$Time') ?? false)
  }

  /** A newer version of its manifest. */
  update(manifest: Manifest, representation: Representation): void {
    // What has ended need not say any more when it began.
    const { availabilityStart = this.manifest.availabilityStart } = manifest
    this.manifest = { ...manifest, availabilityStart }
    this.representation = representation
    this.read = segmentReader(representation) ?? this.read
  }

  /** Takes a segment in, or the news of one. False when it is none of this representation. */
  take(track: Track): boolean {
    const value = this.read(track.path)
    if (value !== undefined) this.#sequence.take(track, value)
    return value !== undefined
  }

  /** Its beginning has come again. */
  restart(): void {
    this.#sequence.restart()
  }

  /** A file is not there any more. False when it was none of this representation. */
  drop(path: string): boolean {
    return this.#sequence.drop(path)
  }

  /** Bytes a second at most, times 8; measured when the manifest does not say. */
  get bandwidth(): number {
    const { bandwidth, content } = this.representation
    if (bandwidth !== undefined && bandwidth > 0) return bandwidth
    const whole = [...this.#sequence.tracks].filter(({ state }) => state === 'complete')
    const length = segmentSeconds(this.representation)
    const largest = Math.max(0, ...whole.map(({ size }) => size))
    if (largest > 0 && length !== undefined) return Math.ceil((largest * 8) / length)
    return content === 'video' ? 2_000_000 : 128_000
  }

  /** Number of the newest segment that is listed, and index of its newest part: for the reports of the others. */
  edge(init: TrackInfo): { readonly number: number; readonly part: number } | undefined {
    const { whole, rest } = this.#sequence.listed()
    const last = rest ?? whole.at(-1)
    if (!last?.track) return undefined
    const { parts } = this.#made(last.track, init)
    if (rest && parts.length === 0) {
      const before = whole.at(-1)
      return before?.track
        ? { number: before.number, part: this.#made(before.track, init).parts.length - 1 }
        : undefined
    }
    return { number: last.number, part: parts.length - 1 }
  }

  /** The media playlist as it is now; undefined when nothing can be listed yet. `reports` are tags about the others. */
  text(init: TrackInfo, reports: readonly string[]): string | undefined {
    const { whole: held, rest } = this.#sequence.listed()
    const whole = this.#window(held)
    if (whole.length === 0 && !rest) return undefined
    const { dynamic } = this.manifest
    const all = [...whole, ...(rest ? [rest] : [])].map(({ track }) => this.#made(track, init))
    this.#measure(all)
    const head = this.#head(whole[0]?.number ?? rest?.number ?? 0, all)
    const near = this.#near(all)
    const body = whole.flatMap((listed, i) => this.#segment(listed, all[i] ?? nothing, dynamic && i >= near))
    if (!dynamic) return document([...head, ...body, '#EXT-X-ENDLIST'])
    const last = rest ? (all.at(-1) ?? nothing) : nothing
    const begun = last.parts
    if (rest && begun.length > 0) body.push(...this.#beginning(rest.number, last), ...this.#parts(rest.number, begun))
    const next = this.#uri(rest?.number ?? (whole.at(-1)?.number ?? 0) + 1)
    // The time in the next name is not known.
    if (next !== undefined)
      body.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${next}",BYTERANGE-START=${begun.at(-1)?.end ?? 0}`)
    return document([...head, ...body, ...reports])
  }

  /** What is made of a segment; of one that never came, that it takes its time. */
  #made(track: Track | undefined, init: TrackInfo): Made {
    if (!track) return { ...nothing, length: this.#length ?? 1 }
    const known = this.#finished.get(track)
    if (known) return known
    const parts = partsOf(track, init)
    const length = parts.reduce((sum, part) => sum + part.seconds, 0)
    const made = { parts, length, time: this.#time(track, init) }
    if (track.state === 'complete') this.#finished.set(track, made)
    return made
  }

  /** Index of the first segment whose parts are listed: only those near the end are (RFC 8216bis section 4.4.4.9). */
  #near(all: readonly Made[]): number {
    let behind = 0
    for (let i = all.length - 1; i >= 0; i--) {
      if (behind > 3 * this.#targets.segment) return i + 1
      behind += all[i]?.length ?? 0
    }
    return 0
  }

  #segment({ number, track }: Listed, made: Made, near: boolean): string[] {
    return [
      ...this.#beginning(number, made),
      ...(near ? this.#parts(number, made.parts) : []),
      ...(track ? [] : ['#EXT-X-GAP']),
      `#EXTINF:${seconds(made.length)},`,
      this.#uri(number) ?? 'missing',
    ]
  }

  /** What stands before a segment: a break after the encoder began again, and the time by its clock. */
  #beginning(number: number, { time }: Made): readonly string[] {
    return this.#sequence.breaksAt(number) ? ['#EXT-X-DISCONTINUITY', ...this.#map(), ...time] : time
  }

  #map(): string[] {
    const { initialization } = this.representation
    const map = initialization === undefined ? undefined : pathOf(this.representation, initialization)
    return map === undefined ? [] : [`#EXT-X-MAP:URI="${this.#relative(map)}"`]
  }

  #head(first: number, all: readonly Made[]): string[] {
    const { part } = this.#targets
    const breaks = this.#sequence.breaksBefore(first)
    const independent = all.every(({ parts }) => parts[0]?.independent ?? true)
    return [
      '#EXT-X-VERSION:9',
      `#EXT-X-TARGETDURATION:${this.#targets.segment}`,
      ...(part > 0 && this.manifest.dynamic
        ? [
            `#EXT-X-PART-INF:PART-TARGET=${seconds(part)}`,
            `#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=${seconds(Math.max(3 * part, LEAST_HOLD_BACK))}`,
          ]
        : []),
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      ...(breaks > 0 ? [`#EXT-X-DISCONTINUITY-SEQUENCE:${breaks}`] : []),
      ...(independent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
      ...this.#map(),
    ]
  }

  get #length(): number | undefined {
    return segmentSeconds(this.representation)
  }

  #measure(all: readonly Made[]): void {
    const said = this.#length ?? 0
    const targets = this.#targets
    const early = said - this.representation.availabilityTimeOffset
    targets.segment = Math.max(targets.segment, Math.round(said))
    if (early > 0 && early < said) targets.part = Math.max(targets.part, early)
    for (const { parts, length } of all) {
      targets.segment = Math.max(targets.segment, Math.round(length))
      for (const part of parts) targets.part = Math.max(targets.part, part.seconds)
    }
  }

  /** Those that the manifest still offers, three at least. */
  #window(whole: readonly Listed[]): readonly Listed[] {
    const { timeShiftBufferDepth: depth } = this.manifest
    const length = this.#length
    if (depth === undefined || length === undefined) return whole
    return whole.slice(-Math.max(3, Math.ceil(depth / length)))
  }

  #parts(number: number, parts: readonly MadePart[]): string[] {
    const uri = this.#uri(number)
    return parts.map(
      ({ start, end, seconds: length, independent }) =>
        `#EXT-X-PART:DURATION=${seconds(length)},URI="${uri}",BYTERANGE="${end - start}@${start}"${independent ? ',INDEPENDENT=YES' : ''}`,
    )
  }

  /** When a segment began, by the clock of its encoder. */
  #time(track: Track, init: TrackInfo): string[] {
    const { availabilityStart: start } = this.manifest
    const [first] = track.pieces
    if (start === undefined || !first) return []
    const { presentationTimeOffset, timescale, periodStart } = this.representation
    const at = periodStart + first.time / init.timescale - presentationTimeOffset / timescale
    return [`#EXT-X-PROGRAM-DATE-TIME:${new Date(start + at * 1000).toISOString()}`]
  }

  /** The URL of a segment; undefined for one that is to come and whose name cannot be told. */
  #uri(number: number): string | undefined {
    const value = this.#sequence.valueOf(number)
    const { media = '' } = this.representation
    const path =
      this.#sequence.track(number)?.path ??
      (value === undefined ? undefined : pathOf(this.representation, media, { number: value }))
    return path === undefined ? undefined : this.#relative(path)
  }

  /** A path as the playlist names it. */
  #relative(path: string): string {
    const from = this.path.split('/').slice(0, -1)
    const to = path.split('/')
    let same = 0
    while (same < from.length && same < to.length - 1 && from[same] === to[same]) same++
    return [...from.slice(same).map(() => '..'), ...to.slice(same).map(encodeURIComponent)].join('/')
  }

  /** The tag by which other playlists tell where this one has got to. */
  report(init: TrackInfo): string | undefined {
    const edge = this.edge(init)
    if (!edge) return undefined
    const part = edge.part >= 0 ? `,LAST-PART=${edge.part}` : ''
    return `#EXT-X-RENDITION-REPORT:URI="${encodeURIComponent(nameOf(this.path))}",LAST-MSN=${edge.number}${part}`
  }
}

const nothing: Made = { parts: [], length: 0, time: [] }

function document(lines: readonly string[]): string {
  return `#EXTM3U\n${lines.join('\n')}\n`
}

/** The parts of a segment that are whole: short fragments are taken together. */
function partsOf({ pieces, state }: Track, init: TrackInfo): readonly MadePart[] {
  const parts: MadePart[] = []
  let open: MadePart | undefined
  for (const piece of pieces) {
    const length = fragmentSeconds(piece, init)
    open = open
      ? { ...open, end: piece.end, seconds: open.seconds + length }
      : { start: piece.start, end: piece.end, seconds: length, independent: isIndependent(piece, init) }
    if (open.seconds < SHORTEST_PART) continue
    parts.push(open)
    open = undefined
  }
  if (open && state === 'complete') parts.push(open)
  return parts
}
