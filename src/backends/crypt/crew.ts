import { availableParallelism } from 'node:os'
import { ordered } from '../../base/ordered.ts'
import { secretBox, type SecretBox } from './box.ts'
import { type Done, type Run, work } from './run.ts'
import { Thread } from './thread.ts'

/** Bytes of one file after which threads pay. */
const MUCH = 8 * 1024 * 1024
/** The most threads: with more of them the storage is what takes longest. */
const MOST = 4
/** How long threads stay without work, ms. */
const IDLE_MS = 3000

/** Seals and opens what is under one key: here where it is little, spread over threads where it is much. */
export class Crew {
  readonly #key: Uint8Array
  readonly #box: SecretBox
  readonly #most: number
  #threads: readonly Thread[] = []
  #timer: NodeJS.Timeout | undefined

  private constructor(key: Uint8Array, box: SecretBox, most: number) {
    this.#key = key
    this.#box = box
    this.#most = most
  }

  /** Under a key of 32 bytes, with so many threads at most; one processor is left to who reads and writes. */
  static async open(key: Uint8Array, most = Math.min(MOST, availableParallelism() - 1)): Promise<Crew> {
    return new Crew(key, await secretBox(key), most)
  }

  /** How many threads there are now. */
  get threads(): number {
    return this.#threads.length
  }

  /** How many of them take work. */
  get ready(): number {
    return this.#threads.filter((thread) => thread.ready).length
  }

  /** Does the runs of one file and gives them in their order; at most one more than there are threads is under way. */
  work(runs: AsyncIterable<Run>): AsyncGenerator<Done> {
    let bytes = 0
    const much = () => bytes >= MUCH
    return ordered(
      runs,
      () => (much() ? this.ready + 1 : 1),
      async (run) => {
        bytes += run.bytes.length
        const thread = much() ? this.#freest() : undefined
        return thread ? await thread.work(run) : work(this.#box, run)
      },
    )
  }

  /** The thread with the least work, if one is ready: until then we do it here. */
  #freest(): Thread | undefined {
    if (this.#threads.length === 0) this.#threads = Array.from({ length: this.#most }, () => new Thread(this.#key))
    if (this.#threads.some((thread) => thread.failed)) return undefined
    this.#timer ??= setTimeout(() => this.#rest(), IDLE_MS).unref()
    this.#timer.refresh()
    return this.#threads.filter((thread) => thread.ready).toSorted((a, b) => a.waiting - b.waiting)[0]
  }

  /** Ends the threads when there was no work for a while. Where one could not be had, nobody tries again. */
  #rest(): void {
    if (this.#threads.some((thread) => thread.waiting > 0)) return void this.#timer?.refresh()
    for (const thread of this.#threads) thread.end()
    if (!this.#threads.some((thread) => thread.failed)) this.#threads = []
  }
}
