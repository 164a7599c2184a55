import { Worker } from 'node:worker_threads'
import { AppError } from '../../base/error.ts'
import type { Done, Run } from './run.ts'

/** The bytes of runs lie outside of the heap. */
const limits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }

interface Waiting {
  readonly resolve: (done: Done) => void
  readonly reject: (error: AppError) => void
}

/** A thread that seals and opens runs under one key. The program does not wait for it unless it has work. */
export class Thread {
  readonly #worker: Worker
  /** What was given to it, in the order in which it answers. */
  readonly #waiting: Waiting[] = []
  #ready = false
  #failed = false

  constructor(key: Uint8Array) {
    // The sources run as they are; the built program has its files beside each other.
    const file = import.meta.url.endsWith('.ts') ? './crypt-thread.ts' : './crypt-thread.js'
    const options = { workerData: key, execArgv: [], env: {}, resourceLimits: limits }
    this.#worker = new Worker(new URL(file, import.meta.url), options)
    this.#worker.on('message', (message: Done | 'ready') => this.#heard(message))
    this.#worker.once('error', (cause) => this.#fail(cause))
    this.#worker.once('exit', () => this.#fail())
    // After its listeners: one for messages has the program wait for them.
    this.#worker.unref()
  }

  /** True when it takes work. */
  get ready(): boolean {
    return this.#ready && !this.#failed
  }

  get failed(): boolean {
    return this.#failed
  }

  /** How many runs it has not done yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes the bytes of the run away, and gives them back done. Throws `io` when the thread ends meanwhile. */
  work(run: Run): Promise<Done> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage(run, [run.bytes.buffer as ArrayBuffer])
    })
  }

  end(): void {
    void this.#worker.terminate()
  }

  #heard(message: Done | 'ready'): void {
    if (message === 'ready') this.#ready = true
    else this.#waiting.shift()?.resolve(message)
    if (this.#waiting.length === 0) this.#worker.unref()
  }

  #fail(cause?: unknown): void {
    this.#failed = true
    for (const { reject } of this.#waiting.splice(0))
      reject(new AppError('io', 'a thread that encrypts has ended', { cause }))
  }
}
