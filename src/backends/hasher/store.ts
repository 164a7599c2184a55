import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { AppError, messageOf } from '../../base/error.ts'

/** The checksums of a file, by kind. */
export type Sums = Readonly<Record<string, string>>

/** What is kept of a file. */
export interface Kept {
  readonly path: string
  /** What told its version; `*` holds for any. */
  readonly fingerprint: string
  /** When it was kept, ms since 1970. */
  readonly at: number
  readonly sums: Sums
}

interface Row {
  readonly path: string
  readonly fingerprint: string
  readonly at: number
  readonly sums: string
}

/** Holds for all versions of a file: for checksums that somebody else vouches for. */
export const ANY_VERSION = '*'

/**
 * Checksums by path, in a database of one file that several processes may use at once. It is made on first use; one that
 * cannot be opened is an error that names it.
 */
export class SumStore {
  readonly #file: string
  #opened: { db: DatabaseSync; get: StatementSync; set: StatementSync; drop: StatementSync } | undefined

  constructor(file: string) {
    this.#file = file
  }

  get(path: string): Kept | undefined {
    const row = this.#open().get.get(path) as Row | undefined
    return row && keptOf(row)
  }

  set({ path, fingerprint, at, sums }: Kept): void {
    this.#open().set.run(path, fingerprint, at, JSON.stringify(sums))
  }

  remove(path: string): void {
    this.#open().drop.run(path)
  }

  /** Gives all that is kept of a path, or of what lies below it, another path. */
  move(from: string, to: string): void {
    const { db } = this.#open()
    const start = from.length + 1
    db.prepare('UPDATE OR REPLACE sums SET path = ? || substr(path, ?) WHERE path = ? OR substr(path, 1, ?) = ?').run(
      to,
      start,
      from,
      start,
      `${from}/`,
    )
  }

  /** Forgets all below a directory; `''` is everything. */
  removeBelow(dir: string): void {
    if (dir === '') this.#open().db.exec('DELETE FROM sums')
    else
      this.#open()
        .db.prepare('DELETE FROM sums WHERE substr(path, 1, ?) = ?')
        .run(dir.length + 1, `${dir}/`)
  }

  /** All that is kept, in the order of the paths. */
  *all(): Generator<Kept> {
    for (const row of this.#open().db.prepare('SELECT * FROM sums ORDER BY path').iterate())
      yield keptOf(row as unknown as Row)
  }

  close(): void {
    this.#opened?.db.close()
    this.#opened = undefined
  }

  #open() {
    if (this.#opened) return this.#opened
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
      const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite')
      const db = new Database(this.#file, { timeout: 5000 })
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
      db.exec(
        'CREATE TABLE IF NOT EXISTS sums (path TEXT PRIMARY KEY, fingerprint TEXT, at INTEGER, sums TEXT) WITHOUT ROWID',
      )
      this.#opened = {
        db,
        get: db.prepare('SELECT * FROM sums WHERE path = ?'),
        set: db.prepare('INSERT OR REPLACE INTO sums VALUES (?, ?, ?, ?)'),
        drop: db.prepare('DELETE FROM sums WHERE path = ?'),
      }
      return this.#opened
    } catch (error) {
      throw new AppError('io', `hasher: can't use ${this.#file}: ${messageOf(error)}`, { cause: error })
    }
  }
}

function keptOf({ path, fingerprint, at, sums }: Row): Kept {
  return { path, fingerprint, at, sums: JSON.parse(sums) as Sums }
}
