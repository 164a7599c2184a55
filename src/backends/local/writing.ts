import * as fs from 'node:fs'
import { throwIfAborted } from '../../base/abort.ts'
import type { Body, FileSlice } from '../../base/body.ts'
import { AppError, errorCode, rethrow, toAppError } from '../../base/error.ts'
import type { PutInfo } from '../../remote/remote.ts'
import type { Disk } from './disk.ts'
import type { Attributes, Owner } from './metadata.ts'
import type { OsPath } from './names.ts'
import type { TempNames } from './temp.ts'
import { setFdTime } from './times.ts'
import type { Directory } from './tree.ts'

/** Large files go in parts of this size. */
const BLOCK = 1024 * 1024

const { O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants

export interface TempFileParts {
  /** Where the file is to be; it stays open meanwhile. */
  readonly directory: Directory
  readonly disk: Disk
  readonly names: TempNames
  /** Whether it has to be on the disk before it gets its name. */
  readonly durable: boolean
}

/** How a file is finished: what it gets with its name. */
export type Finish = Pick<PutInfo, 'modTime' | 'ifAbsent'> & Pick<Attributes, 'mode' | 'atime'>

/**
 * A file under a temporary name in the directory where it is to be. It gets its name by one rename once it is whole and, when
 * durable, on the disk; until then nobody sees it, and what had the name before stays.
 */
export class TempFile {
  readonly #directory: Directory
  readonly #disk: Disk
  readonly #place: OsPath
  readonly #durable: boolean
  #file: fs.promises.FileHandle | undefined
  #named = false

  private constructor({ directory, disk, durable }: TempFileParts, place: OsPath, file: fs.promises.FileHandle) {
    this.#directory = directory
    this.#disk = disk
    this.#place = place
    this.#file = file
    this.#durable = durable
  }

  static async create(parts: TempFileParts): Promise<TempFile> {
    const place = parts.directory.at(parts.names.next())
    const file = await fs.promises.open(place, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666).catch(rethrow)
    return new TempFile(parts, place, file)
  }

  /** Where it is while it has no name of its own. */
  get place(): OsPath {
    return this.#place
  }

  /** Writes a whole upload. */
  async fill(body: Body): Promise<void> {
    for await (const chunk of body) await this.write(chunk)
  }

  /** Writes all of an open file: reads a part while the one before is written, in two buffers. Throws when it ends early. */
  async fillFrom(slice: FileSlice, signal: AbortSignal): Promise<void> {
    try {
      const buffers = [Buffer.allocUnsafeSlow(BLOCK), Buffer.allocUnsafeSlow(BLOCK)] as const
      let written: Promise<void> | void = undefined
      for (let at = slice.start, turn = 0; at < slice.end; turn ^= 1) {
        throwIfAborted(signal)
        const into = (buffers[turn] as Buffer).subarray(0, Math.min(BLOCK, slice.end - at))
        const [count] = await Promise.all([slice.read(into, at), written])
        at += count
        written = this.write(into.subarray(0, count))
        // It is awaited in its turn.
        written?.catch(() => {})
      }
      await written
      await slice.confirm()
    } finally {
      await slice.close()
    }
  }

  /** Writes all of a chunk, at a place or behind the last one; at once where the disk is fast. */
  write(chunk: Uint8Array, at: number | null = null): Promise<void> | void {
    const { fd } = this.#handle
    try {
      const count = this.#disk.write(fd, chunk, at)
      if (count !== chunk.length) return this.#rest(fd, chunk, at, count)
    } catch (error) {
      rethrow(error)
    }
  }

  /** Goes on after a write that is under way, or took only a part. */
  async #rest(fd: number, chunk: Uint8Array, at: number | null, first: number | Promise<number>): Promise<void> {
    try {
      for (let done = await first; done < chunk.length;)
        done += await this.#disk.write(fd, chunk.subarray(done), at === null ? null : at + done)
    } catch (error) {
      rethrow(error)
    }
  }

  /** Makes the file `size` bytes long at once, sparse where the file system can. */
  async reserve(size: number): Promise<void> {
    await this.#handle.truncate(size).catch(rethrow)
  }

  /** Gives the file to another user. Throws `denied` when this one may not. */
  async giveTo({ uid, gid }: Owner): Promise<void> {
    await this.#handle.chown(uid, gid).catch(rethrow)
  }

  /** Gives the file its name, replacing what has it, or failing with `exists` when `ifAbsent` is set. */
  async commit(leaf: OsPath, info: Finish): Promise<fs.BigIntStats> {
    const target = this.#directory.at(leaf)
    try {
      if (info.mode !== undefined) await this.#handle.chmod(info.mode)
      else if (!info.ifAbsent) await this.#keepMode(target)
      if (info.modTime !== undefined) await setFdTime(this.#handle.fd, info.modTime, info.atime)
      if (this.#durable) await this.#handle.sync()
      if (info.ifAbsent) await this.#claim(target)
      else await fs.promises.rename(this.#place, target)
      this.#named = true
      const stats = await this.#handle.stat({ bigint: true })
      if (this.#durable) await this.#directory.sync()
      return stats
    } catch (error) {
      throw toAppError(error)
    }
  }

  /** Bytes from `at` on that were written; see `Store.read`. */
  async read(at: number, max: number, into?: Uint8Array): Promise<Uint8Array> {
    const room = into && into.length >= max ? into : Buffer.allocUnsafe(max)
    const { bytesRead, buffer } = await this.#handle.read(room, 0, max, at).catch(rethrow)
    if (bytesRead === 0) throw new AppError('io', `byte ${at} of a file that is being written is gone`)
    return buffer.subarray(0, bytesRead)
  }

  /** Closes it, and removes it if it has not got its name. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close().catch(() => {})
    if (file && !this.#named) await fs.promises.unlink(this.#place).catch(() => {})
  }

  get #handle(): fs.promises.FileHandle {
    if (!this.#file) throw new AppError('io', 'the file is closed already')
    return this.#file
  }

  /** A file that is replaced keeps its permissions. */
  async #keepMode(target: OsPath): Promise<void> {
    try {
      const old = await fs.promises.lstat(target)
      if (old.isFile()) await this.#handle.chmod(old.mode & 0o777)
    } catch {
      // a new file, or one of somebody else
    }
  }

  async #claim(target: OsPath): Promise<void> {
    try {
      await fs.promises.link(this.#place, target)
    } catch (error) {
      const code = errorCode(error)
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK' && code !== 'ENOSYS') throw error
      // A file system without links: an empty file of that name is the claim.
      await (await fs.promises.open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666)).close()
      await fs.promises.rename(this.#place, target)
      return
    }
    await fs.promises.unlink(this.#place)
  }
}
