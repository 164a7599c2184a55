import { randomBytes } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { rethrow } from '../../base/error.ts'
import { KeyedLock } from '../../base/keyed-lock.ts'
import { makeDirectory, syncDirectory } from '../../base/lasting.ts'
import { exchange, type Move } from './exchange.ts'
import { diskPath, type Layout, shownPath } from './layout.ts'
import { formatMetadata, type Metadata, parseMetadata } from './metadata.ts'

/**
 * The files of one cache on the disk: for each file of the remote its data and its metadata. All are for their owner alone.
 */
export class CacheFiles {
  readonly #layout: Layout
  readonly #turns = new KeyedLock()

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** Makes the directories. */
  async prepare(): Promise<void> {
    const { data, meta, pending } = this.#layout
    for (const dir of [data, meta, pending]) await makeDirectory(dir)
  }

  /** Runs `work` when nobody else changes the files of a path, or opens them by their names. */
  async locked<T>(path: string, work: () => Promise<T>): Promise<T> {
    return await this.#turns.run(path, work)
  }

  /** Where the data of a file is. */
  data(path: string): string {
    return join(this.#layout.data, diskPath(path))
  }

  /** A new file for bytes that have no name yet. */
  async begin(): Promise<{ readonly place: string; readonly file: fs.FileHandle }> {
    const place = this.#temp('data')
    return { place, file: await fs.open(place, 'wx+', 0o600).catch(rethrow) }
  }

  /** Opens the data of a file to be read and written, sparse and as long as the file. */
  async open(path: string, size: number): Promise<fs.FileHandle> {
    const place = this.data(path)
    await makeDirectory(dirname(place))
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants
    const file = await fs.open(place, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600).catch(rethrow)
    try {
      if ((await file.stat()).size !== size) await file.truncate(size)
      return file
    } catch (error) {
      await file.close()
      return rethrow(error)
    }
  }

  /** Replaces the metadata of a file: a crash leaves the old or the new one. */
  async save(path: string, metadata: Metadata): Promise<void> {
    await this.#replace(this.#meta(path), formatMetadata(metadata))
  }

  /** Removes what there is of a file. */
  async remove(path: string): Promise<void> {
    // Data without metadata is nothing; metadata without data would be.
    for (const root of [this.#layout.meta, this.#layout.data]) await fs.rm(join(root, diskPath(path)), { force: true })
  }

  /**
   * Gives bytes written since `begin` their name: with their metadata, in place of what had that name, all or nothing
   * whenever it throws, or the program or, with `durable`, the machine stops. The record that it writes first is what counts.
   */
  async place(from: string, path: string, metadata: Metadata, durable = true): Promise<void> {
    const [record, meta] = [this.#temp('json'), this.#temp('meta')]
    try {
      await this.#write(meta, formatMetadata(metadata), durable)
      await this.#write(record, JSON.stringify({ path, from, meta }), durable)
      if (durable) await syncDirectory(this.#layout.pending)
      await exchange(this.#moves({ path, from, meta }), durable)
    } finally {
      // One that stays is harmless: there is nothing left that it could move.
      for (const temp of [record, meta]) await fs.rm(temp, { force: true }).catch(() => {})
    }
  }

  /** Brings to an end what was begun before the program stopped, and throws away what had no name yet. */
  async recover(): Promise<void> {
    const { pending } = this.#layout
    const names = await fs.readdir(pending)
    for (const name of names.filter((one) => one.endsWith('.json')).toSorted()) {
      const record = recordOf(await fs.readFile(join(pending, name), 'utf8'))
      if (record) await this.#finish(record)
    }
    for (const name of await fs.readdir(pending)) await fs.rm(join(pending, name), { force: true })
  }

  /** All files that there is metadata of, with it; undefined for metadata that is damaged. */
  async *saved(): AsyncGenerator<{ readonly path: string; readonly metadata: Metadata | undefined }> {
    for await (const path of this.#walk(this.#layout.meta))
      yield { path, metadata: parseMetadata(await fs.readFile(this.#meta(path), 'utf8')) }
  }

  /** Paths of all data. */
  stored(): AsyncIterable<string> {
    return this.#walk(this.#layout.data)
  }

  /** Bytes of the data of a file as its length says; undefined when there is none. */
  async sizeOf(path: string): Promise<number | undefined> {
    return (await fs.lstat(this.data(path)).catch(() => undefined))?.size
  }

  /** Puts data aside of which nothing is known. Gives where it is now. */
  async setAside(path: string): Promise<string> {
    const place = join(this.#layout.lost, diskPath(path))
    await makeDirectory(dirname(place))
    await fs.rename(this.data(path), place)
    await this.remove(path)
    return place
  }

  /** Does what of a record is not done yet. */
  async #finish(record: Record): Promise<void> {
    const moves: Move[] = []
    for (const move of this.#moves(record)) if (await isThere(move.from)) moves.push(move)
    await exchange(moves, true)
  }

  #moves({ path, from, meta }: Record): readonly [Move, Move] {
    return [
      { from, to: this.data(path), aside: this.#temp('data') },
      { from: meta, to: this.#meta(path), aside: this.#temp('meta') },
    ]
  }

  #meta(path: string): string {
    return join(this.#layout.meta, diskPath(path))
  }

  /** Another name for the data of a file, as of bytes that have no name yet. */
  async link(path: string): Promise<string> {
    const place = this.#temp('data')
    await fs.link(this.data(path), place).catch(rethrow)
    return place
  }

  async #replace(place: string, text: string): Promise<void> {
    const temp = this.#temp('meta')
    try {
      await this.#write(temp, text, true)
      await makeDirectory(dirname(place))
      await fs.rename(temp, place)
    } catch (error) {
      await fs.rm(temp, { force: true })
      rethrow(error)
    }
  }

  async #write(place: string, text: string, durable: boolean): Promise<void> {
    const file = await fs.open(place, 'wx', 0o600).catch(rethrow)
    try {
      await file.writeFile(text).catch(rethrow)
      if (durable) await file.sync()
    } finally {
      await file.close()
    }
  }

  #temp(ending: string): string {
    // In the order of time, so that records are carried out in the order in which they were written.
    const name = `${Date.now().toString(36).padStart(10, '0')}-${randomBytes(8).toString('hex')}.${ending}`
    return join(this.#layout.pending, name)
  }

  /** The paths of all files below a root, and removes directories that are empty. */
  async *#walk(root: string, dir = ''): AsyncGenerator<string> {
    const all: Dirent[] = await fs.readdir(join(root, dir), { withFileTypes: true })
    for (const one of all) {
      const place = join(dir, one.name)
      if (!one.isDirectory()) yield shownPath(place)
      else {
        yield* this.#walk(root, place)
        await fs.rmdir(join(root, place)).catch(() => {})
      }
    }
  }
}

/** What is to be done for a file to be in its place. */
interface Record {
  readonly path: string
  /** Where its data and its metadata are until then. */
  readonly from: string
  readonly meta: string
}

/** Reads a record; undefined when it was not written to its end: then nobody was told that it counts. */
function recordOf(text: string): Record | undefined {
  try {
    const { path, from, meta } = JSON.parse(text) as Partial<Record>
    return path !== undefined && from !== undefined && meta !== undefined ? { path, from, meta } : undefined
  } catch {
    return undefined
  }
}

async function isThere(place: string): Promise<boolean> {
  return (await fs.lstat(place).catch(() => undefined)) !== undefined
}
