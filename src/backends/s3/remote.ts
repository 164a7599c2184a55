import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'
import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { inBatches } from '../../remote/listing.ts'
import type { Entry, FileEntry, Listing, PutInfo, Remote, RemoteInfo } from '../../remote/remote.ts'
import { command } from './command.ts'
import { copy, setModTime, setTier } from './copy.ts'
import { find, findFile, headOf } from './find.ts'
import { children, descendants } from './listing.ts'
import { entryOfHeaders } from './object.ts'
import { read } from './read.ts'
import { makeDirectory, purge, remove, removeDirectory } from './remove.ts'
import type { Store } from './store.ts'
import { cleanUp } from './unfinished.ts'
import { upload } from './upload.ts'

/** The longest that a signed URL is good for, in seconds. */
const LONGEST_LINK = 7 * 24 * 3600

/** The buckets of a store, one bucket, or what is below a place in it. */
export class S3Remote implements Remote {
  readonly info: RemoteInfo
  readonly #store: Store

  constructor(store: Store, name: string) {
    const { root } = store.places
    this.#store = store
    this.info = {
      name,
      type: 's3',
      root,
      description: root === '' ? 'S3 root' : `S3 ${root.includes('/') ? 'bucket path' : 'bucket'} ${root}`,
      hashes: ['md5'],
      precision: 1,
      traits: {
        bucketBased: true,
        slowModTime: true,
        ...(store.options.directoryMarkers ? { emptyDirectories: true } : {}),
      },
    }
  }

  list(ctx: Context, dir: string): Listing {
    return inBatches(() => children(ctx, this.#store, dir))
  }

  listRecursive(ctx: Context, dir: string): AsyncGenerator<Entry> {
    return descendants(ctx, this.#store, dir)
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    return await find(ctx, this.#store, path)
  }

  async open(ctx: Context, file: FileEntry, range: Range = { start: 0, end: Infinity }): Promise<Body> {
    return await read(ctx, this.#store, file, range)
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    return await upload(ctx, this.#store, path, { body, info })
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await remove(ctx, this.#store, file)
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    await makeDirectory(ctx, this.#store, dir)
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    await removeDirectory(ctx, this.#store, dir)
  }

  async purge(ctx: Context, dir: string): Promise<void> {
    await purge(ctx, this.#store, dir)
  }

  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    return await copy(ctx, this.#store, file, to)
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    if (entry.kind === 'directory') throw new AppError('unsupported', 'directories in S3 have no time')
    await setModTime(ctx, this.#store, entry, time)
  }

  async describe(ctx: Context, file: FileEntry): Promise<FileEntry | undefined> {
    return this.#store.downloaded.get(file) ?? (await findFile(ctx, this.#store, file.path))
  }

  async setTier(ctx: Context, file: FileEntry, tier: string): Promise<void> {
    await setTier(ctx, this.#store, file, tier)
  }

  /** The MD5, `''` when the store does not know it: of what was uploaded in parts by a program that did not tell. */
  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    if (kind !== 'md5') throw new AppError('unsupported', `S3 has no ${kind}`)
    return file.hashes?.md5 ?? entryOfHeaders(file.path, await headOf(ctx, this.#store, file)).hashes?.md5 ?? ''
  }

  async publicLink(ctx: Context, path: string, options: { expire?: number; unlink?: boolean }): Promise<string> {
    if (options.unlink) throw new AppError('unsupported', 'a signed link cannot be taken back: it ends by itself')
    const entry = await find(ctx, this.#store, path)
    if (entry?.kind !== 'file') throw new AppError('not-found', `${path} is not a file`)
    const seconds = Math.min(LONGEST_LINK, Math.ceil((options.expire ?? Infinity) / 1000))
    const url = await this.#store.client.presign({ method: 'GET', ...this.#store.places.of(path) }, seconds)
    return url.href
  }

  async cleanUp(ctx: Context): Promise<void> {
    await cleanUp(ctx, this.#store)
  }

  async command(
    ctx: Context,
    name: string,
    args: readonly string[],
    opt: Readonly<Record<string, string>>,
  ): Promise<Json> {
    return await command(ctx, this.#store, name, { args, opt })
  }

  async close(): Promise<void> {
    this.#store.client.close()
  }
}
