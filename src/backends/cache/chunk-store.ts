import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { orAbort } from '../../base/abort.ts'
import { messageOf } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { Catalog, ChunkRow } from './catalog.ts'

export interface ChunkStoreParts {
  /** Of the program: what several readers wait for does not end with one of them. */
  readonly ctx: Context
  readonly catalog: Catalog
  readonly dir: string
  /** Most bytes to keep. */
  readonly most: number
}

/** Pieces of files on disk. A piece that several ask for is fetched once; one whose bytes have changed on the disk is fetched anew. */
export class ChunkStore {
  readonly #parts: ChunkStoreParts
  readonly #fetching = new Map<string, Promise<Uint8Array>>()
  #used: number

  constructor(parts: ChunkStoreParts) {
    this.#parts = parts
    this.#used = parts.catalog.chunkBytes
  }

  /** The piece of a version of a file that begins at `at`; `fetch` gets it when it is not here. Throws `aborted` with the signal. */
  async get(
    { path, at, version }: { readonly path: string; readonly at: number; readonly version: string },
    fetch: (ctx: Context) => Promise<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const kept = await this.#find(path, at, version)
    if (kept) return kept
    const key = `${version} ${at} ${path}`
    let fetching = this.#fetching.get(key)
    if (!fetching) {
      fetching = this.#fetch({ path, at, version }, fetch).finally(() => this.#fetching.delete(key))
      this.#fetching.set(key, fetching)
    }
    return await orAbort(signal, fetching)
  }

  /** A piece that is kept and undamaged. */
  async #find(path: string, at: number, version: string): Promise<Uint8Array | undefined> {
    const row = this.#parts.catalog.useChunk(path, at, version, Date.now())
    if (!row) return undefined
    const bytes = await readFile(this.#place(row)).catch(() => undefined)
    if (bytes?.length === row.size && crc32(bytes) === row.sum) return bytes
    await this.#drop(row)
    return undefined
  }

  /** Drops the pieces of a file, or all. */
  async forget(path?: string): Promise<void> {
    for (const row of this.#parts.catalog.chunks(path)) await this.#drop(row)
  }

  async #fetch(
    { path, at, version }: { readonly path: string; readonly at: number; readonly version: string },
    fetch: (ctx: Context) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const { ctx, catalog } = this.#parts
    const bytes = await fetch(ctx)
    try {
      await this.#makeRoom(bytes.length)
      const row = { path, at, size: bytes.length, sum: crc32(bytes) }
      await this.#write(row, bytes)
      catalog.saveChunk(row, version, Date.now())
      this.#used += bytes.length
    } catch (error) {
      // It can be read all the same.
      ctx.log.error(`cache: a piece cannot be kept: ${messageOf(error)}`, { object: path })
    }
    return bytes
  }

  async #write(row: ChunkRow, bytes: Uint8Array): Promise<void> {
    const place = this.#place(row)
    const temp = `${place}.${randomBytes(6).toString('hex')}`
    await mkdir(this.#folder(row.path), { recursive: true, mode: 0o700 })
    try {
      await writeFile(temp, bytes, { mode: 0o600, flag: 'wx' })
      await rename(temp, place)
    } catch (error) {
      await rm(temp, { force: true })
      throw error
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    const most = this.#parts.most < 0 ? Infinity : this.#parts.most
    while (this.#used > most - bytes) {
      const oldest = this.#parts.catalog.oldestChunk
      if (!oldest) return
      await this.#drop(oldest)
    }
  }

  async #drop(row: ChunkRow): Promise<void> {
    this.#parts.catalog.forgetChunk(row)
    this.#used -= row.size
    await rm(this.#place(row), { force: true })
  }

  #folder(path: string): string {
    const hash = createHash('sha256').update(path).digest('hex')
    return join(this.#parts.dir, hash.slice(0, 2), hash.slice(2, 42))
  }

  #place({ path, at }: Pick<ChunkRow, 'path' | 'at'>): string {
    return join(this.#folder(path), String(at))
  }
}
