import type { Json } from '../base/json.ts'

/** Something that happened: what `GET /events` pushes. */
export interface Event {
  /** Counts up from 1. */
  readonly id: number
  /** `job`, `transfer`, `log`, `vfs`, `live` */
  readonly type: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly data: Json
}

/** What happens in an app, for whoever wants to know: the last events are kept for those who come back. */
export class Events {
  readonly #kept: Event[] = []
  readonly #most: number
  readonly #listeners = new Set<() => void>()
  readonly #now: () => number
  #next = 1

  constructor(most = 1000, now: () => number = Date.now) {
    this.#most = most
    this.#now = now
  }

  /** Whether somebody may ever want to know: without that nothing is kept. */
  enabled = false

  publish(type: string, data: { readonly [key: string]: Json }): void {
    if (!this.enabled) return
    const event = { id: this.#next++, type, time: this.#now(), data }
    this.#kept.push(event)
    if (this.#kept.length > this.#most) this.#kept.shift()
    for (const listener of this.#listeners) listener()
  }

  /** The kept events that came after `id`, in order. */
  since(id: number): readonly Event[] {
    const first = this.#kept[0]
    return first ? this.#kept.slice(Math.max(0, id + 1 - first.id)) : []
  }

  /** The number of the last event, 0 before the first one. */
  get last(): number {
    return this.#next - 1
  }

  /** Resolves with true when there is an event after `id`, with false after `ms` or when the signal aborts. */
  async next(id: number, signal: AbortSignal, ms: number): Promise<boolean> {
    if (this.last > id) return true
    if (signal.aborted) return false
    return await new Promise<boolean>((resolve) => {
      const settle = (news: boolean) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', leave)
        this.#listeners.delete(wake)
        resolve(news)
      }
      const wake = () => settle(true)
      const leave = () => settle(false)
      const timer = setTimeout(leave, ms)
      signal.addEventListener('abort', leave, { once: true })
      this.#listeners.add(wake)
    })
  }
}
