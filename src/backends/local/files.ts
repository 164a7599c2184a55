import type { BigIntStats } from 'node:fs'
import type { ByteSource } from '../../base/body.ts'
import { Chain, type Link } from '../../base/chain.ts'
import { AppError } from '../../base/error.ts'
import { closeFd, closeFdNow, type Disk, SMALL } from './disk.ts'

interface OpenFile extends Link<OpenFile> {
  readonly fd: number
  readonly key: string | undefined
  /** As it was when it was opened. */
  readonly stats: BigIntStats
  readonly small: boolean
  readers: number
  idleSince: number
}

export interface OpenFilesOptions {
  /** How many files that nobody reads stay open. */
  readonly maxIdle?: number
  /** For how long they do. */
  readonly idleMs?: number
  readonly clock?: () => number
  /** Whether sources can tell that their file was changed meanwhile. */
  readonly confirms?: boolean
  /** Whether the system may send a file by itself. */
  readonly sendfile?: boolean
}

/**
 * Open files shared by their readers. A file that nobody reads stays open for a while, so that many small reads of one file
 * cost one `pread` each. The key holds path and version: another version is another file.
 */
export class OpenFiles {
  readonly #disk: Disk
  readonly #maxIdle: number
  readonly #idleMs: number
  readonly #clock: () => number
  readonly #open = new Map<string, OpenFile>()
  /** Those that nobody reads, the longest idle first. */
  readonly #idle = new Chain<OpenFile>()
  readonly #closing = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  readonly #confirms: boolean
  readonly #sendfile: boolean
  #closed = false

  constructor(disk: Disk, options: OpenFilesOptions = {}) {
    const { maxIdle = 16, idleMs = 5000, clock = () => performance.now(), confirms = true, sendfile = true } = options
    this.#confirms = confirms
    this.#sendfile = sendfile && !disk.network
    this.#disk = disk
    this.#maxIdle = maxIdle
    this.#idleMs = idleMs
    this.#clock = clock
  }

  /** A source on an open file of this key, if there is one. */
  take(key: string): ByteSource | undefined {
    const file = this.#open.get(key)
    if (!file) return undefined
    if (file.readers++ === 0) this.#idle.remove(file)
    return this.#source(file)
  }

  /** Takes over a descriptor that was just opened; gives a source on it. Without a key it is never shared. */
  add(key: string | undefined, fd: number, stats: BigIntStats): ByteSource {
    const small = stats.size <= SMALL && !this.#disk.network
    const file: OpenFile = { fd, key, stats, small, readers: 1, idleSince: 0, next: undefined, previous: undefined }
    // Two may have opened the same file at once: the second keeps its own, which is closed after use.
    if (key !== undefined && !this.#closed && !this.#open.has(key)) this.#open.set(key, file)
    return this.#source(file)
  }

  /** Closes what is idle now, and the rest as soon as its readers are done. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    for (const file of this.#idle) this.#close(file)
    this.#open.clear()
    await Promise.all(this.#closing)
  }

  #source(file: OpenFile): ByteSource {
    const disk = this.#disk
    let done = false
    return {
      read: (into, position) => disk.read(file.fd, into, position),
      ...(this.#sendfile && {
        sendTo: (socket, position, count) => disk.sendTo(socket, file.fd, position, count),
      }),
      ...(this.#confirms && { confirm: () => confirm(disk, file) }),
      close: async () => {
        if (done) return
        done = true
        await this.#release(file)
      },
    }
  }

  async #release(file: OpenFile): Promise<void> {
    if (--file.readers > 0) return
    if (this.#closed || file.key === undefined || this.#open.get(file.key) !== file)
      return file.small ? closeFdNow(file.fd) : await closeFd(file.fd)
    file.idleSince = this.#clock()
    this.#idle.add(file)
    if (this.#idle.size > this.#maxIdle && this.#idle.first) return this.#close(this.#idle.first)
    this.#timer ??= setInterval(() => this.#sweep(), this.#idleMs / 2).unref()
  }

  #sweep(): void {
    const latest = this.#clock() - this.#idleMs
    for (const file of this.#idle) {
      if (file.idleSince > latest) break
      this.#close(file)
    }
    if (this.#idle.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #close(file: OpenFile): void {
    this.#idle.remove(file)
    if (file.key !== undefined && this.#open.get(file.key) === file) this.#open.delete(file.key)
    if (file.small) return closeFdNow(file.fd)
    const closing = closeFd(file.fd).finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}

function confirm(disk: Disk, { fd, stats }: OpenFile): void | Promise<void> {
  const now = disk.fstat(fd)
  return now instanceof Promise ? now.then((ready) => compare(ready, stats)) : compare(now, stats)
}

function compare(now: BigIntStats, before: BigIntStats): void {
  if (now.size !== before.size)
    throw new AppError('io', `source file is being updated (size changed from ${before.size} to ${now.size})`)
  if (now.mtimeNs !== before.mtimeNs) throw new AppError('io', 'source file is being updated (its time changed)')
}
