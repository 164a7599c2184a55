import { chmod, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { rethrow } from '../base/error.ts'
import { nameOf, parentOf } from '../base/path.ts'
import type { Entry, FileEntry } from './remote.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS listings (dir TEXT PRIMARY KEY, read INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS entries (
    dir TEXT NOT NULL, name TEXT NOT NULL, seen INTEGER NOT NULL, kind TEXT NOT NULL, entry TEXT NOT NULL,
    PRIMARY KEY (dir, name)
  ) WITHOUT ROWID;
`

/** Opens a database for its owner alone, which several processes may use at once. */
export async function openDatabase(path: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite')
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(rethrow)
  const database = new DatabaseSync(path)
  await chmod(path, 0o600).catch(rethrow)
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  return database
}

/** Listings of directories on disk, over restarts. */
export class KeptListings {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
    database.exec(schema)
  }

  /** Opens listings in a file of their own. */
  static async open(path: string): Promise<KeptListings> {
    return new KeptListings(await openDatabase(path))
  }

  close(): void {
    this.#database.close()
  }

  /** How long ago the listing of a directory was read, ms; undefined = it is not kept, or from a clock that was changed since. */
  age(dir: string): number | undefined {
    const row = this.#database.prepare('SELECT read FROM listings WHERE dir = ?').get(dir)
    const age = row === undefined ? -1 : Date.now() - Number(row.read)
    return age < 0 ? undefined : age
  }

  /** The entries of a directory whose listing is kept. */
  *list(dir: string): Generator<Entry> {
    const rows = this.#database.prepare('SELECT entry FROM entries WHERE dir = ?').all(dir)
    for (const { entry } of rows) yield parseEntry(String(entry))
  }

  /** An entry of a listing that is kept. */
  entry(path: string): Entry | undefined {
    const row = this.#database
      .prepare('SELECT entry FROM entries WHERE dir = ? AND name = ?')
      .get(parentOf(path), nameOf(path))
    return row && parseEntry(String(row.entry))
  }

  /** Keeps a listing in place of an earlier one. */
  save(dir: string, entries: readonly Entry[]): void {
    const now = Date.now()
    this.#together(() => {
      this.forget(dir)
      const insert = this.#database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)')
      for (const entry of entries) insert.run(dir, nameOf(entry.path), now, entry.kind, formatEntry(entry))
      this.#database.prepare('INSERT INTO listings VALUES (?, ?)').run(dir, now)
    })
  }

  /** Forgets the listing of a directory, with `below` also those of all directories below it. */
  forget(dir: string, below = false): void {
    const last = below ? (dir === '' ? '\u{10ffff}' : `${dir}0`) : undefined
    for (const table of ['entries', 'listings']) {
      this.#database.prepare(`DELETE FROM ${table} WHERE dir = ?`).run(dir)
      // '0' comes right behind '/'.
      if (last !== undefined)
        this.#database.prepare(`DELETE FROM ${table} WHERE dir > ? AND dir < ?`).run(dir === '' ? '' : `${dir}/`, last)
    }
  }

  #together(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }
}

function formatEntry(entry: Entry): string {
  return JSON.stringify({ ...entry, modTime: String(entry.modTime) })
}

function parseEntry(text: string): Entry {
  const { modTime, ...entry } = JSON.parse(text) as Omit<FileEntry, 'modTime'> & { modTime: string }
  return { ...entry, modTime: BigInt(modTime) }
}
