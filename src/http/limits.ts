import { Chain } from '../base/chain.ts'
import type { Connection } from './connection.ts'
import { textResponse } from './error.ts'
import type { HttpResponse } from './message.ts'

export interface LimitSettings {
  /** Most connections at a time; 0 = no limit. */
  readonly maxConnections: number
  /** Most busy connections of one client at a time; 0 = no limit. */
  readonly maxPerClient: number
}

/** How many connections over the limit are taken on to be told so; what comes on top is closed without a word. */
const TOLD = 64

/** The answer when a limit of connections is reached. */
export function overLimit(): HttpResponse {
  return textResponse(503, 'Too many connections, try again later', ['retry-after', '1'])
}

/** Holds connections to the limits. Connections over a limit are answered with 503 and closed. */
export class Limits {
  readonly #settings: LimitSettings
  readonly #all = new Chain<Connection>()
  readonly #byClient = new Map<string, Set<Connection>>()
  #over = 0

  constructor(settings: LimitSettings) {
    this.#settings = settings
  }

  /** The connections that are open. */
  get connections(): Iterable<Connection> & { readonly size: number } {
    return this.#all
  }

  /** Takes a connection on. False when it must be closed at once. */
  open(connection: Connection): boolean {
    const { maxConnections, maxPerClient } = this.#settings
    if (maxConnections > 0 && this.#all.size - this.#over >= maxConnections) {
      if (this.#over >= TOLD) return false
      connection.over = true
      this.#over++
    }
    this.#all.add(connection)
    if (maxPerClient > 0 && connection.key !== '') {
      const mine = this.#byClient.get(connection.key)
      if (mine) mine.add(connection)
      else this.#byClient.set(connection.key, new Set([connection]))
    }
    return true
  }

  close(connection: Connection): void {
    if (!this.#all.remove(connection)) return
    if (connection.over) this.#over--
    if (this.#byClient.size === 0) return
    const mine = this.#byClient.get(connection.key)
    if (mine?.delete(connection) && mine.size === 0) this.#byClient.delete(connection.key)
  }

  /**
   * True when a request on this connection may not be served. Idle connections do not count against their client, so that a
   * browser may keep its spare ones.
   */
  exceeded(connection: Connection): boolean {
    if (connection.over) return true
    const { maxPerClient } = this.#settings
    const mine = maxPerClient > 0 ? this.#byClient.get(connection.key) : undefined
    if (mine === undefined || mine.size <= maxPerClient) return false
    let busy = 0
    for (const other of mine) if (other !== connection && other.busy) busy++
    return busy >= maxPerClient
  }
}
