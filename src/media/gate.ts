import { LRUCache } from 'lru-cache'
import type { Spool } from '../spool/spool.ts'
import type { HttpRequest } from '../http/message.ts'
import { changedRequest } from '../http/changed-request.ts'
import { onePart } from '../http/range.ts'
import type { MediaPlaylist } from './playlist.ts'
import { referenced } from './reference.ts'
import type { Tracks } from './tracks.ts'

/** How the parts of a file are asked for: each is a file of its own, or bytes of the segment. */
type Form = 'file' | 'bytes'

/**
 * Keeps back what HLS may not send: no byte of a part leaves before the whole part can (RFC 8216bis section 6.2.6), although
 * other readers of the same file get each byte as it comes.
 */
export class Gate {
  readonly #parts = new LRUCache<string, ReadonlyMap<string, Form>>({ max: 1000 })
  readonly #tracks: Tracks

  constructor(tracks: Tracks) {
    this.#tracks = tracks
  }

  /** A playlist has come: its parts, and those that it hints at. */
  playlist(path: string, { segments, rest, hints, ended }: MediaPlaylist): void {
    const forms = new Map<string, Form>()
    const parts = [...segments.flatMap((segment) => segment.parts), ...rest.parts]
    for (const { uri, range } of ended ? [] : parts) note(uri, range ? 'bytes' : 'file')
    for (const { uri, type, start } of ended ? [] : hints)
      if (type === 'PART') note(uri, start === undefined ? 'file' : 'bytes')
    if (forms.size === 0) this.#parts.delete(path)
    else this.#parts.set(path, forms)
    function note(uri: string, form: Form): void {
      const at = referenced(path, uri)
      if (at !== undefined) forms.set(at, form)
    }
  }

  removed(path: string): void {
    this.#parts.delete(path)
  }

  /** Waits for the part of a growing file that a request is for. Gives the request to answer: it names bytes that are there. */
  async pass(request: HttpRequest, spool: Spool, signal: AbortSignal): Promise<HttpRequest> {
    const form = this.#form(request.path)
    if (form === 'file') {
      while (spool.state === 'growing') await spool.changed(signal)
      return request
    }
    const range = onePart(request.header('range'))
    if (form !== 'bytes' || range?.first === undefined || (range.last ?? Infinity) < range.first) return request
    const { first } = range
    const last = range.last ?? Infinity
    let end = this.#partEnd(request.path, first, last)
    while (end === undefined && spool.state === 'growing' && spool.end <= last) {
      await spool.changed(signal)
      // The piece is noted by one that is woken with us.
      await Promise.resolve()
      end = this.#partEnd(request.path, first, last)
    }
    if (end === undefined || spool.state !== 'growing') return request
    const text = `bytes=${first}-${end - 1}`
    return changedRequest(request, { header: (name) => (name === 'range' ? text : request.header(name)) })
  }

  #form(path: string): Form | undefined {
    for (const forms of this.#parts.values()) {
      const form = forms.get(path)
      if (form) return form
    }
    return undefined
  }

  /** Where the parts end that are whole, behind `first`; undefined when there are none. Only for ranges without an end. */
  #partEnd(path: string, first: number, last: number): number | undefined {
    if (last < Number.MAX_SAFE_INTEGER) return undefined
    const end = this.#tracks.get(path)?.pieces.at(-1)?.end ?? 0
    return end > first ? end : undefined
  }
}
