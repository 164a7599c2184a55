import { LRUCache } from 'lru-cache'
import { AppError } from '../base/error.ts'
import { join } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { foreignPage } from '../http/same-site.ts'
import type { Writes } from '../vfs/write.ts'
import { manifestName, PublishingPoint, type Sending } from './publishing-point.ts'
import { type SplitTrack, TrackSplitter } from './track-splitter.ts'

export interface LongPostParts {
  /** Of the server. */
  readonly ctx: Context
  readonly writes: Writes
  /** Origins whose web pages may send; `*` = any. */
  readonly origins: readonly string[]
  readonly keeps: boolean
  /** Whether who asks may write at another path. */
  readonly mayWrite: (request: HttpRequest, path: string) => boolean
  /** Throws when there is no place for more. */
  readonly admit?: () => void
}

/** So many points are remembered, for encoders that begin again. */
const MOST = 1000

/** `POINT/Streams(NAME)`, with or without `Switching(...)` before it. */
const pattern = /(?:^|\/)(?:Switching\([\w.-]+\)\/)?Streams\((\w[\w.-]{0,100})\)$/i

/** True for a path to which media is sent in one request without an end, as encoders for Smooth Streaming and CMAF do. */
export function isLongPost(path: string): boolean {
  return pattern.test(path)
}

/**
 * Takes live media that comes in one long request for each stream, `POST /ch1/Streams(video.cmfv)` (DASH-IF Live Media Ingest,
 * interface 1; Smooth Streaming). The folder before that name is a publishing point, where it becomes segments and a manifest.
 */
export class LongPosts {
  readonly #parts: LongPostParts
  readonly #points = new LRUCache<string, PublishingPoint>({ max: MOST })

  constructor(parts: LongPostParts) {
    this.#parts = parts
  }

  /** True for a request that this is about. */
  takes({ method, path }: HttpRequest): boolean {
    return (method === 'POST' || method === 'PUT') && isLongPost(path)
  }

  /** Answers when the stream has ended: 412 to media whose beginning is missing, 415 to what is no fragmented MP4. */
  async answer(request: HttpRequest): Promise<HttpResponse> {
    const { ctx, admit, origins } = this.#parts
    const foreign = foreignPage(request, origins)
    if (foreign !== undefined) throw new AppError('denied', foreign)
    // Encoders ask so whether they may publish here.
    if (request.contentLength === 0) return { status: 200, headers: [] }
    admit?.()
    const transfer = ctx.stats.transfer(request.path, -1)
    const sendings = new Map<number, Sending>()
    const splitter = new TrackSplitter()
    let over = false
    let bytes = 0
    try {
      for await (const chunk of transfer.account(request.body, () => ctx.signal)) {
        bytes += chunk.length
        for (const found of splitter.take(chunk))
          if ('fragment' in found) await sendings.get(found.fragment.track.number)?.take(found.fragment)
          else if ('tracks' in found) await this.#begin(request, found.tracks, sendings)
          else over = true
        if (splitter.headless) return refused(412, 'The stream has to begin with its header (ftyp, moov)')
        if (splitter.broken) break
      }
      if (bytes > 0 && sendings.size === 0) return refused(415, 'This is no fragmented MP4')
      return { status: 200, headers: [] }
    } finally {
      transfer.done()
      for (const sending of sendings.values()) await sending.end(over)
    }
  }

  /** The header of a stream has come: its tracks begin, or begin again. Throws `denied` for files that may not be written. */
  async #begin(request: HttpRequest, tracks: readonly SplitTrack[], sendings: Map<number, Sending>): Promise<void> {
    const [, name = ''] = pattern.exec(request.path) ?? []
    const at = request.path.replace(pattern, '')
    for (const track of tracks) {
      await sendings.get(track.number)?.end(false)
      const id = idOf(name, track.number, tracks.length)
      if (![id, manifestName].every((file) => this.#parts.mayWrite(request, join(at, file))))
        throw new AppError('denied', 'not all that becomes of this stream may be written by who sends it')
      sendings.set(track.number, await this.#point(at).begin(id, track))
    }
  }

  #point(path: string): PublishingPoint {
    const known = this.#points.get(path)
    if (known) return known
    const { ctx, writes, keeps } = this.#parts
    const point = new PublishingPoint({ ctx, writes, path, keeps })
    this.#points.set(path, point)
    return point
  }
}

/** The name of a representation, and of its folder. */
function idOf(name: string, number: number, of: number): string {
  const stem = name.replace(/\.[^.]*$/, '') || name
  return of === 1 ? stem : `${stem}-${number}`
}

function refused(status: number, message: string): HttpResponse {
  return { ...textResponse(status, message), close: true }
}
