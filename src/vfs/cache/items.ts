import type { CacheFiles } from './files.ts'
import type { Item } from './item.ts'

/** The items of a cache by path, the one first that was used longest ago. */
export class Items {
  readonly #files: CacheFiles
  readonly #items = new Map<string, Item>()

  constructor(files: CacheFiles) {
    this.#files = files
  }

  get size(): number {
    return this.#items.size
  }

  /** All, the one first that was used longest ago. Those that are dropped meanwhile are left out. */
  get all(): Iterable<Item> {
    return this.#items.values()
  }

  get(path: string): Item | undefined {
    return this.#items.get(path)
  }

  /** Adds an item in place of the one at its path, which is out of the cache from now on, or notes that it was used. */
  put(item: Item): void {
    const { path } = item
    const before = this.#items.get(path)
    this.#items.delete(path)
    this.#items.set(path, item)
    if (before === item) return
    before?.detach()
    void before?.free()
  }

  /** Takes an item out of the cache, and leaves its files, and to free it, to whoever has the turn of its path. */
  remove(item: Item): void {
    if (this.#items.get(item.path) === item) this.#items.delete(item.path)
    item.detach()
  }

  /** Takes an item out of the cache, and its files off the disk. */
  async drop(item: Item): Promise<void> {
    const { path } = item
    if (item.isGone) return
    this.remove(item)
    await this.#files.locked(path, async () => {
      // Another one may have its place by now.
      if (!this.#items.has(path)) await this.#files.remove(path)
    })
    await item.free()
  }

  /** Drops the item that was used longest ago and may be dropped; false when there is none. */
  async dropOldest(): Promise<boolean> {
    for (const item of this.#items.values()) {
      if (!item.isIdle) continue
      await this.drop(item)
      return true
    }
    return false
  }
}
