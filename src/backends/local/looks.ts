import { Worker } from 'node:worker_threads'
import type { DiskStats } from './entry.ts'
import { type LookAnswer, type LookRequest, rowOf } from './look-row.ts'

/** So many names looked at within a second are a walk for which a thread pays: to begin it costs what 10,000 looks cost. */
const MANY = 8000
/** How long the thread stays without work, ms. */
const IDLE_MS = 3000
/** Its garbage needs little room: a young heap of the usual size would be most of what it costs. */
const limits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }

/** Looks at the names in open directories, in a thread of its own while there are many, so that nobody else waits for it. */
export class Looks {
  readonly #clock: () => number
  #worker: Worker | undefined
  #ready = false
  #failed = false
  #last = 0
  readonly #waiting = new Map<number, (answer: LookAnswer | undefined) => void>()
  #second = 0
  #seen = 0
  #timer: NodeJS.Timeout | undefined

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
  }

  /** True when `look` is the way to go. */
  get ready(): boolean {
    return this.#ready
  }

  /** Notes that names were looked at without it: of many at once the thread is begun. */
  count(names: number): void {
    if (this.#worker || this.#failed) return
    const second = Math.floor(this.#clock() / 1000)
    if (second !== this.#second) this.#seen = 0
    this.#second = second
    this.#seen += names
    if (this.#seen >= MANY) this.#begin()
  }

  /**
   * What each name in the directory is, undefined where that could not be told. `place` is the path of the directory, which has
   * to stay open meanwhile; names are their bytes as Latin-1 text. Undefined when the thread has ended: then look without it.
   */
  async look(place: string, names: readonly string[]): Promise<readonly (DiskStats | undefined)[] | undefined> {
    const worker = this.#worker
    if (!worker) return undefined
    const id = ++this.#last
    clearTimeout(this.#timer)
    this.#timer = undefined
    const answer = await new Promise<LookAnswer | undefined>((resolve) => {
      this.#waiting.set(id, resolve)
      worker.ref()
      worker.postMessage({ id, place, names: names.join('/') } satisfies LookRequest, [])
    })
    return answer && names.map((_, index) => rowOf(answer.rows, index))
  }

  #begin(): void {
    // The sources run as they are; the built program has its files beside each other.
    const file = import.meta.url.endsWith('.ts') ? './look-thread.ts' : './look-thread.js'
    try {
      const worker = new Worker(new URL(file, import.meta.url), { execArgv: [], env: {}, resourceLimits: limits })
      worker.once('online', () => {
        this.#ready = this.#worker === worker
        this.#rest()
      })
      worker.on('message', (answer: LookAnswer) => this.#answered(answer))
      worker.once('error', () => this.#fail())
      worker.once('exit', () => {
        if (this.#worker === worker) this.#fail()
      })
      // After its listeners: one for messages has the program wait for them.
      worker.unref()
      this.#worker = worker
    } catch {
      this.#failed = true
    }
  }

  #answered(answer: LookAnswer): void {
    const resolve = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    resolve?.(answer)
    if (this.#waiting.size === 0) {
      this.#worker?.unref()
      this.#rest()
    }
  }

  #rest(): void {
    this.#timer ??= setTimeout(() => this.#end(), IDLE_MS).unref()
    this.#timer.refresh()
  }

  /** It can't be had: nobody tries again. */
  #fail(): void {
    this.#failed = true
    this.#end()
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#ready = false
    this.#seen = 0
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
    for (const resolve of this.#waiting.values()) resolve(undefined)
    this.#waiting.clear()
  }
}
