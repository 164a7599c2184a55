import { LRUCache } from 'lru-cache'
import { parentOf } from '../base/path.ts'
import { type Manifest, pathOf, type Representation, segmentReader, segmentSeconds } from './manifest.ts'
import { isMediaName, numbered } from './numbered.ts'
import type { MediaPlaylist } from './playlist.ts'
import { referenced } from './reference.ts'

/** What one manifest announces. */
interface Announced {
  /** Paths, and seconds of a segment. */
  readonly paths: ReadonlyMap<string, number>
  /** What it lists is kept. */
  readonly keeps: boolean
  readonly templates: readonly Template[]
}

interface Template {
  read(path: string): number | undefined
  /** How many segments back from the newest one the manifest offers. */
  readonly depth: number
  readonly seconds: number
  /** Whether a number (or time) is due; `newest` is the last one that came. */
  due(number: number, newest: number | undefined, now: number): boolean
}

/** A sequence of uploads whose names count up. */
interface Sequence {
  newest: number
  /** The path of the one behind it. */
  next: string
  /** When the newest one began, ms; and the longest time between two. */
  at: number
  interval: number
  runs: number
}

/** A sequence goes on when its last file began no longer ago than this, or than a few of its intervals; ms. */
const FRESH = 30_000
/** Files that come faster were held up, or are the first ones: their pace tells nothing of the next; ms. */
const SHORTEST = 1000
/** So many segments of a playlist, from its end, are looked for. */
const LISTED = 1000
/** The most that is remembered. */
const MOST = 10_000

/**
 * Which files will come soon: those that a manifest announces, and the next ones of what is uploaded in sequence. Who asks for
 * one of them too early may wait for it (live.md 3.4, 3.5).
 */
export class Expected {
  readonly #announced = new LRUCache<string, Announced>({ max: 1000 })
  readonly #sequences = new LRUCache<string, Sequence>({ max: MOST })
  /** Files that were there and are not any more: nobody waits for them. */
  readonly #gone = new LRUCache<string, true>({ max: MOST })
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** An upload has begun. */
  begun(path: string): void {
    this.#gone.delete(path)
    const name = numbered(path)
    if (!name) return
    const now = this.#now()
    const before = this.#sequences.get(name.pattern)
    if (!before || name.number !== before.newest) {
      const follows = before !== undefined && name.number === before.newest + 1
      this.#sequences.set(name.pattern, {
        newest: name.number,
        next: name.at(name.number + 1),
        at: now,
        interval: follows ? Math.max(before.interval, now - before.at) : 0,
        runs: follows ? before.runs + 1 : 1,
      })
    }
  }

  /** A file was removed, or never became one. */
  removed(path: string): void {
    this.#gone.set(path, true)
    this.#announced.delete(path)
  }

  /** A manifest is not there any more. */
  forget(path: string): void {
    this.#announced.delete(path)
  }

  /** A playlist has come. One that is `made` here of what there is keeps nothing from going. */
  playlist(path: string, playlist: MediaPlaylist, made: boolean): void {
    if (playlist.ended) this.#end(path)
    else this.#announced.set(path, { ...ofPlaylist(path, playlist), keeps: !made })
  }

  /** A DASH manifest has come. */
  manifest(path: string, manifest: Manifest): void {
    if (manifest.dynamic) this.#announced.set(path, { ...ofManifest(manifest), keeps: true })
    else this.#end(path)
  }

  /** How long a segment takes (ms) when a file is expected, Infinity when that is not known; undefined = it is not expected. */
  expects(path: string): number | undefined {
    if (this.#gone.has(path)) return undefined
    const now = this.#now()
    const name = numbered(path)
    const sequence = name && this.#sequences.get(name.pattern)
    for (const { paths, templates } of this.#announced.values()) {
      const seconds = paths.get(path)
      if (seconds !== undefined) return seconds * 1000
      for (const template of templates) {
        const number = template.read(path)
        if (number === undefined) continue
        return template.due(number, sequence?.newest, now) ? template.seconds * 1000 : undefined
      }
    }
    if (!sequence || path !== sequence.next) return undefined
    const fresh = now - sequence.at < Math.max(FRESH, 4 * sequence.interval)
    if (!fresh || (!isMediaName(path) && sequence.runs < 2)) return undefined
    return sequence.interval > 0 ? Math.max(SHORTEST, sequence.interval) : Infinity
  }

  /** True for a file that a live manifest lists now. */
  lists(path: string): boolean {
    for (const { paths, templates, keeps } of this.#announced.values()) {
      if (!keeps) continue
      if (paths.has(path)) return true
      for (const template of templates) {
        const number = template.read(path)
        if (number === undefined) continue
        const newest = this.#sequences.get(numbered(path)?.pattern ?? '')?.newest ?? 0
        return number > newest - template.depth
      }
    }
    return false
  }

  /** Nothing follows any more in the folder of a manifest that says so. */
  #end(path: string): void {
    this.#announced.delete(path)
    const dir = parentOf(path)
    for (const pattern of this.#sequences.keys()) if (parentOf(pattern) === dir) this.#sequences.delete(pattern)
  }
}

/** All files of a playlist, its hints, and the segment behind its last one. */
function ofPlaylist(path: string, playlist: MediaPlaylist): Omit<Announced, 'keeps'> {
  const { segments, rest, hints, maps, targetDuration } = playlist
  const last = segments.at(-1)
  const uris = [
    ...segments.slice(-LISTED).flatMap(({ uri, parts }) => [uri, ...parts.map((part) => part.uri)]),
    ...[...rest.parts, ...hints].map(({ uri }) => uri),
    ...maps,
  ]
  const paths = new Map<string, number>()
  for (const uri of uris) {
    const at = referenced(path, uri)
    if (at !== undefined) paths.set(at, targetDuration)
  }
  const at = last && referenced(path, last.uri)
  const name = at === undefined ? undefined : numbered(at)
  if (name && !last?.range) paths.set(name.at(name.number + 1), targetDuration)
  return { paths, templates: [] }
}

function ofManifest(manifest: Manifest): Omit<Announced, 'keeps'> {
  const paths = new Map<string, number>()
  const templates: Template[] = []
  for (const representation of manifest.representations) {
    const seconds = segmentSeconds(representation) ?? manifest.minimumUpdatePeriod ?? 1
    const { initialization, list } = representation
    for (const url of initialization === undefined ? list : [initialization, ...list]) {
      const at = pathOf(representation, url)
      if (at !== undefined) paths.set(at, seconds)
    }
    const last = list.at(-1)
    const name = last === undefined ? undefined : numbered(pathOf(representation, last) ?? '')
    if (name) paths.set(name.at(name.number + 1), seconds)
    const read = segmentReader(representation)
    if (read)
      templates.push({
        read,
        seconds,
        depth: depthOf(manifest, representation, seconds),
        due: dueBy(manifest, representation, seconds),
      })
  }
  return { paths, templates }
}

/** In numbers, or in the units of the timescale where times are in the names. The segment on its way comes on top. */
function depthOf(
  { timeShiftBufferDepth = 0 }: Manifest,
  { media = '', timescale }: Representation,
  seconds: number,
): number {
  return media.includes('$Time')
    ? (timeShiftBufferDepth + 2 * seconds) * timescale
    : Math.ceil(timeShiftBufferDepth / seconds) + 1
}

/** How much earlier than it is due a segment may be asked for, ms: clocks differ, and a held request costs little. */
const EARLY = 5000

function dueBy(manifest: Manifest, representation: Representation, seconds: number): Template['due'] {
  const { timeline, media = '', startNumber, duration, periodStart, availabilityTimeOffset } = representation
  if (timeline.length > 0 && media.includes('$Time')) {
    const { times, end } = expand(timeline)
    return (time, newest = -1) => time > newest && (times.has(time) || time === end)
  }
  const start = manifest.availabilityStart
  const most = timeline.length > 0 ? expand(timeline).times.size : Infinity
  return (number, newest, now) => {
    if (newest !== undefined) return number === newest + (media.includes('$Time') ? (duration ?? 1) : 1)
    if (number < startNumber || number > startNumber + most) return false
    if (duration === undefined || start === undefined) return true
    const due = start + (periodStart + (number + 1 - startNumber) * seconds) * 1000
    const early = Math.min(availabilityTimeOffset, seconds) * 1000
    return now >= due - early - EARLY && now <= due + EARLY + seconds * 2000
  }
}

/** The start times of a SegmentTimeline, and where it ends. */
function expand(timeline: Representation['timeline']): { readonly times: ReadonlySet<number>; readonly end: number } {
  const times = new Set<number>()
  let at = 0
  for (const { t, d, r } of timeline) {
    at = t ?? at
    for (let i = 0; i <= Math.max(0, r) && times.size < MOST; i++) {
      times.add(at)
      at += d
    }
  }
  return { times, end: at }
}
