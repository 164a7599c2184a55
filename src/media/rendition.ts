import { fragmentSeconds, isIndependent, type TrackInfo } from './fragment.ts'
import { type Manifest, pathOf, type Representation, segmentReader, segmentSeconds } from './manifest.ts'
import { nameOf } from '../base/path.ts'
import { seconds } from './playlist-text.ts'
import type { Track } from './tracks.ts'

/** Shorter fragments than this (seconds) are joined to parts, which cost each viewer a request. */
const SHORTEST_PART = 0.1
/** Players that stay closer to the end than this (seconds) stall on every hiccup of a network. */
const LEAST_HOLD_BACK = 1
/** More missing segments in a row than this are a new beginning. */
const LONGEST_GAP = 10

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

interface Listed {
  readonly number: number
  readonly track: Track | undefined
}

/** One representation of a DASH presentation, as HLS: its segments as they come, and the playlist of them. */
export class Rendition {
  /** Path of its playlist. */
  readonly path: string
  representation: Representation
  manifest: Manifest
  read: (path: string) => number | undefined
  /** By number of the media sequence. */
  readonly #segments = new Map<number, Track>()
  readonly #byTime: boolean
  readonly #numbers = new Map<number, number>()
  #next = 0
  readonly #targets: Targets

  constructor(path: string, targets: Targets, manifest: Manifest, representation: Representation) {
    this.path = path
    this.#targets = targets
    this.manifest = manifest
    this.representation = representation
    this.read = segmentReader(representation) ?? (() => undefined)
    this.#byTime = representation.media?.includes('$Time') ?? false
  }

  /** A newer version of its manifest. */
  update(manifest: Manifest, representation: Representation): void {
    // What has ended need not say any more when it began.
    const { availabilityStart = this.manifest.availabilityStart } = manifest
    this.manifest = { ...manifest, availabilityStart }
    this.representation = representation
    this.read = segmentReader(representation) ?? this.read
  }

  /** Takes a segment in, or the news of one. False when it is none of this stream. */
  take(track: Track): boolean {
    const value = this.read(track.path)
    if (value === undefined) return false
    const number = this.#number(value)
    if (track.state === 'failed') this.#segments.delete(number)
    else if (this.#segments.get(number) !== track) this.#add(number, track)
    return true
  }

  /** A file is not there any more. False when it was none of this stream. */
  drop(path: string): boolean {
    const value = this.read(path)
    return value !== undefined && this.#segments.delete(this.#number(value))
  }

  /** Times say nothing of how many segments came before: those are counted. */
  #number(value: number): number {
    if (!this.#byTime) return value
    const known = this.#numbers.get(value)
    if (known !== undefined) return known
    this.#numbers.set(value, this.#next)
    for (const old of this.#numbers.keys()) {
      if (this.#numbers.size <= 2000) break
      this.#numbers.delete(old)
    }
    return this.#next++
  }

  #add(number: number, track: Track): void {
    // What has higher numbers is of an encoder that ran before; only neighbours may overtake each other.
    for (const other of this.#segments.keys()) if (other > number + 1) this.#segments.delete(other)
    this.#segments.set(number, track)
  }

  /** Bytes a second at most, times 8; measured when the manifest does not say. */
  get bandwidth(): number {
    const { bandwidth, content } = this.representation
    if (bandwidth !== undefined && bandwidth > 0) return bandwidth
    const whole = [...this.#segments.values()].filter(({ state }) => state === 'complete')
    const length = segmentSeconds(this.representation)
    const largest = Math.max(0, ...whole.map(({ size }) => size))
    if (largest > 0 && length !== undefined) return Math.ceil((largest * 8) / length)
    return content === 'video' ? 2_000_000 : 128_000
  }

  /** Number of the newest segment that is listed, and index of its newest part: for the reports of the others. */
  edge(init: TrackInfo): { readonly number: number; readonly part: number } | undefined {
    const { whole, rest } = this.#listed()
    const last = rest ?? whole.at(-1)
    if (!last?.track) return undefined
    const parts = partsOf(last.track, init)
    if (rest && parts.length === 0) {
      const before = whole.at(-1)
      return before?.track ? { number: before.number, part: partsOf(before.track, init).length - 1 } : undefined
    }
    return { number: last.number, part: parts.length - 1 }
  }

  /** Segments in order, those that are missing between others too; and the one on its way. */
  #listed(): { readonly whole: readonly Listed[]; readonly rest: Listed | undefined } {
    const whole: Listed[] = []
    for (const number of [...this.#segments.keys()].toSorted((a, b) => a - b)) {
      const track = this.#segments.get(number)
      const last = whole.at(-1)?.number
      if (last !== undefined && number - last > LONGEST_GAP) whole.length = 0
      else if (last !== undefined)
        for (let missing = last + 1; missing < number; missing++) whole.push({ number: missing, track: undefined })
      if (track?.state !== 'complete') return { whole, rest: { number, track } }
      whole.push({ number, track })
    }
    return { whole, rest: undefined }
  }

  /** The media playlist as it is now; undefined when nothing can be listed yet. `reports` are tags about the others. */
  text(init: TrackInfo, reports: readonly string[]): string | undefined {
    const { whole: all, rest } = this.#listed()
    const whole = this.#window(all)
    if (whole.length === 0 && !rest) return undefined
    const { dynamic } = this.manifest
    const lengths = whole.map(({ track }) => (track ? lengthOf(track, init) : (this.#length ?? 1)))
    const parts = [...whole, ...(rest ? [rest] : [])].map(({ track }) => (track ? partsOf(track, init) : []))
    this.#measure(lengths, parts.flat())
    const head = this.#head(whole, rest, parts)
    const body = whole.flatMap((listed, i) => this.#segment(listed, { init, parts: parts[i] ?? [], lengths, i }))
    if (!dynamic) return document([...head, ...body, '#EXT-X-ENDLIST'])
    const begun = rest ? (parts.at(-1) ?? []) : []
    if (rest && begun.length > 0) body.push(...this.#time(rest.track, init), ...this.#parts(rest.number, begun))
    const next = rest?.number ?? (whole.at(-1)?.number ?? 0) + 1
    // The time in the next name is not known.
    if (rest || !this.#byTime)
      body.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${this.#uri(next)}",BYTERANGE-START=${begun.at(-1)?.end ?? 0}`)
    return document([...head, ...body, ...reports])
  }

  /** A whole segment; its parts are listed near the live edge only (RFC 8216bis section 4.4.4.9). */
  #segment(
    { number, track }: Listed,
    of: { init: TrackInfo; parts: readonly MadePart[]; lengths: readonly number[]; i: number },
  ): string[] {
    const behind = of.lengths.slice(of.i + 1).reduce((sum, length) => sum + length, 0)
    const near = this.manifest.dynamic && behind <= 3 * this.#targets.segment
    return [
      ...this.#time(track, of.init),
      ...(near ? this.#parts(number, of.parts) : []),
      ...(track ? [] : ['#EXT-X-GAP']),
      `#EXTINF:${seconds(of.lengths[of.i] ?? 0)},`,
      this.#uri(number),
    ]
  }

  #head(whole: readonly Listed[], rest: Listed | undefined, parts: readonly (readonly MadePart[])[]): string[] {
    const { initialization } = this.representation
    const { part } = this.#targets
    const independent = parts.every(([first]) => first?.independent ?? true)
    const map = initialization === undefined ? undefined : pathOf(this.representation, initialization)
    return [
      '#EXT-X-VERSION:9',
      `#EXT-X-TARGETDURATION:${this.#targets.segment}`,
      ...(part > 0 && this.manifest.dynamic
        ? [
            `#EXT-X-PART-INF:PART-TARGET=${seconds(part)}`,
            `#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=${seconds(Math.max(3 * part, LEAST_HOLD_BACK))}`,
          ]
        : []),
      `#EXT-X-MEDIA-SEQUENCE:${whole[0]?.number ?? rest?.number ?? 0}`,
      ...(independent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
      ...(map === undefined ? [] : [`#EXT-X-MAP:URI="${this.#relative(map)}"`]),
    ]
  }

  get #length(): number | undefined {
    return segmentSeconds(this.representation)
  }

  #measure(lengths: readonly number[], parts: readonly MadePart[]): void {
    const said = this.#length ?? 0
    const targets = this.#targets
    targets.segment = Math.max(targets.segment, Math.round(Math.max(said, ...lengths)))
    const early = said - this.representation.availabilityTimeOffset
    const longest = Math.max(0, ...parts.map((part) => part.seconds))
    targets.part = Math.max(targets.part, longest, early > 0 && early < said ? early : 0)
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
  #time(track: Track | undefined, init: TrackInfo): string[] {
    const { availabilityStart: start } = this.manifest
    const first = track?.pieces[0]
    if (start === undefined || !first) return []
    const { presentationTimeOffset, timescale, periodStart } = this.representation
    const at = periodStart + first.time / init.timescale - presentationTimeOffset / timescale
    return [`#EXT-X-PROGRAM-DATE-TIME:${new Date(start + at * 1000).toISOString()}`]
  }

  #uri(number: number): string {
    const track = this.#segments.get(number)
    const path = track?.path ?? pathOf(this.representation, this.representation.media ?? '', { number })
    return this.#relative(path ?? '')
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
  report(from: string, init: TrackInfo): string | undefined {
    const edge = this.edge(init)
    if (!edge || nameOf(from) === '') return undefined
    const part = edge.part >= 0 ? `,LAST-PART=${edge.part}` : ''
    return `#EXT-X-RENDITION-REPORT:URI="${encodeURIComponent(nameOf(this.path))}",LAST-MSN=${edge.number}${part}`
  }
}

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

function lengthOf({ pieces }: Track, init: TrackInfo): number {
  return pieces.reduce((sum, piece) => sum + fragmentSeconds(piece, init), 0)
}
