import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { KeptListings, openDatabase } from '../../remote/kept-listings.ts'

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
  CREATE TABLE IF NOT EXISTS chunks (
    path TEXT NOT NULL, at INTEGER NOT NULL, version TEXT NOT NULL, size INTEGER NOT NULL, sum INTEGER NOT NULL,
    used INTEGER NOT NULL, PRIMARY KEY (path, at)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS chunks_used ON chunks (used);
`

/** What a cache keeps, and since when: an index on disk that several processes may use at once. */
export class Catalog {
  readonly listings: KeptListings
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    database.exec(schema)
    this.#database = database
    this.listings = new KeptListings(database)
  }

  /** Opens the index of that name in a directory, for its owner alone. */
  static async open(dir: string, name: string): Promise<Catalog> {
    return new Catalog(await openDatabase(join(dir, `${name}.sqlite`)))
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
}

function chunkOf({ path, at, size, sum }: Record<string, unknown>): ChunkRow {
  return { path: String(path), at: Number(at), size: Number(size), sum: Number(sum) }
}
