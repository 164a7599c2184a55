import { type EventEmitter, once } from 'node:events'
import { AppError } from '../base/error.ts'

/** A wrapper and a terminal may both deliver one Ctrl-C: two within this time (ms) count as one. */
const SAME_SIGNAL_MS = 250

/** The signals that end a command. */
export type EndSignal = 'SIGINT' | 'SIGTERM'

/** The signals of the process, as a long-running command sees them. */
export class Signals {
  readonly #source: EventEmitter
  readonly #stop = new AbortController()
  readonly #kill = new AbortController()
  readonly #hangup = new Set<() => void>()
  readonly #toggle = new Set<() => void>()
  readonly #report = new Set<() => void>()
  readonly #now: () => number
  #received: EndSignal | undefined
  #firstAt = -Infinity
  #awaited = false
  /** An error that nobody handled has come up. */
  crashed = false
  readonly #handlers: readonly (readonly [string, () => void])[]

  constructor(source: EventEmitter, now: () => number = () => performance.now()) {
    this.#source = source
    this.#now = now
    this.#handlers = [
      ['SIGINT', () => this.#end('SIGINT')],
      ['SIGTERM', () => this.#end('SIGTERM')],
      ['SIGHUP', () => this.#hangup.forEach((call) => call())],
      // Also when nobody asks for reports: Node would open its debugger to every user of the machine.
      ['SIGUSR1', () => this.#report.forEach((call) => call())],
      ['SIGUSR2', () => this.#toggle.forEach((call) => call())],
    ]
    for (const [name, handler] of this.#handlers) source.on(name, handler)
  }

  /** Aborts at the first SIGINT or SIGTERM: finish what runs, then end. */
  get stop(): AbortSignal {
    this.#awaited = true
    return this.#stop.signal
  }

  /** What made `stop` abort. */
  get received(): EndSignal | undefined {
    return this.#received
  }

  /** Resolves when `stop` aborts. */
  async stopped(): Promise<void> {
    const { stop } = this
    if (!stop.aborted) await once(stop, 'abort')
  }

  /** Aborts at the second one: end now. */
  get kill(): AbortSignal {
    return this.#kill.signal
  }

  /** SIGHUP: forget caches, open files anew. */
  onHangup(call: () => void): void {
    this.#hangup.add(call)
  }

  /** SIGUSR1: say how it goes. */
  onReport(call: () => void): void {
    this.#report.add(call)
  }

  /** SIGUSR2: bandwidth limit off and on. */
  onToggle(call: () => void): void {
    this.#toggle.add(call)
  }

  /** Whether the command ends in order when it is told to. */
  get awaited(): boolean {
    return this.#awaited
  }

  /** As if SIGTERM had come. */
  end(): void {
    this.#end('SIGTERM')
  }

  close(): void {
    for (const [name, handler] of this.#handlers) this.#source.off(name, handler)
  }

  #end(name: EndSignal): void {
    const now = this.#now()
    if (!this.#stop.signal.aborted) {
      this.#firstAt = now
      this.#received = name
      this.#stop.abort(new AppError('aborted', 'interrupted'))
    } else if (now - this.#firstAt > SAME_SIGNAL_MS) this.#kill.abort()
  }
}
