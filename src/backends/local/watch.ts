import { watch, type FSWatcher } from 'node:fs'
import type { OsPath } from './names.ts'
import { isTempName } from './temp.ts'

/** Watches directories, each by a watcher of its own (inotify, kqueue ...). */
export class Watches {
  readonly #watchers = new Set<FSWatcher>()
  #closed = false

  /**
   * Calls `changed` once, soon after something in the directory changed or the watcher broke. Gives the way to stop;
   * undefined when the system has no watcher left (ENOSPC), or the directory is gone.
   */
  watch(place: OsPath, changed: () => void): (() => void) | undefined {
    if (this.#closed) return undefined
    let watcher: FSWatcher
    try {
      watcher = watch(place, { persistent: false, encoding: 'utf8' })
    } catch {
      return undefined
    }
    this.#watchers.add(watcher)
    const stop = () => {
      this.#watchers.delete(watcher)
      watcher.close()
    }
    const fire = () => {
      if (!this.#watchers.has(watcher)) return
      stop()
      changed()
    }
    watcher.on('error', fire)
    watcher.on('change', (_event, name) => {
      if (typeof name !== 'string' || !isTempName(name)) fire()
    })
    return stop
  }

  close(): void {
    this.#closed = true
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers.clear()
  }
}
