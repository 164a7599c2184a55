/**
 * Counts turns of the event loop, so that what was looked up once holds for all requests that arrived together: whoever
 * asks later than this turn asks anew.
 */
export class Turn {
  #number = 0
  #armed = false

  /** The number of the current turn. */
  get number(): number {
    if (!this.#armed) {
      this.#armed = true
      setImmediate(() => {
        this.#armed = false
        this.#number++
      })
    }
    return this.#number
  }
}
