import type { Json } from '../base/json.ts'
import { Group, sumOf } from './group.ts'
import type { GroupHost } from './group-host.ts'

/** The stats groups of one app, by name. The oldest is forgotten beyond `max` (rc.md section 3.1). */
export class Groups {
  readonly #groups = new Map<string, Group>()
  readonly #host: GroupHost
  readonly #max: number
  readonly #startedAt: number

  constructor(host: GroupHost = {}, max = 1000) {
    this.#host = host
    this.#max = max
    this.#startedAt = (host.now ?? Date.now)()
  }

  /** The group of that name, made when it is new. */
  get(name: string): Group {
    let group = this.#groups.get(name)
    if (!group) {
      group = new Group(name, this.#host)
      this.#groups.set(name, group)
      if (this.#groups.size > this.#max) this.#forgetOldest()
    }
    return group
  }

  has(name: string): boolean {
    return this.#groups.has(name)
  }

  delete(name: string): void {
    this.#groups.delete(name)
    this.#host.outcomes?.forget(name)
  }

  #forgetOldest(): void {
    for (const name of this.#groups.keys()) return this.delete(name)
  }

  get names(): string[] {
    return [...this.#groups.keys()]
  }

  /** `core/transferred` of a group, or of all, the oldest first. */
  transferred(name?: string): Json[] {
    if (name !== undefined) return this.get(name).transferred()
    const all = [...this.#groups.values()].flatMap((group) => group.transferred() as { completed_at: string }[])
    return all.toSorted((a, b) => (a.completed_at < b.completed_at ? -1 : a.completed_at > b.completed_at ? 1 : 0))
  }

  /** `core/stats` without a group: the sum over all, from the start of the app. */
  snapshot(): Json {
    return sumOf([...this.#groups.values()], this.#startedAt, this.#host)
  }
}
