import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { AppError, errorCode, rethrow, toAppError } from '../../base/error.ts'
import { nameOf, parentOf } from '../../base/path.ts'
import type { Nanoseconds } from '../../base/time.ts'
import { closeFd, closeFdNow, fdTarget, type Disk } from './disk.ts'
import { diskPath, joinDisk, rawText, type OsPath } from './names.ts'
import type { DiskStats } from './entry.ts'
import { isTempName } from './temp.ts'
import { setFdTime } from './times.ts'
import type { Turn } from './turn.ts'

// Those that a system lacks are undefined, which counts as 0.
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants
const fsyncFd = promisify(fs.fsync)

export interface LinkPolicy {
  readonly copyLinks: boolean
  readonly copyLinksOutside: boolean
  readonly oneFileSystem: boolean
}

/**
 * The part of the disk below one root, and the guard at its border: whatever a path leads to is compared with the real root
 * after all links are resolved, on the opened descriptor where something was opened. Without `copyLinks` no link is followed
 * at all (the root itself may be one); with it, links may not lead out of the root unless `copyLinksOutside` is set.
 */
export class Tree {
  readonly root: string
  readonly disk: Disk
  readonly policy: LinkPolicy
  readonly #turn: Turn
  #real: { turn: number; path: string; device: bigint } | undefined

  constructor(root: string, disk: Disk, policy: LinkPolicy, turn: Turn) {
    this.root = root
    this.disk = disk
    this.policy = policy
    this.#turn = turn
  }

  /** The path on the disk; undefined when no file can be shown under this path. */
  diskPath(path: string): OsPath | undefined {
    if (path === '') return this.root
    if (path.includes('.sluice-') && isTempName(nameOf(path))) return undefined
    const below = diskPath(path)
    return below === undefined ? undefined : joinDisk(this.root, below)
  }

  /** The stats of the file or directory at a path; undefined when there is none, or only one behind a link not to follow. */
  async locate(path: string): Promise<fs.BigIntStats | undefined> {
    const place = this.diskPath(path)
    if (place === undefined) return undefined
    try {
      const root = await this.realRoot()
      const real = await this.disk.realpath(place)
      if (!this.#allows(real, path, root.path)) return undefined
      const stats = await this.disk.stat(place, this.policy.copyLinks || path === '')
      return this.visible(stats, root.device) ? stats : undefined
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw toAppError(error)
    }
  }

  /** True for what exists for us: regular files and directories, on the root's own file system if that is asked. */
  visible(stats: DiskStats, device: bigint): boolean {
    return (stats.isFile() || stats.isDirectory()) && this.#onDevice(stats.dev, device)
  }

  #onDevice(found: bigint, device: bigint): boolean {
    return !this.policy.oneFileSystem || found === device
  }

  #realRootNow(): { path: string; device: bigint } {
    const turn = this.#turn.number
    if (this.#real?.turn === turn) return this.#real
    const path = fs.realpathSync.native(this.root, { encoding: 'latin1' })
    const { dev } = fs.statSync(this.root, { bigint: true })
    const real = { turn, path, device: dev }
    this.#real = real
    return real
  }

  /** Opens a file for reading. Throws `not-found`, also for what is neither file nor directory; `is-directory`, `denied`. */
  async openFile(path: string): Promise<{ fd: number; stats: fs.BigIntStats }> {
    const place = this.diskPath(path)
    if (place === undefined) throw absent(path)
    // O_NONBLOCK: a fifo that was put in a file's place would wait for a writer for ever.
    const flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (this.policy.copyLinks ? 0 : O_NOFOLLOW)
    const { path: root, device } = await this.#rootOf(path)
    const fd = await this.#open(place, flags, path)
    try {
      const stats = await this.disk.fstat(fd)
      const target = fdTarget(fd)
      const real =
        target === undefined
          ? await this.disk.realpath(place)
          : stats.nlink === 0n && target.endsWith(' (deleted)')
            ? target.slice(0, -' (deleted)'.length)
            : target
      if (!this.#allows(real, path, root) || !this.visible(stats, device)) throw absent(path)
      if (stats.isDirectory()) throw new AppError('is-directory', `${path} is a directory`)
      return { fd, stats }
    } catch (error) {
      await closeFd(fd)
      throw toAppError(error)
    }
  }

  /** Opens a directory. Throws `not-found`, `not-directory`, `denied`. */
  async openDirectory(path: string): Promise<Directory> {
    const place = this.diskPath(path)
    if (place === undefined) throw absent(path)
    const root = await this.#rootOf(path)
    const fd = await this.#open(place, O_RDONLY | O_DIRECTORY | O_NONBLOCK, path)
    try {
      const target = fdTarget(fd)
      if (!this.#allows(target ?? (await this.disk.realpath(place)), path, root.path)) throw absent(path)
      const stats = await this.disk.fstat(fd)
      if (!this.visible(stats, root.device)) throw absent(path)
      const { network } = this.disk
      return new Directory(fd, target === undefined ? place : `/proc/self/fd/${fd}`, { device: root.device, network })
    } catch (error) {
      await closeFd(fd)
      throw toAppError(error)
    }
  }

  /** As `openDirectory`, by direct calls. Undefined when there is none to open: that one tells why. */
  openDirectoryNow(path: string): Directory | undefined {
    const place = this.diskPath(path)
    if (place === undefined || process.platform !== 'linux') return undefined
    let fd: number | undefined
    try {
      const root = this.#realRootNow()
      fd = fs.openSync(place, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
      const target = fdTarget(fd)
      const { dev } = fs.fstatSync(fd, { bigint: true })
      if (target !== undefined && this.#allows(target, path, root.path) && this.#onDevice(dev, root.device))
        return new Directory(fd, `/proc/self/fd/${fd}`, { device: root.device, network: this.disk.network })
    } catch {
      // the pooled way tells
    }
    if (fd !== undefined) closeFdNow(fd)
    return undefined
  }

  /** Opens a directory and makes it and its parents first where they are missing; each new name is put on the disk. */
  async enter(path: string, durable: boolean): Promise<Directory> {
    try {
      return await this.openDirectory(path)
    } catch (error) {
      if (toAppError(error).code !== 'not-found') throw error
    }
    const place = diskPath(path)
    if (place === undefined || isTempName(nameOf(path)))
      throw new AppError('invalid', `${path} is no name for a file here`)
    if (path === '') {
      await makeAll(this.root).catch(rethrow)
      this.#real = undefined
      return await this.openDirectory(path)
    }
    const parent = await this.enter(parentOf(path), durable)
    let made = true
    try {
      await this.disk.mkdir(parent.at(leafOf(path)))
      if (durable) await parent.sync()
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw toAppError(error)
      made = false
    } finally {
      await parent.close()
    }
    const directory = await this.openDirectory(path)
    directory.made = made
    return directory
  }

  /** True when a link in a listing may be followed, by where it leads. */
  async follows(link: OsPath): Promise<boolean> {
    try {
      return this.policy.copyLinks && this.#inside(await this.disk.realpath(link), (await this.realRoot()).path)
    } catch {
      return false
    }
  }

  /** The real path of the root and its file system; looked up once a turn, for a root that is a link may be led elsewhere. */
  async realRoot(): Promise<{ path: string; device: bigint }> {
    const turn = this.#turn.number
    if (this.#real?.turn === turn) return this.#real
    const path = await this.disk.realpath(this.root)
    const { dev } = await this.disk.stat(this.root, true)
    const real = { turn, path, device: dev }
    this.#real = real
    return real
  }

  async #rootOf(path: string): Promise<{ path: string; device: bigint }> {
    try {
      return await this.realRoot()
    } catch (error) {
      throw isAbsent(error) ? absent(path) : toAppError(error)
    }
  }

  async #open(place: OsPath, flags: number, path: string): Promise<number> {
    try {
      return await this.disk.open(place, flags)
    } catch (error) {
      const code = errorCode(error)
      // ENXIO: a socket, or a fifo without a reader. ENOTDIR: a file in the way, of which only the last is told apart.
      if (code === 'ENXIO' || code === 'ELOOP') throw absent(path, error)
      if (code === 'ENOTDIR' && (await this.locate(path)) === undefined) throw absent(path, error)
      throw isAbsent(error) && code !== 'ENOTDIR' ? absent(path, error) : toAppError(error)
    }
  }

  #allows(real: string, path: string, root: string): boolean {
    if (this.policy.copyLinks) return this.#inside(real, root)
    if (path === '') return real === root
    const below = diskPath(path)
    if (below === undefined) return false
    const expected = `${root === '/' ? '' : root}/${rawText(below)}`
    return real === expected || (process.platform === 'darwin' && folded(real) === folded(expected))
  }

  #inside(real: string, root: string): boolean {
    return this.policy.copyLinksOutside || real === root || real.startsWith(root === '/' ? root : `${root}/`)
  }
}

/** An open directory. Names in it are reached by way of the descriptor, so that no swapped link can lead elsewhere (Linux). */
export class Directory {
  readonly device: bigint
  /** True when it was made to be opened: it holds nothing of anybody else. */
  made = false
  readonly #fd: number
  readonly #place: OsPath
  readonly #network: boolean
  #closed = false

  constructor(fd: number, place: OsPath, { device, network }: { device: bigint; network: boolean }) {
    this.#fd = fd
    this.#network = network
    this.#place = place
    this.device = device
  }

  /** The path of the directory itself for as long as it is open. */
  get place(): OsPath {
    return this.#place
  }

  at(name: OsPath): OsPath {
    return joinDisk(this.#place, name)
  }

  async setTime(time: Nanoseconds): Promise<void> {
    await setFdTime(this.#fd, time)
  }

  /** Puts the names in it on the disk. File systems that cannot do that for a directory are taken at their word. */
  async sync(): Promise<void> {
    await fsyncFd(this.#fd).catch((error: unknown) => {
      if (errorCode(error) !== 'EINVAL' && errorCode(error) !== 'ENOTSUP') rethrow(error)
    })
  }

  /** Unlike that of a large deleted file, the close of a local directory is nothing to wait for. */
  async close(): Promise<void> {
    if (this.#network && this.#mayClose()) await closeFd(this.#fd)
    else this.closeNow()
  }

  /** Closes it without a wait. */
  closeNow(): void {
    if (this.#mayClose()) closeFdNow(this.#fd)
  }

  /** True once: after that the descriptor's number may be that of another file. */
  #mayClose(): boolean {
    const open = !this.#closed
    this.#closed = true
    return open
  }
}

/** The last name of a path, as it is on the disk. */
export function leafOf(path: string): OsPath {
  const leaf = diskPath(nameOf(path))
  if (leaf === undefined || leaf.length === 0 || isTempName(nameOf(path)))
    throw new AppError('invalid', `${path} is no name for a file here`)
  return leaf
}

export function absent(path: string, cause?: unknown): AppError {
  return new AppError('not-found', path === '' ? 'the root does not exist' : `${path} does not exist`, { cause })
}

/** True for errors that mean: there is nothing under such a name. */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG'
}

function folded(path: string): string {
  return Buffer.from(path, 'latin1').toString().normalize('NFC').toLowerCase()
}

/** Makes a directory and its parents. Node's own way to do that never ends where the system makes none, as in /proc. */
async function makeAll(dir: string): Promise<void> {
  try {
    await fs.promises.mkdir(dir)
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return
    if (errorCode(error) !== 'ENOENT' || dirname(dir) === dir) throw error
    await makeAll(dirname(dir))
    await fs.promises.mkdir(dir).catch((reason: unknown) => {
      if (errorCode(reason) !== 'EEXIST') throw reason
    })
  }
}
