import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import type { Remote } from '../remote/remote.ts'

interface Item<Job, Result> {
  readonly job: Job
  result?: Promise<Result>
}

/** Entries that are listed ahead at most, but for those of the folders that are being listed: what waits only costs memory. */
const WAITING = 4000

/** Folders to list ahead: as many as there are checkers, but of a local disk, which keeps nobody waiting, no more than pay. */
export function listedAhead(ctx: Context, ...remotes: readonly Remote[]): number {
  const { checkers } = ctx.get(mainOptions)
  return remotes.every(({ info: { traits } }) => traits.isLocal && !traits.networkDisk)
    ? Math.min(checkers, LOCAL)
    : checkers
}

const LOCAL = 2

/**
 * Folders still to be listed, the next one on top, some of them being listed ahead of their turn: the order of a walk by one,
 * at the pace of many. What is listed ahead is bounded by `ahead` for each level.
 */
export class Frontier<Job, Result> {
  readonly #stack: Item<Job, Result>[] = []
  readonly #ahead: number
  readonly #list: (job: Job) => Promise<Result>
  readonly #sizeOf: (result: Result) => number
  #waiting = 0

  /** `sizeOf` gives the entries in a listing. */
  constructor(ahead: number, list: (job: Job) => Promise<Result>, sizeOf: (result: Result) => number) {
    this.#ahead = Math.max(1, ahead)
    this.#list = list
    this.#sizeOf = sizeOf
  }

  /** Puts jobs on top, the first one uppermost. */
  push(jobs: readonly Job[]): void {
    for (let i = jobs.length - 1; i >= 0; i--) this.#stack.push({ job: jobs[i] as Job })
  }

  /** The next job and its listing; undefined when there is none. */
  next(): { readonly job: Job; readonly result: Promise<Result> } | undefined {
    for (let i = this.#stack.length - 1; i >= Math.max(0, this.#stack.length - this.#ahead); i--) {
      const item = this.#stack[i] as Item<Job, Result>
      if (item.result) continue
      if (this.#waiting >= WAITING && i < this.#stack.length - 1) break
      item.result = unheard(this.#begin(item.job))
    }
    const top = this.#stack.pop()
    return top && { job: top.job, result: unheard(this.#taken(top.result as Promise<Result>)) }
  }

  async #begin(job: Job): Promise<Result> {
    const result = await this.#list(job)
    this.#waiting += this.#sizeOf(result)
    return result
  }

  async #taken(listing: Promise<Result>): Promise<Result> {
    const result = await listing
    this.#waiting -= this.#sizeOf(result)
    return result
  }
}

/** Whoever waits for it handles its error; nobody may, once the walk is stopped. */
function unheard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
