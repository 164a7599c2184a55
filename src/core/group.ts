import { orAbort } from '../base/abort.ts'
import { Chain } from '../base/chain.ts'
import { toAppError } from '../base/error.ts'
import { type Json, ordered } from '../base/json.ts'
import { ActiveTransfer, type TransferGroup } from './active-transfer.ts'
import type { GroupHost } from './group-host.ts'
import type { Outcome } from './outcomes.ts'
import type { Countable, StatsGroup, Transfer, TransferEnds } from './stats.ts'

/** How many finished transfers a group remembers for `core/transferred`. */
const REMEMBERED = 100

interface Finished {
  readonly name: string
  readonly ends: TransferEnds | undefined
  readonly size: number
  readonly bytes: number
  readonly checked: boolean
  readonly error: string
  readonly startedAt: number
  readonly completedAt: number
}

/** The counters of one job or one server. */
export class Group implements StatsGroup, TransferGroup {
  readonly name: string
  readonly #host: GroupHost
  readonly #now: () => number
  readonly active = new Chain<ActiveTransfer>()
  /** What is going to be transferred. */
  readonly waiting = { files: 0, bytes: 0 }
  #finished: Finished[] = []
  #paused: PromiseWithResolvers<void> | undefined
  counters!: Record<Countable, number>
  bytes = 0
  transfers = 0
  errors = 0
  lastError: Error | undefined
  retryError = false
  fatalError = false
  startedAt: number

  constructor(name: string, host: GroupHost) {
    this.name = name
    this.#host = host
    this.#now = host.now ?? Date.now
    this.startedAt = this.#now()
    this.reset()
  }

  get unlimited(): boolean {
    return !this.#paused && (this.#host.bandwidth?.unlimited ?? true)
  }

  get paused(): boolean {
    return this.#paused !== undefined
  }

  /** Lets no transfer of this group move another byte before `resume`. */
  pause(): void {
    this.#paused ??= Promise.withResolvers<void>()
  }

  resume(): void {
    this.#paused?.resolve()
    this.#paused = undefined
  }

  /** Resolves when the group is not paused any more, throws when the signal aborts before; undefined when it isn't paused now. */
  running(signal: () => AbortSignal): Promise<void> | undefined {
    return this.#paused && orAbort(signal(), this.#paused.promise)
  }

  sent(bytes: number): void {
    this.bytes += bytes
    this.transfers++
  }

  queued(bytes: number): () => void {
    const size = Math.max(0, bytes)
    this.waiting.files++
    this.waiting.bytes += size
    return () => {
      this.waiting.files--
      this.waiting.bytes -= size
    }
  }

  passed(bytes: number): void {
    this.bytes += bytes
  }

  whole(name: string, bytes: number): void {
    const now = this.#now()
    if (this.#host.events?.enabled) {
      const transfer = { name, size: bytes, bytes, checked: false }
      this.#publish(transfer, { state: 'started' })
      this.#publish(transfer, { state: 'finished' })
    }
    this.bytes += bytes
    this.transfers++
    this.#remember({
      name,
      ends: undefined,
      size: bytes,
      bytes,
      checked: false,
      error: '',
      startedAt: now,
      completedAt: now,
    })
  }

  transfer(name: string, size: number, kind: 'transfer' | 'check' = 'transfer', ends?: TransferEnds): Transfer {
    const parts = { name, size, checked: kind === 'check', now: this.#now, ends }
    const transfer = new ActiveTransfer(this, this.#host, parts)
    this.active.add(transfer)
    if (this.#host.events?.enabled) this.#publish(transfer, { state: 'started' })
    return transfer
  }

  count(what: Countable, n = 1): void {
    this.counters[what] += n
  }

  error(reason: Error): void {
    this.errors++
    this.lastError = reason
    const { stop } = toAppError(reason)
    if (stop === undefined) this.retryError = true
    else if (stop !== 'no-retry') this.fatalError = true
  }

  tell(outcome: Outcome): void {
    this.#host.outcomes?.add(this.name, outcome)
  }

  resetErrors(): void {
    this.errors = 0
    this.lastError = undefined
    this.retryError = false
    this.fatalError = false
  }

  /** Moves a transfer from the active to the finished ones. */
  finish(transfer: ActiveTransfer, error: Error | undefined): void {
    if (!this.active.remove(transfer)) return
    if (this.#host.events?.enabled)
      this.#publish(transfer, error ? { state: 'failed', error: error.message } : { state: 'finished' })
    if (error) this.error(error)
    else if (transfer.checked) this.counters.checks++
    else this.transfers++
    this.#remember({
      name: transfer.name,
      ends: transfer.ends,
      size: transfer.size,
      bytes: transfer.bytes,
      checked: transfer.checked,
      error: error?.message ?? '',
      startedAt: transfer.startedAt,
      completedAt: this.#now(),
    })
  }

  #remember(finished: Finished): void {
    this.#finished.push(finished)
    // Not each time: an array is moved for it.
    if (this.#finished.length > 2 * REMEMBERED) this.#finished = this.#finished.slice(-REMEMBERED)
  }

  #publish(
    { name, size, bytes, checked }: Pick<ActiveTransfer, 'name' | 'size' | 'bytes' | 'checked'>,
    more: { [key: string]: Json },
  ): void {
    const what = checked ? 'checking' : 'transferring'
    this.#host.events?.publish('transfer', { group: this.name, name, size, bytes, what, ...more })
  }

  snapshot(): Json {
    return sumOf([this], this.startedAt, this.#host)
  }

  transferred(): Json[] {
    return this.#finished.slice(-REMEMBERED).map((f) =>
      ordered({
        error: f.error,
        name: f.name,
        size: f.size,
        bytes: f.bytes,
        checked: f.checked,
        what: f.checked ? 'checking' : 'transferring',
        started_at: new Date(f.startedAt).toISOString(),
        completed_at: new Date(f.completedAt).toISOString(),
        group: this.name,
        ...f.ends,
      }),
    )
  }

  reset(): void {
    this.counters = {
      checks: 0,
      deletes: 0,
      deletedDirs: 0,
      renames: 0,
      listed: 0,
      serverSideCopies: 0,
      serverSideCopyBytes: 0,
      serverSideMoves: 0,
      serverSideMoveBytes: 0,
    }
    this.bytes = 0
    this.transfers = 0
    this.resetErrors()
    this.#finished = []
    this.#host.outcomes?.forget(this.name)
    this.startedAt = this.#now()
  }
}

/** The `core/stats` JSON over several groups. */
export function sumOf(groups: readonly Group[], startedAt: number, host: GroupHost): { [key: string]: Json } {
  const active = groups.flatMap((g) => [...g.active].map((t) => ({ group: g.name, t })))
  const sum = (pick: (group: Group) => number) => groups.reduce((total, group) => total + pick(group), 0)
  const seconds = ((host.now ?? Date.now)() - startedAt) / 1000
  const bytes = sum((g) => g.bytes)
  const queued = sum((g) => g.waiting.files)
  const toCome = active.reduce((n, { t }) => n + Math.max(0, t.size - t.bytes), 0) + sum((g) => g.waiting.bytes)
  const speed = seconds > 0 ? bytes / seconds : 0
  const last = groups.findLast((g) => g.lastError)?.lastError
  const moving = active.filter(({ t }) => !t.checked)
  const checking = active.filter(({ t }) => t.checked).map(({ t }) => t.name)
  const counters = groups[0] ? (Object.keys(groups[0].counters) as Countable[]) : []
  return {
    bytes,
    ...Object.fromEntries(counters.map((key) => [key, sum((g) => g.counters[key])])),
    checks: sum((g) => g.counters.checks),
    elapsedTime: seconds,
    errors: sum((g) => g.errors),
    eta: speed > 0 && moving.length + queued > 0 ? Math.round(toCome / speed) : null,
    fatalError: groups.some((g) => g.fatalError),
    retryError: groups.some((g) => g.retryError),
    speed,
    totalBytes: bytes + toCome,
    totalChecks: sum((g) => g.counters.checks) + checking.length,
    totalTransfers: sum((g) => g.transfers) + moving.length + queued,
    transferTime: seconds,
    transfers: sum((g) => g.transfers),
    ...(last ? { lastError: last.message } : {}),
    ...(checking.length > 0 ? { checking } : {}),
    ...(moving.length > 0 ? { transferring: moving.map(({ group, t }) => transferring(group, t)) } : {}),
  }
}

function transferring(group: string, t: ActiveTransfer): Json {
  const { speed, speedAvg } = t
  return {
    bytes: t.bytes,
    eta: t.size >= 0 && speedAvg > 0 ? Math.round((t.size - t.bytes) / speedAvg) : null,
    group,
    name: t.name,
    percentage: t.size > 0 ? Math.floor((t.bytes / t.size) * 100) : 0,
    size: t.size,
    speed,
    speedAvg,
    ...t.ends,
  }
}
