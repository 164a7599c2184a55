import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { KeyedLock } from '../../base/keyed-lock.ts'
import { asCanonical, isInside, join, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { tidying, unstopped } from '../../core/tidying.ts'
import type { Headers } from '../../net/client.ts'
import { bare } from '../../net/login.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { download } from '../../remote/download.ts'
import { heldBack, incoming } from '../../remote/incoming.ts'
import type { Entry, FileEntry, PutInfo, Remote, RemoteInfo, Usage } from '../../remote/remote.ts'
import type { Values } from '../../schema/option.ts'
import { newFolder, uploadChunks, uploadsUrl } from './chunks.ts'
import { davError, DavClient } from './client.ts'
import type { webdavOptions } from './index.ts'
import { children, look, throwFailures, usageOf } from './look.ts'
import { proppatch } from './multistatus.ts'
import { type Vendor, vendorOf } from './vendors.ts'

const SECOND = 1_000_000_000
/** How long a directory that was seen is taken to be there, in ms. */
const SEEN_MS = 10_000
/** A name that is taken and freed again while we look at it. */
const PLACING_TRIES = 5

/** How a file gets its name. */
interface Placing {
  readonly method?: 'MOVE' | 'COPY'
  readonly headers?: Headers
  readonly ifAbsent?: boolean | undefined
}

/** A directory of a WebDAV server (RFC 4918). */
export class WebdavRemote implements Remote {
  readonly info: RemoteInfo
  readonly #client: DavClient
  readonly #root: string
  readonly #vendor: Vendor
  readonly #options: Values<typeof webdavOptions>
  readonly #directories = new LRUCache<string, true>({ max: 10_000, ttl: SEEN_MS })
  readonly #places = new KeyedLock()

  private constructor(client: DavClient, { name, root, config }: OpenArgs<typeof webdavOptions>) {
    this.#client = client
    this.#root = asCanonical(root.replace(/^\/+|\/+$/g, ''))
    this.#options = config
    this.#vendor = vendorOf(config.vendor)
    this.info = {
      name,
      type: 'webdav',
      root,
      description: `WebDAV root at ${client.base.href}${this.#root}`,
      hashes: this.#vendor.hashes ?? [],
      ...(this.#vendor.mtimeHeader ? { precision: SECOND } : {}),
      traits: { emptyDirectories: true },
    }
  }

  /** Throws `invalid` for options that make no sense. Asks the server for nothing. */
  static open(ctx: Context, args: OpenArgs<typeof webdavOptions>): Remote {
    const remote = new WebdavRemote(DavClient.of(ctx, args.config), args)
    const { hashes, mtimeProperty, otherLogin } = remote.#vendor
    if (otherLogin && args.config.pass !== '')
      throw new AppError(
        'unsupported',
        "webdav backend: SharePoint's login by password is not supported. Set a Cookie in headers, or bearer_token",
      )
    return Object.assign<Remote, Partial<Remote>>(remote, {
      ...(hashes ? {} : { hash: undefined }),
      ...(mtimeProperty ? {} : { setModTime: undefined }),
    })
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    const { encoding, owncloudExcludeMounts, owncloudExcludeShares } = this.#options
    const leaveOut = [...(owncloudExcludeShares ? ['S'] : []), ...(owncloudExcludeMounts ? ['M'] : [])]
    yield* children(ctx, this.#client, { url: this.#url(dir, true), path: dir, encoding, leaveOut })
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    return await look(ctx, this.#client, this.#url(path, path === ''), path)
  }

  async open(ctx: Context, file: FileEntry, range?: Range): Promise<Body> {
    const url = this.#url(file.path)
    return await download(file, range, (headers) =>
      this.#client.request(ctx, { method: 'GET', url, headers, follow: true }),
    )
  }

  /**
   * A server that stores an upload as a whole gets it under its name. Others get it under another one in the same directory,
   * which is then moved: so nobody sees a half file, and what was there stays when the upload breaks.
   */
  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    if (asCanonical(path) === '') throw new AppError('is-directory', 'a file needs a name')
    await this.#makeDirectory(ctx, join(this.#root, parentOf(path)))
    return await this.#upload(ctx, path, incoming(body, info, ctx.signal), info)
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await this.#remove(ctx, this.#url(file.path), file.path)
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    await this.#makeDirectory(ctx, join(this.#root, asCanonical(dir)))
  }

  /** DELETE takes a directory with all below it, so that it is looked into first. */
  async rmdir(ctx: Context, dir: string): Promise<void> {
    for await (const _ of this.list(ctx, dir)) throw new AppError('not-empty', `${dir} is not empty`)
    await this.#removeDirectory(ctx, dir)
  }

  async purge(ctx: Context, dir: string): Promise<void> {
    const found = await this.stat(ctx, dir)
    if (!found) throw new AppError('not-found', `${dir} does not exist`)
    if (found.kind === 'file') throw new AppError('not-directory', `${dir} is a file`)
    await this.#removeDirectory(ctx, dir)
  }

  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const copied = await this.#transfer(ctx, 'COPY', file, to)
    if (!this.setModTime || copied.modTime === file.modTime) return copied
    await this.setModTime(ctx, copied, file.modTime)
    return await this.#file(ctx, to)
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    return await this.#transfer(ctx, 'MOVE', file, to)
  }

  async moveDirectory(ctx: Context, from: string, to: string): Promise<void> {
    if (from === '' || isInside(asCanonical(to), from))
      throw new AppError('invalid', "can't move a directory into itself")
    if (await this.stat(ctx, to)) throw new AppError('exists', `${to} exists already`)
    await this.#makeDirectory(ctx, join(this.#root, parentOf(to)))
    const destination = bare(this.#url(to, true)).href
    const answer = await this.#client.request(ctx, {
      method: 'MOVE',
      url: this.#url(from, true),
      headers: { destination, overwrite: 'F' },
    })
    this.#directories.clear()
    await throwFailures(answer, from)
    if (answer.status === 412) throw new AppError('exists', `${to} exists already`)
    if (answer.status >= 300) throw davError(answer, from)
  }

  /** The checksum that the server keeps; empty when it has none for this file. */
  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    if (!this.info.hashes.includes(kind)) throw new AppError('unsupported', `this server keeps no ${kind} of files`)
    return file.hashes?.[kind] ?? (await this.#file(ctx, file.path)).hashes?.[kind] ?? ''
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    const url = this.#url(entry.path, entry.kind === 'directory')
    const text = proppatch(time / BigInt(SECOND))
    const answer = await this.#client.request(ctx, { method: 'PROPPATCH', url, text })
    await throwFailures(answer, entry.path)
    if (answer.status >= 300) throw davError(answer, entry.path)
  }

  async about(ctx: Context): Promise<Usage> {
    return await usageOf(ctx, this.#client, this.#url('', true))
  }

  async close(): Promise<void> {
    this.#client.close()
  }

  async #upload(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const { atomic, chunked } = this.#vendor
    const chunkSize = this.#options.nextcloudChunkSize
    const size = sizeOf(info)
    const uploads = chunked && chunkSize > 0 ? uploadsUrl(this.#client.url('')) : undefined
    if (uploads && (size === undefined || size > chunkSize)) {
      const folder = newFolder(uploads)
      const upload = { target: this.#url(path), chunkSize, size }
      return await this.#tidying(ctx, folder, async () => {
        const whole = await uploadChunks(ctx, this.#client, body, { folder, upload })
        return await this.#place(ctx, whole, path, { ifAbsent: info.ifAbsent, headers: this.#headersOf(info) })
      })
    }
    if (!atomic || info.ifAbsent) return await this.#uploadBeside(ctx, path, body, info)
    await this.#send(ctx, this.#url(path), heldBack(body), { path, info })
    return await this.#file(ctx, path)
  }

  async #uploadBeside(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const beside = this.#url(join(parentOf(path), `.sluice-${randomBytes(8).toString('hex')}.partial`))
    const { counted, bytes } = counting(body)
    return await this.#tidying(ctx, beside, async () => {
      await this.#send(ctx, beside, counted, { path, info })
      const stored = await this.#place(ctx, beside, path, { ifAbsent: info.ifAbsent })
      if (stored.size < 0 || stored.size === bytes()) return stored
      throw new AppError('io', `${path}: ${bytes()} bytes were sent, the server has ${stored.size}`)
    })
  }

  async #send(
    ctx: Context,
    url: URL,
    body: Body,
    { path, info }: { readonly path: string; readonly info: PutInfo },
  ): Promise<void> {
    const headers = { ...this.#headersOf(info), ...(info.contentType ? { 'content-type': info.contentType } : {}) }
    const sent = await this.#client.send(ctx, { method: 'PUT', url, headers, body, length: sizeOf(info) })
    if (sent.status < 300) return
    this.#directories.clear()
    const found = await this.stat(ctx, path)
    if (found?.kind === 'directory') throw new AppError('is-directory', `${path} is a directory`)
    throw davError(sent, path)
  }

  /**
   * Gives what lies at `source` the name `path`. A file of that name is replaced, unless `ifAbsent`; a directory never, though
   * the protocol would: what was not there when we looked may not be overwritten. A move that has begun is waited for: a server
   * may remove what is replaced first, and what shall take its place may not be tidied away then.
   */
  async #place(ctx: Context, source: URL, path: string, { method = 'MOVE', headers, ifAbsent }: Placing) {
    const destination = bare(this.#url(path)).href
    const last = method === 'MOVE' ? unstopped(ctx) : ctx
    return await this.#places.run(path, async () => {
      for (let tries = 1; ; tries++) {
        const old = await this.stat(ctx, path)
        if (old?.kind === 'directory') throw new AppError('is-directory', `${path} is a directory`)
        if (old && ifAbsent) throw new AppError('exists', `${path} exists already`)
        const overwrite = old ? 'T' : 'F'
        const all = { ...headers, destination, overwrite }
        const answer = await this.#client.request(last, { method, url: source, headers: all })
        await throwFailures(answer, path)
        if (answer.status < 300) return await this.#file(last, path)
        if (answer.status !== 412 || old || tries === PLACING_TRIES) throw davError(answer, path)
      }
    })
  }

  async #transfer(ctx: Context, method: Placing['method'], file: FileEntry, to: string): Promise<FileEntry> {
    if (asCanonical(to) === file.path) return await this.#file(ctx, to)
    await this.#makeDirectory(ctx, join(this.#root, parentOf(to)))
    const headers = method === 'COPY' ? this.#headersOf(file) : {}
    try {
      return await this.#place(ctx, this.#url(file.path), to, { method, headers })
    } catch (error) {
      // The server that rclone has calls a file that is not there forbidden.
      if (toAppError(error).code === 'denied' && !(await this.stat(ctx, file.path))) throw missing(file.path)
      throw error
    }
  }

  /** Makes a directory with those above it. `full` is the path below the URL of the configuration. */
  async #makeDirectory(ctx: Context, full: string): Promise<void> {
    if (full === '' || this.#directories.has(full)) return
    const url = this.#client.url(full, true)
    const isThere = async () => {
      const found = await look(ctx, this.#client, this.#client.url(full), full)
      if (found?.kind === 'file') throw new AppError('not-directory', `${full} is a file`)
      return found !== undefined
    }
    if (!(await isThere())) {
      await this.#makeDirectory(ctx, parentOf(full))
      const made = await this.#client.send(ctx, { method: 'MKCOL', url })
      // Somebody else may have made it meanwhile.
      if (made.status >= 300 && !(await isThere())) throw davError(made, full)
    }
    this.#directories.set(full, true)
  }

  async #removeDirectory(ctx: Context, dir: string): Promise<void> {
    this.#directories.clear()
    await this.#remove(ctx, this.#url(dir, true), dir)
  }

  async #remove(ctx: Context, url: URL, path: string): Promise<void> {
    const answer = await this.#client.request(ctx, { method: 'DELETE', url })
    await throwFailures(answer, path)
    if (answer.status >= 300) throw davError(answer, path)
  }

  /** Runs `work`; when it fails, what it left at `url` is removed. */
  async #tidying<T>(ctx: Context, url: URL, work: () => Promise<T>): Promise<T> {
    return await tidying(ctx, work, (own) => this.#client.send(own, { method: 'DELETE', url }))
  }

  async #file(ctx: Context, path: string): Promise<FileEntry> {
    const found = await this.stat(ctx, path)
    if (found?.kind === 'file') return found
    throw missing(path)
  }

  #headersOf({ modTime, hashes }: Pick<PutInfo, 'modTime' | 'hashes'>): Headers {
    const { mtimeHeader, checks } = this.#vendor
    const checksum = checks && hashes?.[checks]
    return {
      ...(mtimeHeader && modTime !== undefined ? { 'x-oc-mtime': String(modTime / BigInt(SECOND)) } : {}),
      ...(checksum ? { 'oc-checksum': `SHA1:${checksum}` } : {}),
    }
  }

  #url(path: string, directory = false): URL {
    return this.#client.url(join(this.#root, path), directory)
  }
}

function missing(path: string): AppError {
  return new AppError('not-found', `${path} is not there any more`)
}

function sizeOf({ size }: PutInfo): number | undefined {
  return size === undefined || size < 0 ? undefined : size
}

function counting(source: Body): { readonly counted: Body; readonly bytes: () => number } {
  let bytes = 0
  async function* count(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.length
      yield chunk
    }
  }
  return { counted: count(), bytes: () => bytes }
}
