import type { Track } from './tracks.ts'

/** More missing segments in a row than this are a new beginning. */
const LONGEST_GAP = 10
/** Segments that are known at most. */
const MOST = 3000

/** A place in the sequence; without a track the segment never came. */
export interface Listed {
  /** Media sequence number. */
  readonly number: number
  readonly track: Track | undefined
}

/**
 * The segments of one representation by their media sequence number, which only goes up: an encoder that begins again with its
 * first number goes on behind the last one, with a break between (`EXT-X-DISCONTINUITY`).
 */
export class MediaSequence {
  readonly #tracks = new Map<number, Track>()
  /** Numbers of segments that a new run of the encoder began with. */
  readonly #breaks = new Set<number>()
  /** Of this run: the number in the sequence by the number or time in the name. */
  readonly #known = new Map<number, number>()
  readonly #byTime: boolean
  /** Number or time of the newest segment of this run. */
  #newest: number | undefined
  #last: number | undefined
  #offset = 0
  #again = false

  /** `byTime`: names have times, which do not count segments. */
  constructor(byTime: boolean) {
    this.#byTime = byTime
  }

  get tracks(): Iterable<Track> {
    return this.#tracks.values()
  }

  /** The encoder has sent the beginning of its files again: lower numbers are a new run. */
  restart(): void {
    this.#again = true
  }

  /** A segment, or news of one; `value` is what its name has. */
  take(track: Track, value: number): void {
    const { path, state } = track
    if (state === 'failed') return void this.drop(path)
    for (const known of this.#tracks.values()) if (known === track) return
    // A file of an earlier run that is overwritten.
    this.drop(path)
    const number = this.#number(value)
    this.#tracks.set(number, track)
    this.#last = Math.max(number, this.#last ?? number)
    for (const old of this.#tracks.keys()) {
      if (this.#tracks.size <= MOST) break
      this.#tracks.delete(old)
    }
  }

  /** A file is not there any more. False when it was none of these. */
  drop(path: string): boolean {
    for (const [number, track] of this.#tracks) if (track.path === path) return this.#tracks.delete(number)
    return false
  }

  #number(value: number): number {
    const newest = this.#newest
    // Neighbours may overtake each other; what lies further back is of an encoder that began again.
    const back = newest !== undefined && (this.#again ? value <= newest : value < newest - (this.#byTime ? 0 : 1))
    this.#again = false
    const next = (this.#last ?? -1) + 1
    if (back) {
      this.#known.clear()
      this.#offset = next - value
      this.#breaks.add(next)
    }
    this.#newest = back ? value : Math.max(value, newest ?? value)
    if (!this.#byTime) return value + this.#offset
    const number = this.#known.get(value) ?? next
    this.#known.set(value, number)
    for (const old of this.#known.keys()) {
      if (this.#known.size <= MOST) break
      this.#known.delete(old)
    }
    return number
  }

  /** True for a segment that a new run of the encoder began with. */
  breaksAt(number: number): boolean {
    return this.#breaks.has(number)
  }

  /** How many breaks there were before a segment (`EXT-X-DISCONTINUITY-SEQUENCE`). */
  breaksBefore(number: number): number {
    let count = 0
    for (const at of this.#breaks) if (at < number) count++
    return count
  }

  /** Segments in order, those that are missing between others too; and the one on its way. */
  listed(): { readonly whole: readonly Listed[]; readonly rest: Listed | undefined } {
    const whole: Listed[] = []
    for (const number of [...this.#tracks.keys()].toSorted((a, b) => a - b)) {
      const track = this.#tracks.get(number)
      const last = whole.at(-1)?.number
      if (last !== undefined && number - last > LONGEST_GAP) whole.length = 0
      else if (last !== undefined)
        for (let missing = last + 1; missing < number; missing++) whole.push({ number: missing, track: undefined })
      if (track?.state !== 'complete') return { whole, rest: { number, track } }
      whole.push({ number, track })
    }
    return { whole, rest: undefined }
  }

  /** The number or time that the name of a segment has, where that can be told. */
  valueOf(number: number): number | undefined {
    return this.#byTime ? undefined : number - this.#offset
  }

  track(number: number): Track | undefined {
    return this.#tracks.get(number)
  }
}
