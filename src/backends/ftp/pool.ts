import { orAbort } from '../../base/abort.ts'
import { AppError } from '../../base/error.ts'
import { Semaphore } from '../../base/semaphore.ts'
import type { Connection } from './connection.ts'

export interface PoolSettings {
  readonly connect: () => Promise<Connection>
  /** Connections at once; 0 is any number. */
  readonly most: number
  /** Time after which a connection that nobody uses is closed, in ms; 0 keeps it. */
  readonly idle: number
}

/** A connection for one alone: give it back, whatever state it is in. */
export interface Lease {
  readonly connection: Connection
  readonly release: () => void
}

/** Some work with a connection, which is closed when the work is stopped: nobody knows then what the server would answer. */
export async function guarded<T>(connection: Connection, signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await orAbort(signal, work)
  } catch (error) {
    if (signal.aborted) connection.close()
    throw error
  }
}

/** Connections to one server, each of which does one thing at a time. */
export class Pool {
  readonly #settings: PoolSettings
  readonly #turns: Semaphore
  /** Those that nobody uses, with the timers that close them; the last one was used last. */
  readonly #idle = new Map<Connection, NodeJS.Timeout | undefined>()
  readonly #used = new Set<Connection>()
  #closed = false

  constructor(settings: PoolSettings) {
    this.#settings = settings
    this.#turns = new Semaphore(settings.most > 0 ? settings.most : Infinity)
  }

  /** A connection that is free, or a new one. Throws `aborted` when the signal aborts before it is there. */
  async lease(signal: AbortSignal): Promise<Lease> {
    const done = await this.#turn(signal)
    try {
      const connection = this.#kept() ?? (await this.#connected(signal))
      this.#used.add(connection)
      return { connection, release: () => this.#release(connection, done) }
    } catch (error) {
      done()
      throw error
    }
  }

  /** Does some work with a connection. One that is left in the middle of something is closed. */
  async use<T>(signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T> {
    const { connection, release } = await this.lease(signal)
    try {
      return await guarded(connection, signal, work(connection))
    } finally {
      release()
    }
  }

  /** Closes all connections; what uses them fails. */
  close(): void {
    this.#closed = true
    for (const [connection, timer] of this.#idle) {
      clearTimeout(timer)
      connection.close()
    }
    for (const connection of this.#used) connection.close()
    this.#idle.clear()
  }

  /** Waits for a turn; gives the way to end it. */
  async #turn(signal: AbortSignal): Promise<() => void> {
    return await new Promise((resolve, reject) => {
      this.#turns.run(signal, () => new Promise<void>((end) => resolve(end))).catch(reject)
    })
  }

  #kept(): Connection | undefined {
    for (const [connection, timer] of [...this.#idle].toReversed()) {
      clearTimeout(timer)
      this.#idle.delete(connection)
      if (!connection.closed) return connection
    }
    return undefined
  }

  async #connected(signal: AbortSignal): Promise<Connection> {
    if (this.#closed) throw new AppError('aborted', 'the remote is closed')
    const connecting = this.#settings.connect()
    try {
      return await orAbort(signal, connecting)
    } catch (error) {
      connecting.then((late) => late.close()).catch(() => {})
      throw error
    }
  }

  #release(connection: Connection, done: () => void): void {
    if (!this.#used.delete(connection)) return
    done()
    if (connection.closed || this.#closed) return
    const { idle } = this.#settings
    const close = () => {
      this.#idle.delete(connection)
      connection.close()
    }
    this.#idle.set(connection, idle > 0 ? setTimeout(close, Math.min(idle, 2 ** 31 - 1)).unref() : undefined)
  }
}
