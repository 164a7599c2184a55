import { AppError } from '../../base/error.ts'
import { join, nameOf, parentOf } from '../../base/path.ts'

/** What the name of a chunk says. */
export interface ChunkName {
  /** Path of the file that the chunk is of. */
  readonly main: string
  /** From 0; undefined for a name that is kept for other purposes. */
  readonly index: number | undefined
  /** The transaction that wrote it, `''` for one that is a part of its file for good. */
  readonly txn: string
}

/** Higher numbers are none of ours. */
const MOST_CHUNKS = 10_000_000

/** Names of chunks in the format of the option `name_format`. */
export class ChunkNames {
  readonly #before: string
  readonly #after: string
  readonly #digits: number
  readonly #start: number
  readonly #pattern: RegExp

  /** Throws `invalid` for a format that is none. */
  constructor(format: string, start: number) {
    const [, before, hashes, after] = /^\*([^*#/]*)(#+)([^*#/]*)$/.exec(format) ?? []
    if (before === undefined || hashes === undefined || after === undefined)
      throw new AppError('invalid', `chunker: name_format ${JSON.stringify(format)} is not like *.rclone_chunk.###`)
    this.#before = before
    this.#after = after
    this.#digits = hashes.length
    this.#start = start
    const number = hashes.length > 1 ? `\\d{${hashes.length},}` : '\\d+'
    // The longer ending of older releases is decimal.
    const txn = '(?:_([0-9a-z]{4,9})|\\.\\.tmp_(\\d{10,13}))?'
    const middle = `${RegExp.escape(before)}(?:(${number})|_[a-z][a-z0-9]{2,6})${RegExp.escape(after)}`
    this.#pattern = new RegExp(`^(.+?)${middle}${txn}$`, 's')
  }

  /** The path of a chunk, by its index from 0. */
  of(main: string, index: number, txn = ''): string {
    const number = String(index + this.#start).padStart(this.#digits, '0')
    return `${main}${this.#before}${number}${this.#after}${txn === '' ? '' : `_${txn}`}`
  }

  /** What a path says of a chunk; undefined when it is none. */
  parse(path: string): ChunkName | undefined {
    const [whole, name, number, txn, old] = this.#pattern.exec(nameOf(path)) ?? []
    if (whole === undefined || name === undefined) return undefined
    const index = number === undefined ? undefined : Number(number) - this.#start
    if (index !== undefined && (index < 0 || index > MOST_CHUNKS)) return undefined
    const id = txn ?? (old === undefined ? '' : Number(old).toString(36).padStart(4, '0'))
    return { main: join(parentOf(path), name), index, txn: id }
  }
}

/** An id for the chunks of one upload: as short as the format allows, and long enough for many at once. */
export function newTxn(random: () => number = Math.random): string {
  return Math.floor(random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0')
}
