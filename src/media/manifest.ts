import { Parser } from 'htmlparser2'
import { referenced } from './reference.ts'

/** One entry of a SegmentTimeline: start and length in the units of its timescale, and how often it comes again (-1 = on and on). */
export interface TimelineEntry {
  readonly t: number | undefined
  readonly d: number
  readonly r: number
}

/** How the segments of a representation are named (`SegmentTemplate`, or the URLs of a `SegmentList`). */
export interface Naming {
  readonly initialization: string | undefined
  readonly media: string | undefined
  readonly startNumber: number
  readonly timescale: number
  /** Of one segment, in the units of the timescale. */
  readonly duration: number | undefined
  readonly presentationTimeOffset: number
  /** Seconds; Infinity = at once. */
  readonly availabilityTimeOffset: number
  readonly timeline: readonly TimelineEntry[]
  /** URLs of a SegmentList. */
  readonly list: readonly string[]
}

export interface Representation extends Naming {
  readonly id: string
  /** `video`, `audio`, `text` ... */
  readonly content: string
  readonly bandwidth: number | undefined
  readonly codecs: string | undefined
  readonly width: string | undefined
  readonly height: string | undefined
  readonly frameRate: string | undefined
  readonly language: string | undefined
  readonly channels: string | undefined
  /** Folder (path) that its URLs are relative to, written as a file in it. */
  readonly base: string
  /** Seconds from the start of the presentation to that of its period. */
  readonly periodStart: number
}

/** A DASH manifest, as far as its delivery needs it. */
export interface Manifest {
  readonly dynamic: boolean
  /** ms since 1970. */
  readonly availabilityStart: number | undefined
  /** Seconds. */
  readonly minimumUpdatePeriod: number | undefined
  readonly timeShiftBufferDepth: number | undefined
  readonly representations: readonly Representation[]
}

type Attributes = Readonly<Record<string, string | undefined>>

/** Reads a DASH manifest (ISO 23009-1) that lies at `path`. Undefined when it is none. */
export function parseManifest(path: string, text: string): Manifest | undefined {
  const reader = new Reader(path)
  const parser = new Parser(
    {
      onopentag: (name, attributes) => reader.open(local(name), attributes),
      ontext: (data) => reader.text(data),
      onclosetag: (name) => reader.close(local(name)),
    },
    { xmlMode: true },
  )
  parser.write(text)
  parser.end()
  return reader.manifest()
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

/** What elements within each other have said so far; what is further inside counts. */
interface Level {
  readonly element: string
  readonly attributes: Attributes
  base: string
  naming: Attributes
  timeline: TimelineEntry[]
  list: string[]
  channels?: string | undefined
}

/** More representations than any player chooses from. */
const MOST = 500

/** What elements say of the one that they stand in. */
const within: Readonly<Record<string, (parent: Level, attributes: Attributes) => void>> = {
  SegmentTemplate: addNaming,
  SegmentList: addNaming,
  Initialization(parent, { sourceURL }) {
    if (sourceURL !== undefined) parent.naming = { ...parent.naming, initialization: sourceURL }
  },
  S(parent, { t, d, r }) {
    parent.timeline.push({ t: t === undefined ? undefined : Number(t), d: Number(d ?? 0), r: Number(r ?? 0) })
  },
  SegmentURL(parent, { media }) {
    if (media !== undefined) parent.list.push(media)
  },
  AudioChannelConfiguration(parent, { value }) {
    parent.channels = value
  },
}

function addNaming(parent: Level, attributes: Attributes): void {
  parent.naming = { ...parent.naming, ...attributes }
  parent.timeline = []
  parent.list = []
}

class Reader {
  readonly #levels: Level[] = []
  readonly #representations: Representation[] = []
  #mpd: Attributes | undefined
  #periodStart = 0
  #text = ''
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  open(element: string, attributes: Attributes): void {
    this.#text = ''
    const parent = this.#levels.at(-1)
    if (element === 'MPD') this.#mpd ??= attributes
    if (!this.#mpd) return
    if (element === 'Period') this.#periodStart = secondsOf(attributes.start) ?? 0
    if (levels.has(element)) this.#levels.push(this.#level(element, attributes, parent))
    else if (parent) within[element]?.(parent, attributes)
  }

  #level(element: string, attributes: Attributes, parent: Level | undefined): Level {
    return {
      element,
      attributes: { ...parent?.attributes, ...attributes },
      base: parent?.base ?? this.#path,
      naming: parent?.naming ?? {},
      timeline: parent?.timeline ?? [],
      list: parent?.list ?? [],
      channels: parent?.channels,
    }
  }

  text(data: string): void {
    if (this.#text.length < 4096) this.#text += data
  }

  close(element: string): void {
    const level = this.#levels.at(-1)
    if (element === 'BaseURL' && level) level.base = below(level.base, this.#text.trim())
    if (!level || level.element !== element) return
    if (element === 'Representation' && this.#representations.length < MOST)
      this.#representations.push(this.#representation(level))
    this.#levels.pop()
  }

  #representation({ attributes, naming, timeline, list, base, channels }: Level): Representation {
    const number = (text: string | undefined) => (text === undefined ? undefined : Number(text))
    return {
      id: attributes.id ?? '',
      content: attributes.contentType ?? (attributes.mimeType ?? '').split('/')[0] ?? '',
      bandwidth: number(attributes.bandwidth),
      codecs: attributes.codecs,
      width: attributes.width,
      height: attributes.height,
      frameRate: attributes.frameRate,
      language: attributes.lang,
      channels,
      base,
      periodStart: this.#periodStart,
      initialization: naming.initialization,
      media: naming.media,
      startNumber: number(naming.startNumber) ?? 1,
      timescale: number(naming.timescale) || 1,
      duration: number(naming.duration),
      presentationTimeOffset: number(naming.presentationTimeOffset) ?? 0,
      availabilityTimeOffset:
        naming.availabilityTimeOffset === 'INF' ? Infinity : (number(naming.availabilityTimeOffset) ?? 0),
      timeline,
      list,
    }
  }

  manifest(): Manifest | undefined {
    if (!this.#mpd) return undefined
    const start = Date.parse(this.#mpd.availabilityStartTime ?? '')
    return {
      dynamic: this.#mpd.type === 'dynamic',
      availabilityStart: Number.isNaN(start) ? undefined : start,
      minimumUpdatePeriod: secondsOf(this.#mpd.minimumUpdatePeriod),
      timeShiftBufferDepth: secondsOf(this.#mpd.timeShiftBufferDepth),
      representations: this.#representations,
    }
  }
}

/** Elements that hold others which inherit from them. */
const levels = new Set(['MPD', 'Period', 'AdaptationSet', 'Representation'])

/** The base that a BaseURL leads to; one on another server leads nowhere. */
function below(base: string, url: string): string {
  const path = referenced(base, url.endsWith('/') ? `${url}x` : url)
  return path ?? '\0/nowhere'
}

/** Seconds of an xs:duration: `PT1H2M3.5S`. */
export function secondsOf(text: string | undefined): number | undefined {
  const [all, days, hours, minutes, rest] =
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec((text ?? '').trim()) ?? []
  if (all === undefined) return undefined
  return Number(days ?? 0) * 86_400 + Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(rest ?? 0)
}

/** Seconds of one segment; undefined when they differ or are not known. */
export function segmentSeconds({ duration, timescale, timeline }: Naming): number | undefined {
  const ticks = duration ?? timeline.at(-1)?.d
  return ticks === undefined || !(ticks > 0) ? undefined : ticks / timescale
}

/** The path of a URL in a representation with everything in it known; undefined when it lies elsewhere. */
export function pathOf(
  { base, id, bandwidth }: Representation,
  template: string,
  values: { number?: number; time?: number } = {},
): string | undefined {
  const url = template.replace(/\$(\w*)(?:%0(\d{1,2})d)?\$/g, (all, name: string, width: string | undefined) => {
    const value = { RepresentationID: id, Bandwidth: bandwidth, Number: values.number, Time: values.time, '': '$' }[
      name
    ]
    return value === undefined ? all : String(value).padStart(Number(width ?? 0), '0')
  })
  return referenced(base, url)
}

/**
 * Reads the number or time of a segment off its path; undefined for the path of another file. The path is that of the
 * template's file, so that nothing of the template is taken for a pattern.
 */
export function segmentReader(representation: Representation): ((path: string) => number | undefined) | undefined {
  const { media } = representation
  if (media === undefined) return undefined
  const [mark] = /\$(?:Number|Time)(?:%0\d{1,2}d)?\$/.exec(media) ?? []
  if (mark === undefined) return undefined
  // A run of letters that stands for the number, so that the path may be cut around it.
  const holder = 'QnUmBeRq'
  const path = pathOf(representation, media.replaceAll(mark, holder))
  if (path === undefined) return undefined
  const [before = '', ...others] = path.split(holder)
  const after = others.at(-1) ?? ''
  if (others.length === 0) return undefined
  return (candidate) => {
    if (!candidate.startsWith(before) || !candidate.endsWith(after)) return undefined
    const digits = /^\d{1,15}/.exec(candidate.slice(before.length))?.[0]
    if (digits === undefined) return undefined
    return pathOf(representation, media, { number: Number(digits), time: Number(digits) }) === candidate
      ? Number(digits)
      : undefined
  }
}

/** The type of DASH manifests. */
export const manifestType = 'application/dash+xml'

/**
 * A manifest with the clock of this server in it, for players to set theirs by (`/.utc`); undefined when it names one itself. The
 * reference is relative, so that it holds behind any proxy.
 */
export function withClock(text: string): string | undefined {
  const end = text.lastIndexOf('</MPD>')
  if (end < 0 || /<UTCTiming\b/.test(text)) return undefined
  return `${text.slice(0, end)}<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value=".utc"/>${text.slice(end)}`
}
