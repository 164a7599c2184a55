import type { Readable } from 'node:stream'
import type { BlobItem, BlobProperties, ContainerClient, ContainerListBlobsOptions } from '@azure/storage-blob'
import { abortError } from '../../base/abort.ts'
import { bodyOf, type Body } from '../../base/body.ts'
import { derive } from '../../base/derive.ts'
import { AppError, messageOf, toAppError } from '../../base/error.ts'
import type { Range } from '../../base/range.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { HttpClient } from '../../net/client.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { bucketRemote } from '../../remote/bucket-remote.ts'
import { formatTime, parseTime } from '../../remote/mtime.ts'
import type { ObjectStore, Page, PageOptions, Place, StoredObject } from '../../remote/object-store.ts'
import type { FileEntry, PutInfo, Remote } from '../../remote/remote.ts'
import type { Values } from '../../schema/option.ts'
import { azure, azureError } from './error.ts'
import type { azureblobOptions } from './index.ts'
import { type Service, serviceOf } from './service.ts'
import { upload } from './upload.ts'

/** Opens the containers of an account. Asks the service for nothing. */
export function openAzure(ctx: Context, { name, root, config }: OpenArgs<typeof azureblobOptions>): Remote {
  if (config.chunkSize < 1) throw new AppError('invalid', 'azureblob backend: chunk_size has to be at least one byte')
  const http = HttpClient.of(ctx)
  const service = serviceOf(ctx, http, config)
  return bucketRemote({
    store: new AzureStore(service, http, config),
    name,
    type: 'azureblob',
    root,
    description: `Azure Blob Storage at ${root === '' ? service.place : root}`,
    encoding: config.encoding,
    hashes: ['md5'],
    noCheckBucket: config.noCheckContainer,
    markers: config.directoryMarkers,
  })
}

class AzureStore implements ObjectStore {
  readonly #service: Service
  readonly #http: HttpClient
  readonly #options: Values<typeof azureblobOptions>

  constructor(service: Service, http: HttpClient, options: Values<typeof azureblobOptions>) {
    this.#service = service
    this.#http = http
    this.#options = options
  }

  async *buckets({ signal }: Context): AsyncGenerator<{ name: string; modTime: Nanoseconds }> {
    const { account } = this.#service
    if (!account) throw new AppError('denied', 'the SAS URL is for one container: name it behind the colon')
    try {
      for await (const { name, properties } of account.listContainers({ abortSignal: signal }))
        yield { name, modTime: fromMs(properties.lastModified) }
    } catch (reason) {
      throw azureError(reason, 'the containers')
    }
  }

  async hasBucket({ signal }: Context, bucket: string): Promise<boolean> {
    try {
      await azure(bucket, this.#service.container(bucket).getProperties({ abortSignal: signal }))
      return true
    } catch (error) {
      // A name that no container can have is a bad request.
      if (isAbsent(error)) return false
      throw error
    }
  }

  async makeBucket({ signal }: Context, bucket: string): Promise<void> {
    const { publicAccess } = this.#options
    const access = publicAccess === '' ? {} : { access: publicAccess }
    await azure(bucket, this.#service.container(bucket).createIfNotExists({ abortSignal: signal, ...access }))
  }

  async removeBucket({ signal }: Context, bucket: string): Promise<void> {
    await azure(bucket, this.#service.container(bucket).delete({ abortSignal: signal }))
  }

  async *pages(
    { signal }: Context,
    { bucket, prefix, recursive = false, limit = this.#options.listChunk }: PageOptions,
  ): AsyncGenerator<Page> {
    const container = this.#service.container(bucket)
    const options: ContainerListBlobsOptions = { abortSignal: signal, prefix, includeMetadata: true }
    const settings = { maxPageSize: limit }
    try {
      if (recursive)
        for await (const { segment } of container.listBlobsFlat(options).byPage(settings))
          yield { objects: segment.blobItems.map(objectOf), prefixes: [] }
      else
        for await (const { segment } of container.listBlobsByHierarchy('/', options).byPage(settings))
          yield {
            objects: segment.blobItems.map(objectOf),
            prefixes: segment.blobPrefixes?.map(({ name }) => name) ?? [],
          }
    } catch (reason) {
      throw azureError(reason, bucket)
    }
  }

  async find({ signal }: Context, place: Place): Promise<StoredObject | undefined> {
    try {
      return await this.#find(signal, place)
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  async open({ signal }: Context, place: Place, file: FileEntry, range?: Range): Promise<Body> {
    const start = range?.start ?? 0
    const end = Math.min(range?.end ?? Infinity, file.size < 0 ? Infinity : file.size)
    if (start >= end) {
      await azure(file.path, this.#blob(place).getProperties({ abortSignal: signal }))
      return bodyOf()
    }
    const count = end === Infinity ? undefined : end - start
    const conditions = file.version === undefined ? {} : { conditions: { ifMatch: `"${file.version}"` } }
    try {
      const blob = this.#blob(place)
      const { readableStreamBody } = await azure(
        file.path,
        blob.download(start, count, { abortSignal: signal, maxRetryRequests: 0, ...conditions }),
      )
      if (!readableStreamBody) throw new AppError('io', `${file.path}: the service sent nothing`)
      return bodyOfStream(readableStreamBody as Readable, signal)
    } catch (error) {
      if (toAppError(error).code !== 'precondition') throw error
      throw new AppError('not-found', `${file.path} has changed since it was looked up`, { cause: error, retry: 'now' })
    }
  }

  async put(ctx: Context, place: Place, body: Body, info: PutInfo): Promise<StoredObject> {
    const { accessTier, archiveTierDelete, chunkSize, disableChecksum, uploadConcurrency } = this.#options
    if (archiveTierDelete) await this.#removeArchived(ctx, place)
    await upload(ctx, this.#container(place).getBlockBlobClient(place.key), body, {
      size: info.size === undefined || info.size < 0 ? undefined : info.size,
      chunkSize,
      concurrency: uploadConcurrency,
      checksum: !disableChecksum,
      contentType: info.contentType,
      metadata: info.modTime === undefined ? {} : { mtime: formatTime(info.modTime) },
      tier: accessTier === '' ? undefined : tierOf(accessTier),
      ifAbsent: info.ifAbsent ?? false,
    })
    return await this.#find(ctx.signal, place)
  }

  async remove({ signal }: Context, place: Place): Promise<void> {
    const { deleteSnapshots } = this.#options
    const snapshots = deleteSnapshots === '' ? {} : { deleteSnapshots }
    await azure(place.key, this.#blob(place).delete({ abortSignal: signal, ...snapshots }))
  }

  async copy({ signal }: Context, from: Place, to: Place): Promise<StoredObject> {
    const target = this.#blob(to)
    await azure(
      from.key,
      target
        .beginCopyFromURL(this.#blob(from).url, { abortSignal: signal, intervalInMs: 1000 })
        .then((poller) => poller.pollUntilDone()),
    )
    return await this.#find(signal, to)
  }

  async setModTime({ signal }: Context, place: Place, time: Nanoseconds): Promise<void> {
    const blob = this.#blob(place)
    const { metadata } = await azure(place.key, blob.getProperties({ abortSignal: signal }))
    await azure(place.key, blob.setMetadata({ ...metadata, mtime: formatTime(time) }, { abortSignal: signal }))
  }

  async setTier({ signal }: Context, place: Place, tier: string): Promise<void> {
    await azure(place.key, this.#blob(place).setAccessTier(tierOf(tier), { abortSignal: signal }))
  }

  close(): void {
    this.#http.close()
  }

  async #find(signal: AbortSignal, place: Place): Promise<StoredObject> {
    const properties = await azure(place.key, this.#blob(place).getProperties({ abortSignal: signal }))
    return described(place.key, properties, properties.metadata)
  }

  async #removeArchived(ctx: Context, place: Place): Promise<void> {
    const old = await this.find(ctx, place)
    if (old?.tier?.toLowerCase() === 'archive') await this.remove(ctx, place)
  }

  #container({ bucket }: Place): ContainerClient {
    return this.#service.container(bucket)
  }

  #blob(place: Place) {
    return this.#container(place).getBlobClient(place.key)
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = toAppError(error)
  return code === 'not-found' || code === 'invalid'
}

function objectOf({ name, properties, metadata }: BlobItem): StoredObject {
  return described(name, properties, metadata)
}

type Described = Partial<
  Pick<BlobProperties, 'contentLength' | 'lastModified' | 'contentType' | 'etag' | 'contentMD5'>
> & { readonly accessTier?: string }

function described(key: string, properties: Described, metadata: Readonly<Record<string, string>> = {}): StoredObject {
  const { contentLength, lastModified, contentType, etag, contentMD5, accessTier } = properties
  const mtime = Object.entries(metadata).find(([name]) => name.toLowerCase() === 'mtime')?.[1]
  const version = etag?.replaceAll('"', '')
  return {
    key,
    size: contentLength ?? -1,
    modTime: parseTime(mtime) ?? (lastModified ? fromMs(lastModified) : 0n),
    ...(contentType ? { contentType } : {}),
    ...(version ? { version } : {}),
    ...(contentMD5 ? { hashes: { md5: Buffer.from(contentMD5).toString('hex') } } : {}),
    ...(accessTier ? { tier: accessTier } : {}),
  }
}

/** Tiers are written with a capital letter. */
function tierOf(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).toLowerCase()
}

/** The bytes of a stream. A stream that nobody began to read is given back too, which its own iterator does not do. */
function bodyOfStream(stream: Readable, signal: AbortSignal): Body {
  const left: Body = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true, value: undefined }),
      return() {
        stream.destroy()
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
  return derive(left, () => translated(stream, signal))
}

/** The library tells of a broken answer in its own words: it may be gone on with, unless we were stopped. */
async function* translated(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk
  } catch (cause) {
    if (signal.aborted) throw abortError(signal)
    throw new AppError('io', `the answer broke: ${messageOf(cause)}`, { cause, retry: 'now' })
  }
}
