interface Item<Job, Result> {
  readonly job: Job
  result?: Promise<Result>
}

/**
 * Folders still to be listed, the next one on top, some of them being listed ahead of their turn: the order of a walk by one,
 * at the pace of many. What is listed ahead is bounded by `ahead` for each level.
 */
export class Frontier<Job, Result> {
  readonly #stack: Item<Job, Result>[] = []
  readonly #ahead: number
  readonly #list: (job: Job) => Promise<Result>

  constructor(ahead: number, list: (job: Job) => Promise<Result>) {
    this.#ahead = Math.max(1, ahead)
    this.#list = list
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
      item.result = this.#list(item.job)
      // Whoever takes it handles the error; until then nobody listens.
      item.result.catch(() => {})
    }
    const top = this.#stack.pop()
    return top && { job: top.job, result: top.result as Promise<Result> }
  }
}
