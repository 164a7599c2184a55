import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { rethrow } from '../../base/error.ts'
import { nameOf, parentOf } from '../../base/path.ts'
import type { Entry, FileEntry } from '../../remote/remote.ts'

/** A piece that is kept. */
export interface ChunkRow {
  readonly path: string
  /** First byte. */
  readonly at: number
  readonly size: number
  /** CRC-32 of its bytes. */
  readonly sum: number
}

/** The newest and the oldest of something, by when it was used or seen, in ms since 1970. */
export interface Span {
  readonly count: number
  readonly newest: string
  readonly newestAt: number
  readonly oldest: string
  readonly oldestAt: number
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS listings (dir TEXT PRIMARY KEY, read INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS entries (
    dir TEXT NOT NULL, name TEXT NOT NULL, seen INTEGER NOT NULL, kind TEXT NOT NULL, entry TEXT NOT NULL,
    PRIMARY KEY (dir, name)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS chunks (
    path TEXT NOT NULL, at INTEGER NOT NULL, version TEXT NOT NULL, size INTEGER NOT NULL, sum INTEGER NOT NULL,
    used INTEGER NOT NULL, PRIMARY KEY (path, at)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS chunks_used ON chunks (used);
`

/** What a cache keeps, and since when: an index on disk that several processes may use at once. */
export class Catalog {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Opens the index of that name in a directory, for its owner alone. */
  static async open(dir: string, name: string): Promise<Catalog> {
    const { DatabaseSync } = await import('node:sqlite')
    await mkdir(dir, { recursive: true, mode: 0o700 }).catch(rethrow)
    const database = new DatabaseSync(join(dir, `${name}.sqlite`))
    database.exec(schema)
    return new Catalog(database)
  }

  /** When the listing of a directory was read, ms since 1970; undefined = it is not kept. */
  listedAt(dir: string): number | undefined {
    const row = this.#database.prepare('SELECT read FROM listings WHERE dir = ?').get(dir)
    return row === undefined ? undefined : Number(row.read)
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
  saveListing(dir: string, entries: readonly Entry[], now: number): void {
    this.#together(() => {
      this.forgetListing(dir)
      const insert = this.#database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)')
      for (const entry of entries) insert.run(dir, nameOf(entry.path), now, entry.kind, formatEntry(entry))
      this.#database.prepare('INSERT INTO listings VALUES (?, ?)').run(dir, now)
    })
  }

  /** Forgets the listing of a directory, with `below` also those of all directories below it. */
  forgetListing(dir: string, below = false): void {
    const last = below ? (dir === '' ? '\u{10ffff}' : `${dir}0`) : undefined
    for (const table of ['entries', 'listings']) {
      this.#database.prepare(`DELETE FROM ${table} WHERE dir = ?`).run(dir)
      // '0' comes right behind '/'.
      if (last !== undefined)
        this.#database.prepare(`DELETE FROM ${table} WHERE dir > ? AND dir < ?`).run(dir === '' ? '' : `${dir}/`, last)
    }
  }

  /** The piece of a version of a file, which is used now. */
  useChunk(path: string, at: number, version: string, now: number): ChunkRow | undefined {
    const row = this.#database
      .prepare('UPDATE chunks SET used = ? WHERE path = ? AND at = ? AND version = ? RETURNING size, sum')
      .get(now, path, at, version)
    return row && { path, at, size: Number(row.size), sum: Number(row.sum) }
  }

  saveChunk({ path, at, size, sum }: ChunkRow, version: string, now: number): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?)')
      .run(path, at, version, size, sum, now)
  }

  forgetChunk({ path, at }: Pick<ChunkRow, 'path' | 'at'>): void {
    this.#database.prepare('DELETE FROM chunks WHERE path = ? AND at = ?').run(path, at)
  }

  /** The pieces of a file, or of all files. */
  chunks(path?: string): readonly ChunkRow[] {
    const rows =
      path === undefined
        ? this.#database.prepare('SELECT path, at, size, sum FROM chunks').all()
        : this.#database.prepare('SELECT path, at, size, sum FROM chunks WHERE path = ?').all(path)
    return rows.map(chunkOf)
  }

  /** Bytes of all pieces. */
  get chunkBytes(): number {
    return Number(this.#database.prepare('SELECT coalesce(sum(size), 0) AS bytes FROM chunks').get()?.bytes)
  }

  /** The piece that was used longest ago. */
  get oldestChunk(): ChunkRow | undefined {
    const row = this.#database.prepare('SELECT path, at, size, sum FROM chunks ORDER BY used LIMIT 1').get()
    return row && chunkOf(row)
  }

  /** How many pieces there are, and which were used last and longest ago. */
  get chunkSpan(): Span {
    return this.#span('path', 'used', 'chunks')
  }

  /** How many files there are in listings, and which were seen last and longest ago. */
  get fileSpan(): Span {
    return this.#span("ltrim(dir || '/' || name, '/')", 'seen', "entries WHERE kind = 'file'")
  }

  /** How many directories there are in listings. */
  get directories(): number {
    return Number(this.#database.prepare("SELECT count(*) AS n FROM entries WHERE kind = 'directory'").get()?.n)
  }

  close(): void {
    this.#database.close()
  }

  #span(name: string, time: string, from: string): Span {
    const at = (order: string) =>
      this.#database
        .prepare(`SELECT ${name} AS name, ${time} AS time FROM ${from} ORDER BY ${time} ${order} LIMIT 1`)
        .get()
    const [newest, oldest] = [at('DESC'), at('ASC')]
    return {
      count: Number(this.#database.prepare(`SELECT count(*) AS n FROM ${from}`).get()?.n),
      newest: String(newest?.name ?? ''),
      newestAt: Number(newest?.time ?? NaN),
      oldest: String(oldest?.name ?? ''),
      oldestAt: Number(oldest?.time ?? NaN),
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

function chunkOf({ path, at, size, sum }: Record<string, unknown>): ChunkRow {
  return { path: String(path), at: Number(at), size: Number(size), sum: Number(sum) }
}

function formatEntry(entry: Entry): string {
  return JSON.stringify({ ...entry, modTime: String(entry.modTime) })
}

function parseEntry(text: string): Entry {
  const { modTime, ...entry } = JSON.parse(text) as Omit<FileEntry, 'modTime'> & { modTime: string }
  return { ...entry, modTime: BigInt(modTime) }
}
