/** A task of `Workers`: handles its own errors. One that needs no wait gives nothing. */
export type Task = () => Promise<void> | void

interface Waiting<T> {
  readonly key: T
  readonly task: Task
}

export interface WorkersOptions<T> {
  /** Tasks at once. */
  readonly slots: number
  /** Tasks that may wait; `add` waits beyond that. */
  readonly backlog: number
  /**
   * Which of two waiting tasks comes first, as for `sort`; absent = in order. Of the slots, `share` take the first one and the
   * others the last one.
   */
  readonly order?: { readonly compare: (a: T, b: T) => number; readonly share: number } | undefined
  /** Begin nothing before `open` is called. */
  readonly closed?: boolean
}

/** The event loop is given free after this long. */
const BUSY_MS = 5

/** Runs tasks, some at once, in order or by a rule, and holds whoever adds them to a bounded backlog. */
export class Workers<T = undefined> {
  readonly #options: WorkersOptions<T>
  readonly #slots: number
  #queue: Waiting<T>[] = []
  #head = 0
  #running = 0
  /** How many of those that run were the last ones, and how many may be. */
  #fromEnd = 0
  readonly #slotsAtEnd: number
  #turn = 0
  #closed: boolean
  #room: (() => void)[] = []
  #resting = false
  #restedAt = performance.now()
  #idle: (() => void)[] = []

  constructor(options: WorkersOptions<T>) {
    this.#options = options
    this.#slots = Math.max(1, options.slots)
    this.#slotsAtEnd = this.#slots - Math.round(this.#slots * (options.order?.share ?? 1))
    this.#closed = options.closed ?? false
  }

  /** Adds a task; resolves as soon as there is room for another one. */
  add(key: T, task: Task): Promise<void> | void {
    this.#insert({ key, task })
    this.#pump()
    if (this.#waiting <= this.#options.backlog) return undefined
    return new Promise((resolve) => void this.#room.push(resolve))
  }

  /** Lets a closed queue begin. */
  open(): void {
    this.#closed = false
    this.#pump()
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    if (this.#running + this.#waiting > 0) await new Promise<void>((resolve) => void this.#idle.push(resolve))
  }

  get #waiting(): number {
    return this.#queue.length - this.#head
  }

  #insert(item: Waiting<T>): void {
    const { order } = this.#options
    const queue = this.#queue
    if (!order) return void queue.push(item)
    let from = this.#head
    for (let to = queue.length; from < to;) {
      const middle = (from + to) >> 1
      if (order.compare((queue[middle] as Waiting<T>).key, item.key) <= 0) from = middle + 1
      else to = middle
    }
    queue.splice(from, 0, item)
    return undefined
  }

  #pump(): void {
    if (this.#closed) return
    while (this.#running < this.#slots && this.#waiting > 0) {
      // Tasks that wait for nothing would never let anybody else in.
      if (performance.now() - this.#restedAt > BUSY_MS) return this.#rest()
      const atEnd = this.#takesLast()
      const running = this.#take(atEnd).task()
      if (!running) continue
      this.#running++
      if (atEnd) this.#fromEnd++
      void running.finally(() => {
        this.#running--
        if (atEnd) this.#fromEnd--
        this.#pump()
      })
    }
    if (this.#running + this.#waiting === 0) for (const resolve of this.#idle.splice(0)) resolve()
    this.#release()
  }

  /** Whether the last task is next; by turns while there are slots for both. */
  #takesLast(): boolean {
    if (this.#fromEnd >= this.#slotsAtEnd) return false
    const isFirstFree = this.#running - this.#fromEnd < this.#slots - this.#slotsAtEnd
    return !isFirstFree || this.#turn++ % 2 === 1
  }

  #take(last: boolean): Waiting<T> {
    if (last) return this.#queue.pop() as Waiting<T>
    const item = this.#queue[this.#head++] as Waiting<T>
    if (this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Goes on after everybody else had a turn of the event loop. */
  #rest(): void {
    if (this.#resting) return
    this.#resting = true
    setImmediate(() => {
      this.#resting = false
      this.#restedAt = performance.now()
      this.#pump()
    })
    this.#release()
  }

  #release(): void {
    if (this.#room.length > 0 && this.#waiting <= this.#options.backlog)
      for (const resolve of this.#room.splice(0)) resolve()
  }
}
