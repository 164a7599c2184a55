import { KeyedLock } from '../base/keyed-lock.ts'
import type { Context } from '../core/context.ts'
import type { Arrival, WriteHandle, Writes } from '../vfs/write.ts'
import { type ListedSegment, type ListedTrack, manifestText } from './manifest-text.ts'
import type { SplitFragment, SplitTrack } from './track-splitter.ts'

export interface PointParts {
  readonly ctx: Context
  readonly writes: Writes
  /** Its folder. */
  readonly path: string
  /** Segments stay when the stream has moved on: the manifest of a stream that has ended lists all of them. */
  readonly keeps: boolean
}

/** What its manifest is called. */
export const manifestName = 'index.mpd'
/** A segment is at least so long (seconds), and ends before the next fragment that a player can begin with. */
const SEGMENT_S = 2
/** A segment that has become so long (seconds) ends all the same. */
const LONGEST_S = 6
/** What a manifest lists while the stream goes on, seconds. */
const WINDOW_S = 30

interface Segment {
  readonly handle: WriteHandle
  readonly arrival: Arrival
  readonly number: number
  readonly time: number
  length: number
}

/** One track of a point: its segments, and who sends them. */
interface PointTrack extends ListedTrack {
  init: Buffer
  /** Number of the newest segment. */
  last: number
  /** Where the next fragment belongs, in units of the timescale. */
  end: number
  open: Segment | undefined
  senders: number
  ended: boolean
}

/** What one sender has to do with a track. */
export interface Sending {
  /** Takes the next fragment. */
  take(fragment: SplitFragment): Promise<void>
  /** Nothing more comes of it; with `over` the stream is. */
  end(over: boolean): Promise<void>
}

/**
 * A folder of live media that is sent in requests without an end: cuts each track into segments, and lists them in a manifest
 * (`index.mpd`), of which HLS is made as of any other.
 */
export class PublishingPoint {
  readonly #parts: PointParts
  readonly #tracks = new Map<string, PointTrack>()
  /** ms since 1970, at which the time of the tracks is 0. */
  #start: number | undefined
  /** What is added to the times that encoders send since one has begun again, seconds. */
  #shift = 0
  /** Those who send the same track take turns. */
  readonly #turns = new KeyedLock()
  #writing: Promise<void> = Promise.resolve()

  constructor(parts: PointParts) {
    this.#parts = parts
  }

  /** Begins to take a track. Several may send the same one: what has come once is not taken again (live.md 3.6). */
  async begin(id: string, split: SplitTrack): Promise<Sending> {
    const track = this.#tracks.get(id) ?? newTrack(id, split)
    const isNew = !this.#tracks.has(id)
    this.#tracks.set(id, track)
    if (isNew || !track.init.equals(split.init)) await this.#store(`${id}/init.mp4`, split.init)
    renew(track, split)
    track.senders++
    let shift: number | undefined
    return {
      take: async (fragment) =>
        await this.#turns.run(id, async () => {
          shift ??= this.#shiftFor(track, fragment)
          const time = fragment.time + Math.round(shift * split.timescale)
          if (time >= track.end - Math.round(fragment.length / 2))
            await this.#take(track, fragment, Math.max(time, track.end))
        }),
      end: async (over) => {
        track.senders--
        if (track.senders > 0) return
        await this.#turns.run(id, async () => await this.#close(track))
        track.ended = over
        await this.#list()
      },
    }
  }

  /** An encoder that begins again, with lower times than before, goes on behind what there is. */
  #shiftFor(track: PointTrack, { time, length }: SplitFragment): number {
    const begins = (time + length) / track.timescale
    this.#start ??= Date.now() - begins * 1000
    const goesOn = begins + this.#shift >= track.end / track.timescale
    if (!goesOn && track.senders === 1)
      this.#shift = Math.max((Date.now() - this.#start) / 1000 - begins, (track.end - time) / track.timescale)
    return this.#shift
  }

  async #take(track: PointTrack, fragment: SplitFragment, time: number): Promise<void> {
    const { open, timescale } = track
    // Frames do not fill a second exactly.
    const seconds = open ? (time + fragment.length / 2 - open.time) / timescale : 0
    if (seconds >= (fragment.independent ? SEGMENT_S : LONGEST_S)) await this.#close(track)
    const segment = track.open ?? (track.open = await this.#open(track, time))
    track.end = time + fragment.length
    segment.length = track.end - segment.time
    await segment.handle.write(fragment.at(time))
  }

  async #open(track: PointTrack, time: number): Promise<Segment> {
    const number = ++track.last
    const { handle, arrival } = await this.#begin(`${track.id}/${number}.m4s`)
    return { handle, arrival, number, time, length: 0 }
  }

  async #close(track: PointTrack): Promise<void> {
    const { open } = track
    if (!open) return
    track.open = undefined
    const { number, time, length } = open
    const bytes = open.handle.spool.end
    await finish(open)
    track.segments.push({ number, time, length, bytes })
    const from = track.end - WINDOW_S * track.timescale
    if (!this.#parts.keeps) while ((track.segments[0]?.time ?? Infinity) < from) track.segments.shift()
    await this.#list()
  }

  /** Writes the manifest. All who have something new to say wait for that, in turn. */
  async #list(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const tracks = [...this.#tracks.values()].filter(({ segments }) => segments.length > 0)
      if (tracks.length === 0 || this.#start === undefined) return
      const ended = tracks.every((track) => track.ended)
      const text = manifestText(tracks, { start: this.#start, window: WINDOW_S, segment: SEGMENT_S, ended })
      await this.#store(manifestName, Buffer.from(text))
    })
    await this.#writing
  }

  async #store(name: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#begin(name)
    await file.handle.write(bytes)
    await finish(file)
  }

  async #begin(name: string): Promise<Pick<Segment, 'handle' | 'arrival'>> {
    const { ctx, writes, path } = this.#parts
    const at = path === '' ? name : `${path}/${name}`
    const arrival = writes.arrive(at)
    try {
      return { arrival, handle: await writes.open(ctx, at, { durable: false }, arrival) }
    } catch (reason) {
      arrival.end()
      throw reason
    }
  }
}

function newTrack(id: string, { kind, codec, timescale, init }: SplitTrack): PointTrack {
  const segments: ListedSegment[] = []
  return { id, kind, codec, timescale, init, segments, last: 0, end: 0, open: undefined, senders: 0, ended: false }
}

/** Its encoder begins again. What was measured in other units is not listed any more. */
function renew(track: PointTrack, { kind, codec, timescale, init }: SplitTrack): void {
  if (track.timescale !== timescale) {
    track.segments.length = 0
    track.end = Math.ceil((track.end / track.timescale) * timescale)
  }
  Object.assign(track, { kind, codec, timescale, init, ended: false })
}

async function finish({ handle, arrival }: Pick<Segment, 'handle' | 'arrival'>): Promise<void> {
  try {
    await handle.commit(() => Promise.resolve())
  } finally {
    arrival.end()
  }
}
