import { setTimeout as sleep } from 'node:timers/promises'
import { Bucket } from '../base/bucket.ts'
import { limitAt, type Timetable } from './timetable.ts'

/** Rates in bytes per second; -1 = unlimited. */
export interface Rates {
  readonly tx: number
  readonly rx: number
}

/** Leave for one transfer to send: await `take` with each count of bytes before they go on, at most `chunk` at a time. */
export interface Pass {
  /** Bytes; it changes with the limit. */
  readonly chunk: number
  take(bytes: number): Promise<void> | void
}

/** `--bwlimit`: one limit over all transfers of an app, by the time of day, and `--bwlimit-file` for each. */
export class Bandwidth {
  readonly #tx = new Bucket(0)
  readonly #rx = new Bucket(0)
  #timetable: Timetable
  #perFile: Timetable
  #suspended = false
  #timer: NodeJS.Timeout | undefined
  readonly #now: () => Date
  readonly #changed: (rates: Rates) => void

  constructor(
    timetable: Timetable,
    perFile: Timetable,
    now = () => new Date(),
    changed: (rates: Rates) => void = () => {},
  ) {
    this.#timetable = timetable
    this.#perFile = perFile
    this.#now = now
    this.#changed = changed
    this.#apply()
    if (timetable.length > 1) {
      this.#timer = setInterval(() => this.#apply(), 60_000)
      this.#timer.unref()
    }
  }

  get unlimited(): boolean {
    return this.#tx.rate <= 0 && this.#rx.rate <= 0 && this.#perFile.length === 0
  }

  get rates(): Rates {
    return { tx: this.#tx.rate > 0 ? this.#tx.rate : -1, rx: this.#rx.rate > 0 ? this.#rx.rate : -1 }
  }

  /** Replaces the timetable (`core/bwlimit`). */
  set(timetable: Timetable): void {
    this.#timetable = timetable
    this.#suspended = false
    this.#apply()
  }

  /** Replaces the timetable of each file, for those that are begun later. */
  setPerFile(timetable: Timetable): void {
    this.#perFile = timetable
  }

  /** Turns the limit off, and on again (SIGUSR2). Gives true when it is on now. */
  toggle(): boolean {
    this.#suspended = !this.#suspended
    this.#apply()
    return !this.#suspended
  }

  /** A pass for one transfer. Waiting ends when the signal aborts; it is asked for only when there is something to wait for. */
  pass(direction: 'tx' | 'rx', signal: () => AbortSignal): Pass {
    const shared = direction === 'tx' ? this.#tx : this.#rx
    return new TransferPass(shared, new Bucket(limitAt(this.#perFile, this.#now())[direction]), signal)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #apply(): void {
    const { tx, rx } = this.#suspended ? { tx: -1, rx: -1 } : limitAt(this.#timetable, this.#now())
    if (tx === this.#tx.rate && rx === this.#rx.rate) return
    this.#tx.rate = tx
    this.#rx.rate = rx
    this.#changed(this.rates)
  }
}

/** A class: V8 makes a shape of its own for each object literal with a getter, and keeps what it refers to till the next full collection. */
class TransferPass implements Pass {
  readonly #shared: Bucket
  readonly #own: Bucket
  readonly #signal: () => AbortSignal

  constructor(shared: Bucket, own: Bucket, signal: () => AbortSignal) {
    this.#shared = shared
    this.#own = own
    this.#signal = signal
  }

  get chunk(): number {
    return Math.min(this.#shared.chunk, this.#own.chunk)
  }

  take(bytes: number): Promise<void> | undefined {
    const ms = Math.max(this.#shared.book(bytes), this.#own.book(bytes))
    return ms >= 1 ? sleep(ms, undefined, { signal: this.#signal() }) : undefined
  }
}
