import * as fs from 'node:fs'
import { FileSlice, type Body } from '../../base/body.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { FileEntry, PutInfo } from '../../remote/remote.ts'
import { closeFdNow, SMALL } from './disk.ts'
import { versionOf } from './entry.ts'
import type { OsPath } from './names.ts'
import { secondsOf } from './times.ts'
import type { Directory } from './tree.ts'
import type { Turn } from './turn.ts'

// Those that a system lacks are undefined, which counts as 0.
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants

/** True for the bytes of a small file of which all is known beforehand, so that they can be taken and written in one go. */
export function isSmall(body: Body, info: PutInfo): body is FileSlice {
  return (
    body instanceof FileSlice &&
    body.length <= SMALL &&
    info.size === body.length &&
    !info.hashes &&
    !info.ifAbsent &&
    !info.metadata
  )
}

/** All bytes of a slice. Throws when it ends early. */
export async function bytesOf(slice: FileSlice): Promise<Uint8Array> {
  try {
    const bytes = Buffer.allocUnsafe(slice.length)
    for (let done = 0; done < bytes.length;) done += await slice.read(bytes.subarray(done), slice.start + done)
    await slice.confirm()
    return bytes
  } finally {
    await slice.close()
  }
}

/**
 * Reads a small file by direct calls into a buffer. Undefined when it is not, or no more, what its entry says: the look at it
 * comes after the read, so that the bytes are of that one version.
 */
export function readSmall(directory: Directory, leaf: OsPath, file: FileEntry, into: Buffer): Uint8Array | undefined {
  // Without O_NOFOLLOW a link would lead anywhere; O_NONBLOCK: a fifo would wait for a writer.
  const fd = fs.openSync(directory.at(leaf), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
  try {
    // One byte more is asked for: a file that has grown shows by it.
    const done = fs.readSync(fd, into, 0, file.size + 1, null)
    const stats = fs.fstatSync(fd, { bigint: true })
    const same = done === file.size && stats.isFile() && versionOf(stats) === file.version
    return same ? into.subarray(0, done) : undefined
  } finally {
    closeFdNow(fd)
  }
}

export interface SmallFile {
  /** The name it has until it is whole. */
  readonly temp: OsPath
  readonly leaf: OsPath
  readonly bytes: Uint8Array
  readonly modTime: Nanoseconds | undefined
  /** Whether there may be a file whose place it takes. */
  readonly replaces: boolean
}

/**
 * Writes a small file by direct calls, as `TempFile` does by pooled ones: under a temporary name, then renamed, so that
 * nobody ever sees a part of it. It is not put on the disk.
 */
export function writeSmall(directory: Directory, { temp, leaf, bytes, modTime, replaces }: SmallFile): fs.BigIntStats {
  const place = directory.at(temp)
  const target = directory.at(leaf)
  const fd = fs.openSync(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666)
  try {
    for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done)
    if (replaces) keepMode(fd, target)
    if (modTime !== undefined) {
      const seconds = secondsOf(modTime)
      fs.futimesSync(fd, seconds, seconds)
    }
    fs.renameSync(place, target)
    return fs.fstatSync(fd, { bigint: true })
  } catch (error) {
    removed(place)
    throw error
  } finally {
    fs.closeSync(fd)
  }
}

/** A file that is replaced keeps its permissions. */
function keepMode(fd: number, target: OsPath): void {
  const old = fs.lstatSync(target, { throwIfNoEntry: false })
  if (old?.isFile()) fs.fchmodSync(fd, old.mode & 0o777)
}

function removed(place: OsPath): void {
  try {
    fs.unlinkSync(place)
  } catch {
    // it has its name already, or the disk is gone
  }
}

/**
 * Directories that were opened and verified in this turn of the event loop, for all that is written in them by direct calls
 * in the same turn: they are closed at its end, so nobody may keep one over a wait.
 */
export class WorkPlaces {
  readonly #turn: Turn
  readonly #open = new Map<string, Directory>()

  constructor(turn: Turn) {
    this.#turn = turn
  }

  get(dir: string): Directory | undefined {
    return this.#open.get(dir)
  }

  /** Takes over a directory that was just opened. */
  keep(dir: string, directory: Directory): Directory {
    const known = this.#open.get(dir)
    if (known) {
      directory.closeNow()
      return known
    }
    if (this.#open.size === 0) this.#turn.atEnd(() => this.#closeAll())
    this.#open.set(dir, directory)
    return directory
  }

  #closeAll(): void {
    for (const directory of this.#open.values()) directory.closeNow()
    this.#open.clear()
  }
}
