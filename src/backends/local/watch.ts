import { statSync, watch, type BigIntStats, type FSWatcher } from 'node:fs'
import { sameState } from './entry.ts'
import type { OsPath } from './names.ts'
import { isTempName } from './temp.ts'

interface Watch {
  readonly stats: BigIntStats
  readonly fire: () => void
  readonly stop: () => void
}

/** Watches directories, each by a watcher of its own (inotify, kqueue ...). */
export class Watches {
  readonly #watches = new Map<string, Set<Watch>>()
  #closed = false

  /**
   * Calls `changed` once, soon after something in the directory changed, another directory took its place, or the watcher
   * broke. Gives the way to stop; undefined when the system has no watcher left (ENOSPC), or the directory is gone.
   */
  watch(path: string, place: OsPath, changed: () => void): (() => void) | undefined {
    if (this.#closed) return undefined
    let watcher: FSWatcher | undefined
    try {
      watcher = watch(place, { persistent: false, encoding: 'utf8' })
      return this.#add(path, watcher, statSync(place, { bigint: true }), changed)
    } catch {
      watcher?.close()
      return undefined
    }
  }

  /**
   * Compares what is now found at the path of a directory with what is watched there: a watcher stays with its directory when
   * one above is renamed or the root is led elsewhere, and its news come a little later than the change.
   */
  check(path: string, stats: BigIntStats): void {
    for (const watch of this.#watches.get(path) ?? []) if (!sameState(watch.stats, stats)) watch.fire()
  }

  close(): void {
    this.#closed = true
    const all = [...this.#watches.values()].flatMap((watches) => [...watches])
    for (const { stop } of all) stop()
  }

  #add(path: string, watcher: FSWatcher, stats: BigIntStats, changed: () => void): () => void {
    const watches = this.#watches.get(path) ?? new Set()
    const stop = () => {
      watcher.close()
      watches.delete(own)
      if (watches.size === 0 && this.#watches.get(path) === watches) this.#watches.delete(path)
    }
    const own: Watch = {
      stats,
      stop,
      fire() {
        if (!watches.has(own)) return
        stop()
        changed()
      },
    }
    this.#watches.set(path, watches.add(own))
    watcher.on('error', own.fire)
    watcher.on('change', (_event, name) => {
      if (typeof name !== 'string' || !isTempName(name)) own.fire()
    })
    return stop
  }
}
