import type { Body } from '../../base/body.ts'
import { parseDuration } from '../../base/duration.ts'
import { AppError, messageOf } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'
import type { Range } from '../../base/range.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { HttpClient } from '../../net/client.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { bucketRemote } from '../../remote/bucket-remote.ts'
import type { ObjectStore, Page, PageOptions, Place, StoreCommand, StoredObject } from '../../remote/object-store.ts'
import type { FileEntry, PutInfo, Remote } from '../../remote/remote.ts'
import { allBuckets, hasBucket, makeBucket, removeBucket } from './buckets.ts'
import { S3Client } from './client.ts'
import { runCommand } from './command.ts'
import { change, copy } from './copy.ts'
import { signerOf } from './credentials.ts'
import { findObject } from './find.ts'
import { keepingOf } from './keeping.ts'
import { s3Metadata } from './metadata.ts'
import { objectOfListing } from './object.ts'
import { conditionsOf } from './only-new.ts'
import type { s3Options } from './options.ts'
import { pages } from './pages.ts'
import { quirksOf } from './providers.ts'
import { read } from './read.ts'
import { purge, remove } from './remove.ts'
import type { Store } from './store.ts'
import { cleanUp } from './unfinished.ts'
import { upload } from './upload.ts'
import { versionsOf } from './versions.ts'

const MIB = 1024 * 1024
/** Smaller parts are refused by all stores, larger ones by most. */
const [SMALLEST_PART, LARGEST_PUT] = [5 * MIB, 5 * 1024 * MIB]
/** The longest that a signed URL is good for, in seconds. */
const LONGEST_LINK = 7 * 24 * 3600

/** Opens what the options name; asks the store for nothing. Throws `invalid` for options that make no sense. */
export async function openS3(ctx: Context, { name, root, config }: OpenArgs<typeof s3Options>): Promise<Remote> {
  if (config.chunkSize < SMALLEST_PART) throw new AppError('invalid', 's3: chunk_size is 5Mi at least')
  if (config.uploadCutoff > LARGEST_PUT) throw new AppError('invalid', 's3: upload_cutoff is 5Gi at most')
  const http = HttpClient.of(ctx)
  const store: Store = {
    client: new S3Client(http, await signerOf(ctx, http, config), config),
    options: config,
    quirks: quirksOf(config),
    keeping: keepingOf(config),
    conditions: conditionsOf(config.provider),
    downloaded: new WeakMap(),
    versionAt: timeOf(config.versionAt),
  }
  return bucketRemote({
    store: new S3Store(store),
    name,
    type: 's3',
    root,
    description: describe(root),
    encoding: config.encoding,
    hashes: ['md5'],
    metadata: s3Metadata,
    noCheckBucket: config.noCheckBucket,
    slowModTime: true,
    markers: config.directoryMarkers,
  })
}

function describe(root: string): string {
  const path = root.replace(/^\/+|\/+$/g, '')
  return path === '' ? 'S3 root' : `S3 ${path.includes('/') ? 'bucket path' : 'bucket'} ${path}`
}

/** A moment, or how long ago it was. */
function timeOf(text: string): Nanoseconds | undefined {
  if (text === '') return undefined
  try {
    const now = Date.now()
    return fromMs(now - parseDuration(text, now))
  } catch (error) {
    throw new AppError('invalid', `s3: version_at: ${messageOf(error)}`)
  }
}

/** The objects of one login. */
class S3Store implements ObjectStore {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async *buckets(ctx: Context): AsyncGenerator<{ name: string; modTime: Nanoseconds }> {
    yield* await allBuckets(ctx, this.#store)
  }

  async hasBucket(ctx: Context, bucket: string): Promise<boolean> {
    return await hasBucket(ctx, this.#store, bucket)
  }

  async makeBucket(ctx: Context, bucket: string): Promise<void> {
    await makeBucket(ctx, this.#changeable(), bucket)
  }

  async removeBucket(ctx: Context, bucket: string): Promise<void> {
    await removeBucket(ctx, this.#changeable(), bucket)
  }

  async *pages(ctx: Context, options: PageOptions): AsyncGenerator<Page> {
    const { keeping, options: own, versionAt } = this.#store
    const list = own.versions || versionAt !== undefined ? versionsOf : pages
    for await (const { objects, prefixes } of list(ctx, this.#store, options)) {
      const stored = objects.map(({ key, element, id }) => ({
        ...objectOfListing(key, element, keeping.etagIsMd5),
        ...(id === undefined ? {} : { id }),
      }))
      yield { objects: stored, prefixes }
    }
  }

  async find(ctx: Context, place: Place): Promise<StoredObject | undefined> {
    return await findObject(ctx, this.#store, place)
  }

  async open(ctx: Context, place: Place, file: FileEntry, range?: Range): Promise<Body> {
    return await read(ctx, this.#store, { place, file }, range ?? { start: 0, end: Infinity })
  }

  async describe(ctx: Context, place: Place, file: FileEntry): Promise<StoredObject | undefined> {
    return this.#store.downloaded.get(file) ?? (await findObject(ctx, this.#store, place))
  }

  async put(ctx: Context, place: Place, body: Body, info: PutInfo): Promise<StoredObject> {
    return await upload(ctx, this.#changeable(), place, { body, info })
  }

  async remove(ctx: Context, place: Place, file: FileEntry): Promise<void> {
    await remove(ctx, this.#changeable(), place, file)
  }

  async purge(ctx: Context, bucket: string, prefix: string): Promise<boolean> {
    return await purge(ctx, this.#changeable(), bucket, prefix)
  }

  async copy(ctx: Context, from: Place, to: Place, file: FileEntry): Promise<StoredObject> {
    return await copy(ctx, this.#changeable(), { file, from, to })
  }

  async setModTime(ctx: Context, place: Place, modTime: Nanoseconds, file: FileEntry): Promise<void> {
    await change(ctx, this.#changeable(), { place, file }, { modTime })
  }

  async setTier(ctx: Context, place: Place, tier: string, file: FileEntry): Promise<void> {
    await change(ctx, this.#changeable(), { place, file }, { tier: tier.toUpperCase() })
  }

  async publicLink(_ctx: Context, place: Place, options: { expire?: number; unlink?: boolean }): Promise<string> {
    if (options.unlink) throw new AppError('unsupported', 'a signed link cannot be taken back: it ends by itself')
    const seconds = Math.min(LONGEST_LINK, Math.ceil((options.expire ?? Infinity) / 1000))
    return (await this.#store.client.presign({ method: 'GET', ...place }, seconds)).href
  }

  async cleanUp(ctx: Context, root: Place): Promise<void> {
    await cleanUp(ctx, this.#changeable(), root)
  }

  async command(ctx: Context, command: StoreCommand, placeOf: (path: string) => Place): Promise<Json> {
    return await runCommand(ctx, this.#store, command, placeOf)
  }

  close(): void {
    this.#store.client.close()
  }

  #changeable(): Store {
    if (this.#store.versionAt === undefined) return this.#store
    throw new AppError('denied', 's3: with version_at nothing can be changed')
  }
}
