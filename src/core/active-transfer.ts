import type { Body } from '../base/body.ts'
import { FileSlice } from '../base/body.ts'
import type { Link } from '../base/chain.ts'
import type { Pass } from './bandwidth.ts'
import type { GroupHost } from './group-host.ts'
import type { Transfer, TransferEnds } from './stats.ts'

/** Weight of the past in the moving average of the speed, per second: about 15 s of memory, as rclone has. */
const SMOOTHING = 15

/** What a transfer belongs to. */
export interface TransferGroup {
  /** All bytes that its transfers have moved. */
  bytes: number
  /** What a transfer waits for before it goes on; undefined when nothing is in its way. Throws when the signal aborts. */
  running(signal: () => AbortSignal): Promise<void> | undefined
  /** The transfer has ended. */
  finish(transfer: ActiveTransfer, error: Error | undefined): void
}

interface TransferParts {
  readonly name: string
  readonly size: number
  readonly checked: boolean
  readonly now: () => number
  readonly ends: TransferEnds | undefined
}

/** A transfer on its way: counts, slows down, and knows its speed. */
export class ActiveTransfer implements Transfer, Link<ActiveTransfer> {
  next: ActiveTransfer | undefined
  previous: ActiveTransfer | undefined
  readonly name: string
  readonly size: number
  readonly checked: boolean
  readonly ends: TransferEnds | undefined
  readonly startedAt: number
  bytes = 0
  readonly #group: TransferGroup
  readonly #host: GroupHost
  readonly #now: () => number
  #average = 0
  #measuredAt: number
  #measuredBytes = 0

  constructor(group: TransferGroup, host: GroupHost, parts: TransferParts) {
    this.#group = group
    this.#host = host
    this.name = parts.name
    this.size = parts.size
    this.checked = parts.checked
    this.ends = parts.ends
    this.#now = parts.now
    this.startedAt = this.#measuredAt = parts.now()
  }

  /** Bytes per second since the start. */
  get speed(): number {
    const seconds = (this.#now() - this.startedAt) / 1000
    return seconds > 0 ? this.bytes / seconds : 0
  }

  /** Bytes per second, a moving average. */
  get speedAvg(): number {
    this.#measure()
    return this.#average || this.speed
  }

  account(body: Body, signal = this.#endOfApp): Body {
    const pass = this.#host.bandwidth?.pass('tx', signal)
    if (!(body instanceof FileSlice)) return this.#counted(body, pass, signal)
    if (!pass)
      return body.observe((bytes) => {
        this.#add(bytes)
        return this.#group.running(signal)
      })
    body.chunk = pass.chunk
    return body.observe((bytes) => {
      this.#add(bytes)
      body.chunk = pass.chunk // the limit may have changed
      const paused = this.#group.running(signal)
      return paused ? paused.then(() => pass.take(bytes)) : pass.take(bytes)
    })
  }

  done(error?: Error): void {
    this.#group.finish(this, error)
  }

  readonly #endOfApp = (): AbortSignal => this.#host.signal ?? new AbortController().signal

  async *#counted(body: Body, pass: Pass | undefined, signal: () => AbortSignal) {
    for await (const chunk of body) {
      const paused = this.#group.running(signal)
      if (paused) await paused
      for (let at = 0, size = 0; at < chunk.length; at += size) {
        size = Math.min(chunk.length - at, pass?.chunk ?? Infinity)
        await pass?.take(size)
        this.#add(size)
        yield chunk.subarray(at, at + size)
      }
    }
  }

  #add(bytes: number): void {
    this.bytes += bytes
    this.#group.bytes += bytes
  }

  #measure(): void {
    const now = this.#now()
    const seconds = (now - this.#measuredAt) / 1000
    if (seconds < 1) return
    const recent = (this.bytes - this.#measuredBytes) / seconds
    const weight = Math.min(1, seconds / SMOOTHING)
    this.#average = this.#average === 0 ? recent : this.#average * (1 - weight) + recent * weight
    this.#measuredAt = now
    this.#measuredBytes = this.bytes
  }
}
