import { statSync, type BigIntStats } from 'node:fs'
import { LRUCache } from 'lru-cache'
import type { FileEntry } from '../../remote/remote.ts'
import type { Disk, FileSystemKind } from './disk.ts'
import { sameState } from './entry.ts'
import type { OsPath } from './names.ts'
import type { Turn } from './turn.ts'

/** The way to a file is looked at again (links, root) when it was last seen this long ago. */
const CHAIN_MS = 1000
const MAX = 8192

interface Hot {
  readonly place: OsPath
  readonly stats: BigIntStats
  readonly entry: FileEntry
  /** False when the file had changed just before it was looked at: times have steps, so another change may not show. */
  readonly settled: boolean
  readonly checkedAt: number
  turn: number
}

export interface HotOptions {
  readonly disk: Disk
  readonly turn: Turn
  /** What a file lies on: nothing is remembered of network file systems. */
  readonly kindOf: (device: bigint, place: OsPath) => FileSystemKind
  readonly clock?: () => number
}

/**
 * The files that were asked for lately. `peek` gives the same entry object for as long as the file has not changed, checked
 * by one stat for each turn of the event loop, so what others derived from an entry can hang on the object itself.
 */
export class HotFiles {
  readonly #files = new LRUCache<string, Hot>({ max: MAX })
  readonly #options: HotOptions
  readonly #clock: () => number

  constructor(options: HotOptions) {
    this.#options = options
    this.#clock = options.clock ?? (() => performance.now())
  }

  peek(path: string): FileEntry | undefined {
    const hot = this.#files.get(path)
    if (!hot?.settled) return undefined
    const turn = this.#options.turn.number
    if (hot.turn === turn) return hot.entry
    if (this.#options.disk.pooled || this.#clock() - hot.checkedAt > CHAIN_MS) return undefined
    let stats: BigIntStats | undefined
    try {
      stats = statSync(hot.place, { bigint: true, throwIfNoEntry: false })
    } catch {
      stats = undefined
    }
    if (!stats?.isFile() || !sameState(stats, hot.stats)) {
      this.#files.delete(path)
      return undefined
    }
    hot.turn = turn
    return hot.entry
  }

  /** Takes what a full look at a file gave; returns the entry that stands for it. */
  remember(path: string, place: OsPath, stats: BigIntStats, make: () => FileEntry): FileEntry {
    const { network, settleMs } = this.#options.kindOf(stats.dev, place)
    if (network) return make()
    const known = this.#files.get(path)
    const same = known?.settled && sameState(known.stats, stats) ? known : undefined
    const age = Date.now() - Number(stats.ctimeNs / 1_000_000n)
    const entry = same?.entry ?? make()
    this.#files.set(path, {
      place,
      stats,
      entry,
      settled: same !== undefined || age > settleMs,
      checkedAt: this.#clock(),
      turn: this.#options.turn.number,
    })
    return entry
  }

  forget(path: string): void {
    this.#files.delete(path)
  }

  clear(): void {
    this.#files.clear()
  }
}
