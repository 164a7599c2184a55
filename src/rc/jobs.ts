import { randomUUID } from 'node:crypto'
import { Chain, type Link } from '../base/chain.ts'
import { AppError, errorCode, toAppError } from '../base/error.ts'
import type { Events } from '../core/events.ts'
import type { Logger } from '../core/log.ts'
import type { Params } from '../schema/field.ts'

/** One run of a method. */
export interface Job {
  readonly id: number
  /** Its stats group: `job/7`, or what `_group` said. */
  readonly group: string
  readonly path: string
  /** The parameters of the call, secrets and all: not to be shown as they are. */
  readonly input: Params
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly finished: boolean
  readonly error: AppError | undefined
  /** What the method gave. */
  readonly output: object | undefined
  /** Aborts when the job is stopped, its caller has left, or the app ends. */
  readonly signal: AbortSignal
}

export interface JobsParts {
  readonly events: Events
  readonly log: Logger
  /** Aborts when the app ends. */
  readonly signal: AbortSignal
  /** For how long a finished job is remembered, and how often that is looked at, ms. */
  readonly expire: () => { readonly after: number; readonly every: number }
  /** Called when an asynchronous job has ended. */
  readonly ended?: (job: Job) => void
  readonly now?: () => number
}

export interface JobStart {
  readonly id: number
  readonly path: string
  readonly input: Params
  /** Its stats group; `job/<id>` when absent. */
  readonly group?: string | undefined
  /** Nobody waits for it: it is kept in the journal. */
  readonly detached: boolean
  /** Ends a job whose caller waits for it. */
  readonly signal?: (() => AbortSignal) | undefined
}

/** Finished jobs that are remembered at most: a client that polls makes many. */
const MOST = 10_000
/** Entries of lists in the outputs that are remembered of jobs whose callers have got them already. */
const MOST_ENTRIES = 50_000

/** The jobs of an app: what runs, and what has ended not long ago (rc.md section 2). */
export class Jobs {
  /** Tells the jobs of this process from those of another one. */
  readonly executeId = randomUUID()
  readonly #parts: JobsParts
  readonly #now: () => number
  readonly #running = new Chain<RunningJob>()
  readonly #finished = new Map<number, RunningJob>()
  /** Jobs with lists in their outputs, the oldest first, and the entries in all of them. */
  readonly #large = new Map<RunningJob, number>()
  #entries = 0
  #last = 0
  #idle: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: JobsParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
  }

  /** The id for the next job. */
  nextId(): number {
    return ++this.#last
  }

  /** Begins a job. `work` gives its output; `done` resolves when it has ended, and never rejects. */
  begin(start: JobStart, work: (job: Job) => Promise<object>): { readonly job: Job; readonly done: Promise<Job> } {
    const job = new RunningJob(start, this.#parts.signal, this.#now())
    this.#running.add(job)
    if (start.detached)
      this.#parts.events.publish('job', { id: job.id, path: job.path, group: job.group, state: 'started' })
    return { job, done: this.#run(job, start.detached, work) }
  }

  get(id: number): Job | undefined {
    return this.#finished.get(id) ?? this.#runningOf(id)
  }

  /** The job of that id. Throws as clients know it. */
  find(id: number): Job {
    const job = this.get(id)
    if (!job) throw new AppError('invalid', 'job not found')
    return job
  }

  /** Few run at once. */
  #runningOf(id: number): RunningJob | undefined {
    for (const job of this.#running) if (job.id === id) return job
    return undefined
  }

  get running(): readonly Job[] {
    return [...this.#running]
  }

  get finished(): readonly Job[] {
    return [...this.#finished.values()]
  }

  /** Ends a job; one that has ended already is left as it is. Throws when there is none of that id. */
  stop(id: number): void {
    this.find(id)
    this.#runningOf(id)?.stop()
  }

  /** Ends all jobs of a stats group. */
  stopGroup(group: string): void {
    for (const job of this.#running) if (job.group === group) job.stop()
  }

  /** Resolves when nothing runs any more: after the app was told to end. */
  async idle(): Promise<void> {
    clearInterval(this.#timer)
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
  }

  async #run(job: RunningJob, detached: boolean, work: (job: Job) => Promise<object>): Promise<Job> {
    try {
      const output = await work(job)
      job.end(this.#now(), undefined, output)
      if (!detached) this.#bound(job, output)
    } catch (reason) {
      job.end(this.#now(), this.#errorOf(job, reason), {})
    }
    this.#running.remove(job)
    if (this.#running.size === 0) this.#idle?.()
    this.#finished.set(job.id, job)
    if (this.#finished.size > MOST) this.#forgetOldest()
    this.#expireLater()
    if (detached) {
      const { id, path, group, error } = job
      this.#parts.events.publish('job', {
        id,
        path,
        group,
        state: error ? 'failed' : 'finished',
        ...(error ? { error: error.message } : {}),
      })
      this.#parts.ended?.(job)
    }
    return job
  }

  /** Forgets the outputs of calls of old when those of listings take too much memory. */
  #bound(job: RunningJob, output: object): void {
    let entries = 0
    for (const value of Object.values(output)) if (Array.isArray(value)) entries += value.length
    if (entries === 0) return
    this.#large.set(job, entries)
    this.#entries += entries
    for (const [oldest, count] of this.#large) {
      if (this.#entries <= MOST_ENTRIES || oldest === job) return
      oldest.output = {}
      this.#large.delete(oldest)
      this.#entries -= count
    }
  }

  #errorOf(job: Job, reason: unknown): AppError {
    if (isMistake(reason)) {
      const [message = '', ...lines] = (reason.stack ?? String(reason)).split('\n')
      this.#parts.log.error(`internal error in ${job.path}: ${message}`, { lines })
      return new AppError('io', `panic received: ${reason.message}`, { cause: reason })
    }
    const error = toAppError(reason)
    const stopped = error.code === 'aborted' && !error.stop && job.signal.aborted
    return stopped ? canceled() : error
  }

  /** Many at once: to find the first entry of a map, all that were deleted before it are passed, each time. */
  #forgetOldest(): void {
    let surplus = MOST / 8
    for (const [id, job] of this.#finished) {
      if (surplus-- <= 0) return
      this.#forget(id, job)
    }
  }

  #forget(id: number, job: RunningJob): void {
    this.#finished.delete(id)
    this.#entries -= this.#large.get(job) ?? 0
    this.#large.delete(job)
  }

  #expireLater(): void {
    if (this.#timer) return
    const { every } = this.#parts.expire()
    this.#timer = setInterval(() => this.#expire(), Math.max(10, Math.min(every, 2 ** 31 - 1)))
    this.#timer.unref()
  }

  #expire(): void {
    const oldest = this.#now() - this.#parts.expire().after
    for (const [id, job] of this.#finished) {
      if ((job.endedAt ?? 0) > oldest) break
      this.#forget(id, job)
    }
    if (this.#finished.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

class RunningJob implements Job, Link<RunningJob> {
  next: RunningJob | undefined
  previous: RunningJob | undefined
  readonly id: number
  readonly group: string
  readonly path: string
  readonly input: Params
  readonly startedAt: number
  endedAt: number | undefined
  error: AppError | undefined
  output: object | undefined
  readonly #app: AbortSignal
  /** The caller's; given up with the end, for a request hangs on it. As it came: in a closure V8 would keep it for longer. */
  #caller: (() => AbortSignal) | undefined
  #stop: AbortController | undefined
  #signal: AbortSignal | undefined
  #stopped = false

  constructor(start: JobStart, app: AbortSignal, now: number) {
    this.id = start.id
    this.group = start.group ?? `job/${start.id}`
    this.path = start.path
    this.input = start.input
    this.startedAt = now
    this.#app = app
    this.#caller = start.signal
  }

  get finished(): boolean {
    return this.endedAt !== undefined
  }

  /** Made when it is first asked for: most calls end before anybody could stop them. */
  get signal(): AbortSignal {
    if (this.#signal) return this.#signal
    this.#stop = new AbortController()
    if (this.#stopped) this.#stop.abort(canceled())
    const signals = [this.#stop.signal, this.#app, ...(this.#caller ? [this.#caller()] : [])]
    return (this.#signal = AbortSignal.any(signals))
  }

  stop(): void {
    this.#stopped = true
    this.#stop?.abort(canceled())
  }

  end(now: number, error: AppError | undefined, output: object): void {
    this.endedAt = now
    this.error = error
    this.output = output
    this.#caller = undefined
  }
}

/** An error that only a mistake in the program gives: nobody's request, file or network is to blame. */
function isMistake(reason: unknown): reason is Error {
  const kinds = [TypeError, ReferenceError]
  return kinds.some((kind) => reason instanceof kind) && errorCode(reason) === undefined
}

function canceled(): AppError {
  return new AppError('aborted', 'context canceled')
}
