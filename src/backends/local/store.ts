import { constants, promises as fsp } from 'node:fs'
import { throwIfAborted } from '../../base/abort.ts'
import { FileSlice, type Body } from '../../base/body.ts'
import { AppError, messageOf, rethrow, toAppError } from '../../base/error.ts'
import { asCanonical, parentOf } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import { incoming } from '../../remote/incoming.ts'
import type { FileEntry, PutInfo, WriterAt } from '../../remote/remote.ts'
import { closeFd, SMALL } from './disk.ts'
import { toFileEntry } from './entry.ts'
import { parentDirectory } from './erase.ts'
import type { HotFiles } from './hot.ts'
import type { LocalOptions } from './index.ts'
import { attributesOf } from './metadata.ts'
import type { OsPath } from './names.ts'
import { bytesOf, isSmall, WorkPlaces, writeSmall } from './small.ts'
import { TempNames } from './temp.ts'
import { type Directory, leafOf, type Tree } from './tree.ts'
import type { Turn } from './turn.ts'
import { LocalWriter } from './writer.ts'
import { TempFile } from './writing.ts'

export interface StoreParts {
  readonly tree: Tree
  readonly hot: HotFiles
  readonly options: LocalOptions
  readonly turn: Turn
  /** Ends the names of files that are being written. */
  readonly suffix: string
}

/** A file that gets its name. */
interface Named {
  readonly path: string
  readonly leaf: OsPath
  readonly info: PutInfo
}

/** Folders whose leftovers were looked for, at most. */
const MAX_SWEPT = 1000

/** How files come into a tree: under a temporary name, then whole under their own. */
export class Store {
  readonly #parts: StoreParts
  readonly #tree: Tree
  readonly #places: WorkPlaces
  readonly #swept = new Set<string>()
  #temps: TempNames | undefined

  constructor(parts: StoreParts) {
    this.#parts = parts
    this.#tree = parts.tree
    this.#places = new WorkPlaces(parts.turn)
  }

  /** See `Remote.put`. */
  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const leaf = writableLeaf(path)
    const durable = this.mustLast(info)
    if (!durable && !this.#tree.disk.pooled && isSmall(body, info)) return await this.#putSmall(ctx, path, body, info)
    const directory = await this.#enter(parentOf(path), durable)
    try {
      if (info.ifAbsent && (await this.#tree.locate(path))) throw new AppError('exists', `${path} exists already`)
      const temp = await this.#temp(directory, durable)
      try {
        await fill(ctx, temp, body, info)
        return await this.#finish(ctx, temp, { path, leaf, info })
      } finally {
        await temp.close()
      }
    } finally {
      await directory.close()
    }
  }

  /** See `Remote.putNow`. */
  putNow(path: string, bytes: Uint8Array, info: PutInfo): FileEntry | undefined {
    if (this.mustLast(info) || this.#tree.disk.pooled || bytes.length > SMALL || info.ifAbsent || info.metadata)
      return undefined
    const directory = this.placeNow(parentOf(path))
    return directory && this.#writeNow(directory, path, bytes, info)
  }

  /** Writes a file in one go, between two turns of the event loop. */
  async #putSmall(ctx: Context, path: string, body: FileSlice, info: PutInfo): Promise<FileEntry> {
    const dir = parentOf(path)
    const bytes = await bytesOf(body)
    throwIfAborted(ctx.signal)
    const directory = this.#places.get(dir) ?? this.#places.keep(dir, await this.#enter(dir, false))
    return this.#writeNow(directory, path, bytes, info)
  }

  /** The directory as it was opened in this turn of the event loop, at whose end it is closed. */
  placeNow(dir: string): Directory | undefined {
    const known = this.#places.get(dir)
    if (known) return known
    const opened = this.#tree.openDirectoryNow(dir)
    return opened && this.#places.keep(dir, opened)
  }

  #writeNow(directory: Directory, path: string, bytes: Uint8Array, info: PutInfo): FileEntry {
    const leaf = writableLeaf(path)
    try {
      const { modTime } = this.#times(info)
      const file = { temp: this.#names.next(), leaf, bytes, modTime, replaces: info.replaces !== false }
      const stats = this.#tree.disk.timed(() => writeSmall(directory, file))
      this.#parts.hot.forget(path)
      return toFileEntry(path, stats, this.#parts.options.timeType)
    } catch (error) {
      throw toAppError(error)
    }
  }

  /** See `Remote.openWriter`. */
  async openWriter(ctx: Context, path: string, info: PutInfo): Promise<WriterAt> {
    const leaf = writableLeaf(path)
    const durable = this.mustLast(info)
    const directory = await this.#enter(parentOf(path), durable)
    const temp = await this.#temp(directory, durable).catch(async (error: unknown) => {
      await directory.close()
      throw error
    })
    const named = () => this.#finish(ctx, temp, { path, leaf, info })
    return await LocalWriter.begin(temp, { directory, named, size: info.size, sparse: !this.#parts.options.noSparse })
  }

  /** Gives a file that is written whole its name, and what is to be kept of its source. */
  async #finish(ctx: Context, temp: TempFile, { path, leaf, info }: Named): Promise<FileEntry> {
    const { owner, ...attributes } = attributesOf(info.metadata)
    await (owner && temp.giveTo(owner))?.catch((error: unknown) => {
      ctx.log.debug(`keeps its owner here: ${messageOf(error)}`, { object: path })
    })
    const stats = await temp.commit(leaf, { ...attributes, ...this.#times(info) })
    this.#parts.hot.forget(path)
    return toFileEntry(path, stats, this.#parts.options.timeType)
  }

  /** See `Remote.copy`. */
  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const leaf = writableLeaf(to)
    const { fd, stats } = await this.#tree.openFile(file.path)
    try {
      const source = process.platform === 'linux' ? `/proc/self/fd/${fd}` : (this.#tree.diskPath(file.path) ?? '')
      const durable = this.mustLast()
      const directory = await this.#enter(parentOf(to), durable)
      try {
        const temp = await this.#temp(directory, durable)
        try {
          // Clones where the file system can, copies inside the kernel otherwise.
          await fsp.copyFile(source, temp.place, constants.COPYFILE_FICLONE).catch(rethrow)
          throwIfAborted(ctx.signal)
          const written = await this.#finish(ctx, temp, { path: to, leaf, info: { modTime: file.modTime } })
          if (written.size !== Number(stats.size))
            throw new AppError('io', `${file.path} has changed while it was copied`)
          return written
        } finally {
          await temp.close()
        }
      } finally {
        await directory.close()
      }
    } finally {
      await closeFd(fd)
    }
  }

  /** Gives a file or directory another name. */
  async rename(from: string, to: string): Promise<void> {
    const target = writableLeaf(to)
    const { parent: source, leaf } = await parentDirectory(this.#tree, from)
    try {
      const durable = this.mustLast()
      const directory = await this.#enter(parentOf(to), durable)
      try {
        await fsp.rename(source.at(leaf), directory.at(target)).catch(rethrow)
        if (durable) await Promise.all([directory.sync(), source.sync()])
      } finally {
        this.#parts.hot.forget(from)
        this.#parts.hot.forget(to)
        await directory.close()
      }
    } finally {
      await source.close()
    }
  }

  /** Whether a change has to be on the disk before it counts as made. */
  mustLast({ durable = true }: Pick<PutInfo, 'durable'> = {}): boolean {
    const { durability } = this.#parts.options
    return durability === 'full' || (durability === 'auto' && durable)
  }

  /** A name for something that gets its own once it is whole; it is removed should the process be killed before. */
  freeName(): string {
    return this.#names.next()
  }

  /** The directory is gone, or may be filled by others. */
  forget(dir: string): void {
    this.#swept.delete(dir)
  }

  #temp(directory: Directory, durable: boolean): Promise<TempFile> {
    return TempFile.create({ directory, disk: this.#tree.disk, names: this.#names, durable })
  }

  get #names(): TempNames {
    return (this.#temps ??= new TempNames(this.#parts.suffix))
  }

  /** Opens a directory to write in. The first time, what killed processes left there is removed meanwhile. */
  async #enter(dir: string, durable: boolean): Promise<Directory> {
    const directory = await this.#tree.enter(dir, durable)
    if (this.#swept.size < MAX_SWEPT && !this.#swept.has(dir)) {
      this.#swept.add(dir)
      if (directory.made) return directory
      const place = this.#tree.diskPath(dir)
      if (place !== undefined) void this.#names.sweep(place)
    }
    return directory
  }

  #times(info: PutInfo): PutInfo {
    return this.#parts.options.noSetModtime ? { ifAbsent: info.ifAbsent } : info
  }
}

/** Writes all of an upload; of a file that is already here by large reads and writes at once. */
async function fill(ctx: Context, temp: TempFile, body: Body, info: PutInfo): Promise<void> {
  if (body instanceof FileSlice && info.size === body.length && !info.hashes) await temp.fillFrom(body, ctx.signal)
  else await temp.fill(incoming(body, info, ctx.signal))
}

function writableLeaf(path: string): OsPath {
  return leafOf(asCanonical(path))
}
