/**
 * Counts turns of the event loop, so that what was looked up once holds for all requests that arrived together: whoever
 * asks later than this turn asks anew.
 */
export class Turn {
  #number = 0
  #armed = false
  #endings: (() => void)[] = []

  /** The number of the current turn. */
  get number(): number {
    if (!this.#armed) {
      this.#armed = true
      setImmediate(() => this.#end())
    }
    return this.#number
  }

  /** Calls `ending`, which must not throw, when the current turn is over. */
  atEnd(ending: () => void): void {
    void this.number
    this.#endings.push(ending)
  }

  #end(): void {
    this.#armed = false
    this.#number++
    const endings = this.#endings
    if (endings.length === 0) return
    this.#endings = []
    for (const ending of endings) ending()
  }
}
