import { createHash, type Hash } from 'node:crypto'
import { throwIfAborted } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError, toAppError } from '../base/error.ts'
import { toMs } from '../base/time.ts'
import { Wake } from '../base/wake.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { Faults } from '../operations/faults.ts'
import { walk } from '../operations/walk.ts'
import { Workers } from '../operations/workers.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import type { PushOptions } from './push-options.ts'
import type { Pusher } from './push.ts'

/** Storage that does not tell of changes is looked at this often, ms. */
const LOOK_MS = 1000
const PLAYLIST_MS = 100

interface Known {
  /** The version that was looked at last. */
  version: string
  /** What the server has: bytes, and their checksum. */
  sent: { readonly size: number; readonly sum: string } | undefined
  busy: boolean
}

/** Sends the files of a folder; with `--watch` all that happens to them, for as long as it runs. */
export class TreePush {
  readonly #ctx: Context
  readonly #remote: Remote
  readonly #pusher: Pusher
  readonly #options: PushOptions
  readonly #known = new Map<string, Known>()
  readonly #changes = new Wake()
  #dirty = false
  readonly #workers: Workers
  readonly #faults: Faults

  constructor(ctx: Context, remote: Remote, pusher: Pusher, options: PushOptions) {
    this.#ctx = ctx
    this.#remote = remote
    this.#pusher = pusher
    this.#options = options
    this.#faults = new Faults(ctx)
    this.#workers = new Workers({ slots: ctx.get(mainOptions).transfers, backlog: 10_000 })
  }

  /** Sends all that is there, then ends; with `--watch` it goes on until the signal aborts. Throws what failed. */
  async run(): Promise<void> {
    do {
      const stop = await this.#look()
      if (!this.#options.watch) break
      if (!this.#dirty) await this.#changes.next(this.#ctx.signal).catch(() => {})
      stop()
    } while (!this.#ctx.signal.aborted)
    await this.#workers.idle()
    if (!this.#options.watch) this.#faults.throw()
  }

  /** Finds what is new, changed or gone. Gives the way to end what was begun to learn of the next change. */
  async #look(): Promise<() => void> {
    const { watch } = this.#options
    this.#dirty = false
    const stops: (() => void)[] = []
    const listen = (dir: string) => {
      const stop = watch ? this.#remote.watch?.(dir, () => this.#change()) : undefined
      if (stop) stops.push(stop)
    }
    if (watch) {
      const timer = setInterval(() => this.#change(), LOOK_MS)
      stops.push(() => clearInterval(timer))
    }
    listen('')
    const seen = new Set<string>()
    let failed = false
    const skip = (error: Error, dir: string) => {
      if (!watch) this.#faults.log(dir, 'error listing: ', error)
      failed = true
    }
    for await (const entry of walk(this.#ctx, this.#remote, { failed: skip }))
      if (entry.kind === 'directory') listen(entry.path)
      else {
        seen.add(entry.path)
        await this.#offer(entry)
      }
    // What could not be looked at is not gone for that.
    if (!failed) for (const [path, known] of this.#known) if (!seen.has(path) && !known.busy) this.#gone(path)
    return () => stops.forEach((stop) => stop())
  }

  /** Something may have happened since the last look. */
  #change(): void {
    this.#dirty = true
    this.#changes.notify()
  }

  async #offer(entry: FileEntry): Promise<void> {
    const version = versionOf(entry)
    const known = this.#known.get(entry.path) ?? { version: '', sent: undefined, busy: false }
    this.#known.set(entry.path, known)
    // One that is being sent is followed while it grows.
    if (known.busy || known.version === version) return
    known.version = version
    known.busy = true
    await this.#workers.add(undefined, () => this.#send(entry, known))
  }

  #gone(path: string): void {
    this.#known.delete(path)
    if (this.#options.noDelete) return
    void this.#workers.add(undefined, () =>
      this.#pusher
        .remove(this.#ctx, path)
        .catch((error: unknown) => this.#faults.log(path, 'Failed to delete: ', error)),
    )
  }

  /** Never throws. */
  async #send(entry: FileEntry, known: Known): Promise<void> {
    try {
      if (!(await this.#sendTail(entry, known))) await this.#sendWhole(entry, known)
    } catch (reason) {
      known.sent = undefined
      const error = toAppError(reason)
      // It is gone already, which is a change that is still to be seen.
      if (error.code !== 'not-found' && !this.#ctx.signal.aborted)
        this.#faults.log(entry.path, 'Failed to push: ', error)
    } finally {
      known.busy = false
      this.#change()
    }
  }

  async #sendWhole(entry: FileEntry, known: Known): Promise<void> {
    const { watch, noChunked } = this.#options
    const growing = watch && !noChunked
    const now = watch && noChunked ? await this.#settled(entry.path) : entry
    let hash = createHash('sha1')
    let size = 0
    let last = now
    await this.#pusher.send(this.#ctx, {
      path: entry.path,
      length: growing || now.size < 0 ? undefined : now.size,
      open: async () => {
        hash = createHash('sha1')
        size = 0
        const bytes = growing
          ? this.#follow(entry.path, (seen) => void (last = seen))
          : await this.#remote.open(this.#ctx, now)
        return hashed(bytes, hash, (count) => void (size += count))
      },
    })
    known.sent = { size, sum: hash.digest('hex') }
    known.version = versionOf(last)
  }

  /** Sends what was added to a file that is the same up to there (`--patch`). False when that is not so. */
  async #sendTail(entry: FileEntry, known: Known): Promise<boolean> {
    const { patch } = this.#options
    const { sent } = known
    if (patch === 'off' || !sent || sent.size === 0 || entry.size <= sent.size) return false
    const hash = createHash('sha1')
    for await (const chunk of await this.#remote.open(this.#ctx, entry, { start: 0, end: sent.size }))
      hash.update(chunk)
    if (hash.copy().digest('hex') !== sent.sum) return false
    const tail = { start: sent.size, end: entry.size }
    const range = `${tail.start}-${tail.end - 1}`
    const headers: Readonly<Record<string, string>> =
      patch === 'range' ? { range: `bytes=${range}` } : { 'content-range': `bytes ${range}/${entry.size}` }
    let whole = hash
    await this.#pusher.send(this.#ctx, {
      path: entry.path,
      length: tail.end - tail.start,
      headers,
      open: async () => hashed(await this.#remote.open(this.#ctx, entry, tail), (whole = hash.copy()), () => {}),
    })
    known.sent = { size: entry.size, sum: whole.digest('hex') }
    this.#ctx.log.info(`Pushed bytes ${range} alone`, { object: entry.path })
    return true
  }

  /** A file once it has not grown for `--settle`. */
  async #settled(path: string): Promise<FileEntry> {
    let seenAt = Date.now()
    for (let before = await this.#stat(path); ;) {
      throwIfAborted(this.#ctx.signal)
      const left = this.#settle(path) - quietFor(before, seenAt)
      if (left <= 0) return before
      await this.#grown(path, left)
      const now = await this.#stat(path)
      if (now.size !== before.size) seenAt = Date.now()
      before = now
    }
  }

  /** Playlists are written in one go, and nobody can wait for them. */
  #settle(path: string): number {
    const { settle } = this.#options
    return /\.(?:m3u8|mpd)$/i.test(path) ? Math.min(settle, PLAYLIST_MS) : settle
  }

  /** The bytes of a file that may still grow, until it has not grown for `--settle`; `ended` gets it as it was then. */
  async *#follow(path: string, ended: (entry: FileEntry) => void): AsyncGenerator<Uint8Array> {
    let at = 0
    let seenAt = Date.now()
    for (;;) {
      throwIfAborted(this.#ctx.signal)
      const entry = await this.#stat(path)
      if (entry.size < at) throw new AppError('io', 'the file was made anew while it was sent', { retry: 'now' })
      if (entry.size > at) {
        const part = { start: at, end: entry.size }
        try {
          for await (const chunk of await this.#remote.open(this.#ctx, entry, part)) {
            at += chunk.length
            yield chunk
          }
        } catch (error) {
          // It grew between the look and the opening.
          if (toAppError(error).retry !== 'now') throw error
        }
        seenAt = Date.now()
        continue
      }
      const left = this.#settle(path) - quietFor(entry, seenAt)
      if (left <= 0) return ended(entry)
      await this.#grown(path, left)
    }
  }

  /** Resolves when something happens in the folder of a file, or after `ms`. */
  async #grown(path: string, ms: number): Promise<void> {
    const changed = Promise.withResolvers<void>()
    const stop = this.#remote.watch?.(path.slice(0, Math.max(0, path.lastIndexOf('/'))), () => changed.resolve())
    const timer = setTimeout(() => changed.resolve(), stop ? ms : Math.min(ms, 200))
    const leave = () => changed.resolve()
    this.#ctx.signal.addEventListener('abort', leave, { once: true })
    await changed.promise
    this.#ctx.signal.removeEventListener('abort', leave)
    clearTimeout(timer)
    stop?.()
  }

  async #stat(path: string): Promise<FileEntry> {
    const entry = await this.#remote.stat(this.#ctx, path)
    if (entry?.kind !== 'file') throw new AppError('not-found', `${path} was removed`)
    return entry
  }
}

/** How long a file has not grown, ms: by its own time, or since it was seen like that when that lies in the future. */
function quietFor({ modTime }: FileEntry, seenAt: number): number {
  const now = Date.now()
  return Math.max(now - toMs(modTime), now - seenAt)
}

function versionOf({ version, size, modTime }: FileEntry): string {
  return version ?? `${size} ${modTime}`
}

async function* hashed(body: Body, hash: Hash, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk)
    count(chunk.length)
    yield chunk
  }
}
