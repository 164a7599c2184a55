import { AppError } from '../base/error.ts'
import { throwIfAborted } from '../base/abort.ts'
import { Wake } from '../base/wake.ts'
import { type Directives, judge } from './directives.ts'
import { listText, type ListText } from './list-text.ts'
import type { MediaPlaylist } from './playlist.ts'
import { dateRanges, deltaText, wholeText } from './playlist-text.ts'

/** A playlist that its publisher replaces again and again, and those who wait for the next version of it. */
export class LivePlaylist {
  /** Made here; what a publisher uploads under its name takes its place. */
  readonly made: boolean
  #playlist: MediaPlaylist
  /** When this version came, ms since 1970. */
  #modified: number
  #texts = new Map<string, ListText>()
  #removedRanges: { readonly id: string; readonly at: number }[] = []
  #gone = false
  readonly #changes = new Wake()
  readonly #now: () => number

  constructor(playlist: MediaPlaylist, { made, now = Date.now }: { made: boolean; now?: () => number }) {
    this.#playlist = playlist
    this.made = made
    this.#now = now
    this.#modified = now()
  }

  get playlist(): MediaPlaylist {
    return this.#playlist
  }

  get modified(): number {
    return this.#modified
  }

  /** How many wait for the next version. */
  get waiting(): number {
    return this.#changes.waiting
  }

  /** The next version: all who wait for it are let go in one pass. */
  update(playlist: MediaPlaylist): void {
    const listed = new Set(dateRanges(playlist))
    const now = this.#now()
    const since = now - 6000 * playlist.targetDuration
    this.#removedRanges = [
      ...this.#removedRanges.filter(({ id, at }) => at >= since && !listed.has(id)),
      ...dateRanges(this.#playlist).flatMap((id) => (listed.has(id) ? [] : [{ id, at: now }])),
    ]
    this.#playlist = playlist
    this.#modified = now
    this.#texts = new Map()
    this.#changes.notify()
  }

  /** It is not there any more. */
  remove(): void {
    this.#gone = true
    this.#changes.notify()
  }

  /**
   * Resolves when the playlist has what is asked for, at once when it has ended. Throws `invalid` for what is too far ahead,
   * `busy` after three target durations, `not-found` when the playlist is removed, `aborted` with the signal.
   */
  async reach(directives: Directives, signal: AbortSignal): Promise<void> {
    const until = performance.now() + 3000 * this.#playlist.targetDuration
    for (;;) {
      if (this.#gone) throw new AppError('not-found', 'the playlist is not there any more')
      const verdict = judge(this.#playlist, directives)
      if (verdict === 'ready') return
      if (verdict === 'bad') throw new AppError('invalid', 'that is too far ahead of the end of the playlist')
      throwIfAborted(signal)
      const left = until - performance.now()
      if (left <= 0 || !(await this.#changes.next(signal, left)))
        throw new AppError('busy', 'the playlist has not come so far in time')
    }
  }

  /** The playlist as it is now; made once for all who ask. */
  text(skip?: 'YES' | 'v2'): ListText {
    const known = this.#texts.get(skip ?? '')
    if (known) return known
    const removed = this.#removedRanges.map(({ id }) => id)
    const text = (skip && deltaText(this.#playlist, skip, removed)) ?? wholeText(this.#playlist)
    const made = listText(text)
    this.#texts.set(skip ?? '', made)
    return made
  }
}
