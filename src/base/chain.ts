/** Something that can be in one chain at a time. */
export interface Link<T> {
  next: T | undefined
  previous: T | undefined
}

/**
 * A set of things that come and go fast, in the order they came. Unlike a Set it leaves nothing behind: V8 chains the old
 * tables of a Set, and through them whatever was in it, until the next full collection.
 */
export class Chain<T extends Link<T>> {
  #first: T | undefined
  #last: T | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds what is in no chain yet. */
  add(item: T): void {
    item.previous = this.#last
    if (this.#last) this.#last.next = item
    else this.#first = item
    this.#last = item
    this.#size++
  }

  /** True for what is in this chain, given that it is in no other. */
  has(item: T): boolean {
    return item === this.#first || item.previous !== undefined
  }

  /** The one that came first. */
  get first(): T | undefined {
    return this.#first
  }

  /** Takes out what is in this chain. False when it was in none. */
  remove(item: T): boolean {
    if (!this.has(item)) return false
    if (item.previous) item.previous.next = item.next
    else this.#first = item.next
    if (item.next) item.next.previous = item.previous
    else this.#last = item.previous
    item.next = undefined
    item.previous = undefined
    this.#size--
    return true
  }

  /** Goes through what is in the chain; the one just given may be taken out meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (let item = this.#first; item;) {
      const { next } = item
      yield item
      item = next
    }
  }
}
