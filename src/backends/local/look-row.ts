import { type BigIntStats, constants } from 'node:fs'
import type { DiskStats } from './entry.ts'

/** What the thread of `Looks` is asked for. */
export interface LookRequest {
  readonly id: number
  /** The path of an open directory. */
  readonly place: string
  /** Names in it, their bytes as Latin-1 text, with slashes between them. */
  readonly names: string
}

/** What it answers: the numbers of `packed`. */
export interface LookAnswer {
  readonly id: number
  readonly rows: BigInt64Array
}

/** mode, dev, ino, size, and the times of access, modification, change and birth in ns. */
const WIDTH = 8

/** The numbers of many stats in one array, to go from one thread to another without a copy; those that are absent are 0. */
export function packed(all: readonly (BigIntStats | undefined)[]): BigInt64Array {
  const rows = new BigInt64Array(all.length * WIDTH)
  for (let i = 0, at = 0; i < all.length; i++, at += WIDTH) {
    const stats = all[i]
    if (!stats) continue
    rows[at] = stats.mode
    rows[at + 1] = stats.dev
    rows[at + 2] = stats.ino
    rows[at + 3] = stats.size
    rows[at + 4] = stats.atimeNs
    rows[at + 5] = stats.mtimeNs
    rows[at + 6] = stats.ctimeNs
    rows[at + 7] = stats.birthtimeNs
  }
  return rows
}

/** The stats at one place of `packed`; undefined when they are absent. */
export function rowOf(rows: BigInt64Array, index: number): DiskStats | undefined {
  const at = index * WIDTH
  return rows[at] ? new Row(rows, at) : undefined
}

class Row implements DiskStats {
  readonly #rows: BigInt64Array
  readonly #at: number

  constructor(rows: BigInt64Array, at: number) {
    this.#rows = rows
    this.#at = at
  }

  get dev(): bigint {
    return this.#field(1)
  }
  get ino(): bigint {
    return this.#field(2)
  }
  get size(): bigint {
    return this.#field(3)
  }
  get atimeNs(): bigint {
    return this.#field(4)
  }
  get mtimeNs(): bigint {
    return this.#field(5)
  }
  get ctimeNs(): bigint {
    return this.#field(6)
  }
  get birthtimeNs(): bigint {
    return this.#field(7)
  }

  isFile(): boolean {
    return this.#kind === constants.S_IFREG
  }

  isDirectory(): boolean {
    return this.#kind === constants.S_IFDIR
  }

  isSymbolicLink(): boolean {
    return this.#kind === constants.S_IFLNK
  }

  get #kind(): number {
    return Number(this.#field(0)) & constants.S_IFMT
  }

  #field(index: number): bigint {
    return this.#rows[this.#at + index] as bigint
  }
}
