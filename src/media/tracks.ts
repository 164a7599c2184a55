import { LRUCache } from 'lru-cache'
import type { Body } from '../base/body.ts'
import type { WriteHandle } from '../vfs/write.ts'
import { Boxes, type Box } from './boxes.ts'
import { type Fragment, readFragment, readInit, type TrackInfo } from './fragment.ts'

/** A fragment and the bytes of its file that it ends, with what stands before it (`styp`, `prft`, `emsg`). */
export interface Piece extends Fragment {
  readonly start: number
  readonly end: number
}

/** What is known of one CMAF file: a beginning (`moov`), or a segment, whole or on its way. */
export interface Track {
  readonly path: string
  readonly init: TrackInfo | undefined
  readonly pieces: readonly Piece[]
  readonly state: 'growing' | 'complete' | 'failed'
  /** Bytes that came. */
  readonly size: number
}

/** More pieces of one file than this are not kept: no segment has so many. */
const MOST_PIECES = 20_000
/** The names of ISO files, as far as packagers use them. */
const iso = /\.(?:m4s|mp4|m4v|m4a|m4f|cmf[vatm])(?:\.\d+)?$/i

type Growing = { -readonly [K in keyof Track]: Track[K] }

/** Looks into the CMAF files that are uploaded, while they are; holds no bytes of them. */
export class Tracks {
  readonly #tracks = new LRUCache<string, Track>({ max: 3000 })
  readonly #changed: (track: Track) => void

  /** `changed` is called at each piece, and at the end. */
  constructor(changed: (track: Track) => void) {
    this.#changed = changed
  }

  get(path: string): Track | undefined {
    return this.#tracks.get(path)
  }

  all(): Iterable<Track> {
    return this.#tracks.values()
  }

  /** Reads along with an upload. */
  follow(handle: WriteHandle): void {
    if (iso.test(handle.path)) void this.read(handle.path, handle.spool.follow())
  }

  /** True for a name that such a file may have, of which nothing is known. */
  misses(path: string): boolean {
    return iso.test(path) && !this.#tracks.has(path)
  }

  remove(path: string): void {
    this.#tracks.delete(path)
  }

  /** Reads a file, and tells what is found while it comes. */
  async read(path: string, body: Body): Promise<void> {
    const pieces: Piece[] = []
    const track: Growing = { path, init: undefined, pieces, state: 'growing', size: 0 }
    this.#tracks.set(path, track)
    const reader = new PieceReader(
      (init) => (track.init = init),
      (piece) => pieces.length < MOST_PIECES && pieces.push(piece),
    )
    try {
      for await (const chunk of body) {
        const before = pieces.length
        reader.take(chunk)
        if (reader.isOther) break
        track.size += chunk.length
        // Another version may have taken its place meanwhile.
        if (this.#tracks.get(path) !== track) return
        if (pieces.length > before) this.#changed(track)
      }
      track.state = reader.isOther ? 'failed' : 'complete'
    } catch {
      track.state = 'failed'
    }
    if (this.#tracks.get(path) !== track) return
    if (track.state === 'failed') this.#tracks.delete(path)
    this.#changed(track)
  }
}

/** Cuts a file into pieces: each ends with the media data of a fragment. */
class PieceReader {
  readonly #boxes: Boxes
  readonly #init: (track: TrackInfo) => void
  readonly #piece: (piece: Piece) => void
  #fragment: Fragment | undefined
  #other = false
  #start = 0

  constructor(init: (track: TrackInfo) => void, piece: (piece: Piece) => void) {
    this.#init = init
    this.#piece = piece
    this.#boxes = new Boxes(new Set(['moov', 'moof']), (box) => this.#found(box))
  }

  take(chunk: Uint8Array): void {
    this.#boxes.take(chunk)
  }

  /** True for a file that has no fragments: there is nothing to find in it. */
  get isOther(): boolean {
    return this.#other || this.#boxes.broken
  }

  #found({ type, end, body }: Box): void {
    if (type === 'moov' && body) {
      const track = readInit(body)
      if (track) this.#init(track)
      this.#start = end
    } else if (type === 'moof' && body) this.#fragment = readFragment(body)
    else if (type === 'mdat' && this.#fragment) {
      this.#piece({ ...this.#fragment, start: this.#start, end })
      this.#fragment = undefined
      this.#start = end
    } else if (type === 'mdat') this.#other = true
  }
}
