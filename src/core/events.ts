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
  readonly #listeners = new Set<(event: Event) => void>()
  readonly #now: () => number
  #next = 1

  constructor(most = 1000, now: () => number = Date.now) {
    this.#most = most
    this.#now = now
  }

  publish(type: string, data: Json): void {
    const event = { id: this.#next++, type, time: this.#now(), data }
    this.#kept.push(event)
    if (this.#kept.length > this.#most) this.#kept.shift()
    for (const listener of this.#listeners) listener(event)
  }

  /** The kept events that came after `id`. */
  since(id: number): readonly Event[] {
    return this.#kept.filter((event) => event.id > id)
  }

  /** The number of the last event, 0 before the first one. */
  get last(): number {
    return this.#next - 1
  }

  /** Calls `listener` for each event from now on; gives the way to stop. */
  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
