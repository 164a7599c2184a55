import type { Range } from '../base/range.ts'

/** A part of a segment (`EXT-X-PART`). */
export interface Part {
  readonly uri: string
  /** Seconds. */
  readonly duration: number
  /** The bytes of the file that it is; undefined = all. */
  readonly range?: Range | undefined
}

/** A segment with everything that stands before its URI. */
export interface Segment {
  readonly uri: string
  /** Seconds. */
  readonly duration: number
  readonly range?: Range | undefined
  readonly parts: readonly Part[]
  readonly lines: readonly string[]
}

/** What will be needed next (`EXT-X-PRELOAD-HINT`). */
export interface Hint {
  readonly type: string
  readonly uri: string
  /** First byte of the file, and how many; undefined = all, or the rest. */
  readonly start?: number | undefined
  readonly length?: number | undefined
}

/** A media playlist, taken apart as far as delivery needs it; all else is kept as lines. */
export interface MediaPlaylist {
  /** Tags about the whole playlist, without its first line. */
  readonly head: readonly string[]
  readonly segments: readonly Segment[]
  /** What was begun behind the last segment: parts of the next one. */
  readonly rest: { readonly parts: readonly Part[]; readonly lines: readonly string[] }
  /** Hints, reports and the end mark. */
  readonly tail: readonly string[]
  /** Number of the first segment. */
  readonly first: number
  /** Seconds. */
  readonly targetDuration: number
  /** Seconds; undefined when there are no parts. */
  readonly partTarget: number | undefined
  readonly control: ReadonlyMap<string, string>
  readonly hints: readonly Hint[]
  /** Files that begin segments (`EXT-X-MAP`). */
  readonly maps: readonly string[]
  readonly ended: boolean
}

/** More lines than any playlist needs. */
const MOST_LINES = 200_000

const ofWhole = new Set([
  '#EXT-X-VERSION',
  '#EXT-X-TARGETDURATION',
  '#EXT-X-MEDIA-SEQUENCE',
  '#EXT-X-DISCONTINUITY-SEQUENCE',
  '#EXT-X-PLAYLIST-TYPE',
  '#EXT-X-INDEPENDENT-SEGMENTS',
  '#EXT-X-START',
  '#EXT-X-SERVER-CONTROL',
  '#EXT-X-PART-INF',
  '#EXT-X-I-FRAMES-ONLY',
  '#EXT-X-ALLOW-CACHE',
  '#EXT-X-DEFINE',
])
const ofTail = new Set(['#EXT-X-PRELOAD-HINT', '#EXT-X-RENDITION-REPORT', '#EXT-X-ENDLIST'])

/**
 * Reads a media playlist (RFC 8216bis section 4). Undefined for what is none: a multivariant playlist, one without a target
 * duration, or no playlist at all. Unknown tags and comments stay where they are.
 */
export function parsePlaylist(text: string): MediaPlaylist | undefined {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (lines[0]?.trim() !== '#EXTM3U' || lines.length > MOST_LINES) return undefined
  const reader = new Reader()
  for (const line of lines.slice(1)) if (line.trim() !== '') reader.take(line.trim())
  return reader.playlist()
}

class Reader {
  readonly #head: string[] = []
  readonly #segments: Segment[] = []
  readonly #tail: string[] = []
  readonly #hints: Hint[] = []
  readonly #maps: string[] = []
  #control = new Map<string, string>()
  #lines: string[] = []
  #parts: Part[] = []
  #duration = 0
  #range: Range | undefined
  #segmentEnd = 0
  #partEnd: { uri: string; end: number } | undefined
  #first = 0
  #target: number | undefined
  #partTarget: number | undefined
  #ended = false
  #multivariant = false

  take(line: string): void {
    if (!line.startsWith('#')) return this.#segment(line)
    const colon = line.indexOf(':')
    const tag = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1)
    this.#note(tag, value)
    if (ofWhole.has(tag)) this.#head.push(line)
    else if (ofTail.has(tag)) this.#tail.push(line)
    else this.#lines.push(line)
  }

  #note(tag: string, value: string): void {
    switch (tag) {
      case '#EXTINF':
        this.#duration = numberOf(value) ?? 0
        break
      case '#EXT-X-BYTERANGE':
        this.#range = rangeOf(value, this.#segmentEnd)
        break
      case '#EXT-X-PART':
        this.#part(attributes(value))
        break
      case '#EXT-X-PRELOAD-HINT':
        this.#hint(attributes(value))
        break
      case '#EXT-X-MAP': {
        const uri = attributes(value).get('URI')
        if (uri !== undefined) this.#maps.push(uri)
        break
      }
      case '#EXT-X-SERVER-CONTROL':
        this.#control = attributes(value)
        break
      case '#EXT-X-PART-INF':
        this.#partTarget = numberOf(attributes(value).get('PART-TARGET'))
        break
      case '#EXT-X-TARGETDURATION':
        this.#target = numberOf(value)
        break
      case '#EXT-X-MEDIA-SEQUENCE':
        this.#first = numberOf(value) ?? 0
        break
      case '#EXT-X-ENDLIST':
        this.#ended = true
        break
      case '#EXT-X-STREAM-INF':
        this.#multivariant = true
        break
    }
  }

  #part(list: Map<string, string>): void {
    const uri = list.get('URI')
    if (uri === undefined) return
    const bytes = list.get('BYTERANGE')
    const before = this.#partEnd?.uri === uri ? this.#partEnd.end : 0
    const range = bytes === undefined ? undefined : rangeOf(bytes, before)
    if (range) this.#partEnd = { uri, end: range.end }
    this.#parts.push({ uri, duration: numberOf(list.get('DURATION')) ?? 0, range })
  }

  #hint(list: Map<string, string>): void {
    const uri = list.get('URI')
    if (uri === undefined) return
    const [start, length] = [numberOf(list.get('BYTERANGE-START')), numberOf(list.get('BYTERANGE-LENGTH'))]
    this.#hints.push({ type: list.get('TYPE') ?? '', uri, start, length })
  }

  #segment(uri: string): void {
    const lines = [...this.#lines, uri]
    this.#segments.push({ uri, duration: this.#duration, range: this.#range, parts: this.#parts, lines })
    this.#segmentEnd = this.#range?.end ?? 0
    this.#lines = []
    this.#parts = []
    this.#duration = 0
    this.#range = undefined
  }

  playlist(): MediaPlaylist | undefined {
    if (this.#multivariant || this.#target === undefined || !(this.#target > 0)) return undefined
    return {
      head: this.#head,
      segments: this.#segments,
      rest: { parts: this.#parts, lines: this.#lines },
      tail: this.#tail,
      first: this.#first,
      targetDuration: this.#target,
      partTarget: this.#partTarget !== undefined && this.#partTarget > 0 ? this.#partTarget : undefined,
      control: this.#control,
      hints: this.#hints,
      maps: this.#maps,
      ended: this.#ended,
    }
  }
}

/** An attribute list (section 4.2), the quotes of its values taken off. */
export function attributes(text: string): Map<string, string> {
  const list = new Map<string, string>()
  for (const [, name = '', quoted, bare] of text.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))/g))
    list.set(name, quoted ?? bare ?? '')
  return list
}

function numberOf(text: string | undefined): number | undefined {
  const [digits] = /^\s*\d{1,15}(?:\.\d{1,12})?/.exec(text ?? '') ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** `length@start`, `length` alone goes on behind the range before. */
function rangeOf(text: string, before: number): Range | undefined {
  const [, length, start] = /^\s*"?(\d{1,15})(?:@(\d{1,15}))?/.exec(text) ?? []
  if (length === undefined) return undefined
  const from = start === undefined ? before : Number(start)
  return { start: from, end: from + Number(length) }
}

/** Number of the last whole segment; one less than the first when there is none. */
export function lastNumber({ first, segments }: MediaPlaylist): number {
  return first + segments.length - 1
}

/** How many segments have at least `seconds` of the playlist behind them, parts of the next segment included. */
export function segmentsBefore({ segments, rest }: MediaPlaylist, seconds: number): number {
  let behind = rest.parts.reduce((sum, part) => sum + part.duration, 0)
  let count = segments.length
  while (count > 0 && behind < seconds) behind += segments[--count]?.duration ?? 0
  return count
}
