import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { type Sendfile, systemSendfile } from '../../base/sendfile.ts'
import type { OsPath } from './names.ts'

const openFile = promisify(fs.open)
const statFd = promisify(fs.fstat) as (fd: number, options: { bigint: true }) => Promise<fs.BigIntStats>
const bigint = { bigint: true } as const
const raw = { encoding: 'latin1' } as const

/** A call that took longer than this made everybody else wait. */
const SLOW_MS = 5
/** A disk that was slow is asked through the thread pool for so many times as long, at least PAUSE_MS and at most MAX_PAUSE_MS. */
const PAUSE_FACTOR = 50
const PAUSE_MS = 1000
const MAX_PAUSE_MS = 10_000
/** Reads and writes up to this size (0.1 ms in memory) are done in place: they cost less than the way to another thread and back. */
export const SMALL = 512 * 1024

/**
 * Calls to the file system. On a local disk whose answers come from memory a direct call takes about 2 µs, the thread pool
 * 20 to 40; so calls are direct until one of them was slow (a cold disk, memory pressure), then pooled for a while, so that
 * the event loop waits for a disk a fiftieth of the time at most. Network file systems are always asked through the pool.
 */
export class Disk {
  /** True for a file system on another machine, or in another process. */
  readonly network: boolean
  readonly #clock: () => number
  readonly #queued: () => number
  #pooledUntil = -Infinity
  #queuedBefore = 0
  /** undefined = not looked for yet */
  #sendfile: Sendfile | false | undefined

  /** `queued` = how long this thread has waited for a processor so far, in ms. */
  constructor(network: boolean, clock: () => number = () => performance.now(), queued: () => number = queuedTime) {
    this.network = network
    this.#clock = clock
    this.#queued = queued
  }

  /** True while direct calls are to be avoided. */
  get pooled(): boolean {
    return this.network || this.#clock() < this.#pooledUntil
  }

  /** Runs a call in place or, when that would be slow, its pooled twin. */
  run<T>(direct: () => T, pooled: () => Promise<T>): T | Promise<T> {
    return this.pooled ? pooled() : this.timed(direct)
  }

  /** Runs a few calls in place, whatever that takes, and remembers when they were slow. */
  timed<T>(direct: () => T): T {
    const start = this.#clock()
    try {
      return direct()
    } finally {
      const end = this.#clock()
      if (end - start > SLOW_MS) this.#wasSlow(end - start, end)
    }
  }

  #wasSlow(ms: number, now: number): void {
    // On a busy machine the time may have gone by waiting for a processor, which is no fault of the disk.
    const queued = this.#queued()
    const waited = queued - this.#queuedBefore
    this.#queuedBefore = queued
    if (waited < ms / 2) this.#pooledUntil = now + Math.min(MAX_PAUSE_MS, Math.max(PAUSE_MS, ms * PAUSE_FACTOR))
  }

  /** The stats of what is at `path`, or of the link itself without `follow`. */
  stat(path: OsPath, follow: boolean): fs.BigIntStats | Promise<fs.BigIntStats> {
    return follow
      ? this.run(
          () => fs.statSync(path, bigint),
          () => fs.promises.stat(path, bigint),
        )
      : this.run(
          () => fs.lstatSync(path, bigint),
          () => fs.promises.lstat(path, bigint),
        )
  }

  /** The path without any link in it, its bytes as Latin-1 text. */
  realpath(path: OsPath): string | Promise<string> {
    return this.run(
      () => fs.realpathSync.native(path, raw),
      () => fs.promises.realpath(path, raw),
    )
  }

  open(path: OsPath, flags: number): number | Promise<number> {
    return this.run(
      () => fs.openSync(path, flags),
      () => openFile(path, flags),
    )
  }

  mkdir(path: OsPath): void | Promise<void> {
    return this.run(
      () => fs.mkdirSync(path),
      () => fs.promises.mkdir(path),
    )
  }

  fstat(fd: number): fs.BigIntStats | Promise<fs.BigIntStats> {
    return this.run(
      () => fs.fstatSync(fd, bigint),
      () => statFd(fd, bigint),
    )
  }

  /** Reads at a position; gives the count of bytes, 0 at the end. */
  async read(fd: number, into: Uint8Array, position: number): Promise<number> {
    if (into.length > SMALL) return await pooledRead(fd, into, position)
    return await this.run(
      () => fs.readSync(fd, into, 0, into.length, position),
      () => pooledRead(fd, into, position),
    )
  }

  /** Writes some of the bytes, at a position or (null) behind the last ones; gives the count. */
  write(fd: number, bytes: Uint8Array, position: number | null): number | Promise<number> {
    if (bytes.length > SMALL) return pooledWrite(fd, bytes, position)
    return this.run(
      () => fs.writeSync(fd, bytes, 0, bytes.length, position),
      () => pooledWrite(fd, bytes, position),
    )
  }

  /** Has the system send bytes of a file to a socket: see `ByteSource.sendTo`. Nothing while direct calls are to be avoided. */
  sendTo(socket: number, fd: number, position: number, count: number): number | undefined {
    if (this.pooled) return undefined
    this.#sendfile ??= systemSendfile() ?? false
    const send = this.#sendfile
    return send ? this.timed(() => send(socket, fd, position, Math.min(count, SMALL))) : undefined
  }
}

/** How long this thread was ready to run and had no processor, in ms (Linux: proc(5), schedstat); 0 when unknown. */
function queuedTime(): number {
  try {
    return Number(fs.readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

function pooledRead(fd: number, into: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.read(fd, into, 0, into.length, position, (error, count) => (error ? reject(error) : resolve(count))),
  )
}

function pooledWrite(fd: number, bytes: Uint8Array, position: number | null): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.write(fd, bytes, 0, bytes.length, position, (error, count) => (error ? reject(error) : resolve(count))),
  )
}

/** Closes a descriptor; the last close of a large deleted file takes long, so never in place. */
export function closeFd(fd: number): Promise<void> {
  return new Promise((resolve) => fs.close(fd, () => resolve()))
}

/** Closes a descriptor at once: of a directory, or a file so small that even its last close takes no time. */
export function closeFdNow(fd: number): void {
  try {
    fs.closeSync(fd)
  } catch {
    // A network file system tells of earlier errors here; nothing was written by this descriptor.
  }
}

/** Where an open descriptor leads now, as Latin-1 text; undefined where the system cannot tell. */
export function fdTarget(fd: number): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`, raw)
  } catch {
    return undefined
  }
}

const networkTypes: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x65735546, // FUSE
  0x01021997, // 9P
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
  0x5346414f, // AFS
  0x6b414653, // AFS
  0x73757245, // Coda
  0x47504653, // GPFS
  0x01161970, // GFS2
  0x7461636f, // OCFS2
  0x786f4256, // VirtualBox shared folder
])
/** FAT and its like, whose times have steps of up to 2 s. */
const coarseTypes: ReadonlySet<number> = new Set([0x4d44, 0x2011bab0])

export interface FileSystemKind {
  readonly network: boolean
  /** How old a change must be before an unchanged time proves that nothing changed since, in ms. */
  readonly settleMs: number
}

/** What kind of file system holds `path`. Unknown (also a path that is not there) counts as a local disk. */
export function fileSystemKind(path: OsPath): FileSystemKind {
  const local = { network: false, settleMs: 50 }
  if (process.platform !== 'linux') return local
  try {
    const type = fs.statfsSync(path).type >>> 0
    return { network: networkTypes.has(type), settleMs: coarseTypes.has(type) ? 2500 : local.settleMs }
  } catch {
    return local
  }
}
