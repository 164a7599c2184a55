import { orAbort } from '../../base/abort.ts'
import { AppError } from '../../base/error.ts'
import type { Session } from './session.ts'
import type { Transport } from './transport.ts'

/** A connection with its session of SFTP. */
export interface Connection {
  readonly session: Session
  readonly transport: Transport
}

export interface PoolSettings {
  /** Connects; `ended` is called when the connection is over. */
  readonly connect: (ended: () => void) => Promise<Connection>
  /** Connections at once. */
  readonly most: number
  /** Time after which a connection that nobody uses is closed, in ms; 0 keeps it. */
  readonly idle: number
}

/** A connection that is used; give it back. */
export interface Lease extends Connection {
  readonly release: () => void
}

/** So many calls share a connection before there is another. */
const SHARED = 4

interface Slot {
  readonly connection: Promise<Connection>
  users: number
  idle: NodeJS.Timeout | undefined
}

/** Connections to one server. Each can be used by several at once; one that was lost is replaced when somebody needs it. */
export class Pool {
  readonly #settings: PoolSettings
  readonly #slots = new Set<Slot>()
  #closed = false

  constructor(settings: PoolSettings) {
    this.#settings = settings
  }

  /** A connection, the one that is used least. Throws `aborted` when the signal aborts before it is there. */
  async lease(signal: AbortSignal): Promise<Lease> {
    const slot = this.#slot()
    slot.users++
    clearTimeout(slot.idle)
    let released = false
    const release = () => {
      if (!released) this.#release(slot)
      released = true
    }
    try {
      const connection = await orAbort(signal, slot.connection)
      return { ...connection, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Does some work with a connection. */
  async use<T>(signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T> {
    const lease = await this.lease(signal)
    try {
      return await orAbort(signal, work(lease))
    } finally {
      lease.release()
    }
  }

  /** Closes all connections; what uses them fails. */
  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#slots]
    this.#slots.clear()
    for (const slot of all) await end(slot)
  }

  #slot(): Slot {
    if (this.#closed) throw new AppError('aborted', 'the remote is closed')
    const [best] = [...this.#slots].toSorted((a, b) => a.users - b.users)
    if (best && (best.users < SHARED || this.#slots.size >= this.#settings.most)) return best
    const slot: Slot = { connection: this.#settings.connect(() => this.#slots.delete(slot)), users: 0, idle: undefined }
    this.#slots.add(slot)
    slot.connection.catch(() => this.#slots.delete(slot))
    return slot
  }

  #release(slot: Slot): void {
    slot.users--
    if (slot.users > 0 || this.#settings.idle <= 0) return
    slot.idle = setTimeout(
      () => {
        this.#slots.delete(slot)
        void end(slot)
      },
      Math.min(this.#settings.idle, 2 ** 31 - 1),
    ).unref()
  }
}

async function end({ connection, idle }: Slot): Promise<void> {
  clearTimeout(idle)
  await connection.then(
    ({ session }) => session.fail(new AppError('aborted', 'the remote is closed')),
    () => {},
  )
}
