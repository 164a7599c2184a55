import type { Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { octetStream } from '../../base/mime.ts'
import type { Range } from '../../base/range.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { leave } from '../../net/response-body.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { bucketRemote } from '../../remote/bucket-remote.ts'
import { download } from '../../remote/download.ts'
import type { ObjectStore, Page, PageOptions, Place, StoredObject } from '../../remote/object-store.ts'
import type { FileEntry, PutInfo, Remote } from '../../remote/remote.ts'
import { answerOf, GcsClient, type Query } from './client.ts'
import type { gcsOptions } from './index.ts'
import type { GcsOptions } from './login.ts'
import { fields, objectOf, type Resource, timeMetadata } from './object.ts'
import { upload } from './upload.ts'

/** Entries of one answer to a listing: the most that Google gives. */
const LIST_CHUNK = 1000

/** Opens the buckets of Google Cloud Storage. Asks the service for nothing. */
export function openGcs(ctx: Context, { name, root, config }: OpenArgs<typeof gcsOptions>): Remote {
  return bucketRemote({
    store: new GcsStore(GcsClient.of(ctx, config), config),
    name,
    type: 'google cloud storage',
    root,
    description: root === '' ? 'Google Cloud Storage' : `Google Cloud Storage at ${root}`,
    encoding: config.encoding,
    hashes: ['md5'],
    noCheckBucket: config.noCheckBucket,
    markers: config.directoryMarkers,
  })
}

interface Bucket {
  readonly name: string
  readonly timeCreated?: string
}

class GcsStore implements ObjectStore {
  readonly #client: GcsClient
  readonly #options: GcsOptions

  constructor(client: GcsClient, options: GcsOptions) {
    this.#client = client
    this.#options = options
  }

  async *buckets(ctx: Context): AsyncGenerator<{ name: string; modTime: Nanoseconds }> {
    const query = { project: this.#project(), maxResults: String(LIST_CHUNK) }
    for await (const { items = [] } of this.#listed<{ items?: Bucket[] }>(ctx, 'the buckets', ['b'], query))
      for (const { name, timeCreated } of items) yield { name, modTime: fromMs(Date.parse(timeCreated ?? '') || 0) }
  }

  async hasBucket(ctx: Context, bucket: string): Promise<boolean> {
    try {
      const url = this.#client.url(['b', bucket, 'o'], { maxResults: '1', fields: 'nextPageToken' })
      await this.#client.json(ctx, bucket, { method: 'GET', url })
      return true
    } catch (error) {
      if (isAbsent(error)) return false
      throw error
    }
  }

  async makeBucket(ctx: Context, bucket: string): Promise<void> {
    const { bucketAcl, bucketPolicyOnly, location, storageClass } = this.#options
    const acl: Query = bucketAcl === '' || bucketPolicyOnly ? {} : { predefinedAcl: bucketAcl }
    const json = {
      name: bucket,
      ...(location === '' ? {} : { location }),
      ...(storageClass === '' ? {} : { storageClass }),
      ...(bucketPolicyOnly ? { iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } } : {}),
    }
    const url = this.#client.url(['b'], { project: this.#project(), ...acl })
    try {
      await this.#client.json(ctx, bucket, { method: 'POST', url, json })
    } catch (error) {
      if (toAppError(error).code !== 'busy' || !(await this.hasBucket(ctx, bucket))) throw error
    }
  }

  async removeBucket(ctx: Context, bucket: string): Promise<void> {
    try {
      await this.#client.json(ctx, bucket, { method: 'DELETE', url: this.#client.url(['b', bucket]) })
    } catch (error) {
      if (toAppError(error).code !== 'busy') throw error
      throw new AppError('not-empty', `${bucket} is not empty`, { cause: error })
    }
  }

  async *pages(ctx: Context, { bucket, prefix, recursive, limit = LIST_CHUNK }: PageOptions): AsyncGenerator<Page> {
    const query = {
      prefix,
      maxResults: String(limit),
      fields: `nextPageToken,prefixes,items(${fields})`,
      ...(recursive ? {} : { delimiter: '/' }),
    }
    const found = this.#listed<{ items?: Resource[]; prefixes?: string[] }>(ctx, bucket, ['b', bucket, 'o'], query)
    for await (const { items = [], prefixes = [] } of found)
      yield { objects: items.map((item) => objectOf(item, this.#options.decompress)), prefixes }
  }

  async find(ctx: Context, place: Place): Promise<StoredObject | undefined> {
    try {
      return this.#object(await this.#resource(ctx, place))
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  async open(ctx: Context, place: Place, file: FileEntry, range?: Range): Promise<Body> {
    const generation: Query = file.version === undefined ? {} : { generation: file.version }
    const url = this.#url(place, { alt: 'media', ...generation })
    // What is kept in gzip comes as it is kept only to those who say that they can read it.
    const accept = this.#options.decompress ? 'identity' : 'gzip'
    // The generation tells the version: the ETag of an answer is another one.
    return await download({ ...file, version: undefined, modTime: 0n }, range, (headers) =>
      this.#client.request(ctx, { method: 'GET', url, headers: { 'accept-encoding': accept, ...headers } }),
    )
  }

  async put(ctx: Context, place: Place, body: Body, info: PutInfo): Promise<StoredObject> {
    const { storageClass } = this.#options
    const { contentType, hashes, ifAbsent, modTime } = info
    const resource = {
      name: place.key,
      contentType: contentType ?? octetStream,
      ...(storageClass === '' ? {} : { storageClass }),
      ...(modTime === undefined ? {} : { metadata: timeMetadata(modTime) }),
      ...(hashes?.md5 ? { md5Hash: Buffer.from(hashes.md5, 'hex').toString('base64') } : {}),
    }
    const query = { ...this.#acl('predefinedAcl'), ...(ifAbsent ? { ifGenerationMatch: '0' } : {}) }
    try {
      return this.#object(await upload(ctx, this.#client, body, { bucket: place.bucket, query, resource }))
    } catch (error) {
      if (toAppError(error).code !== 'precondition') throw error
      throw new AppError('exists', `${place.key} exists already`, { cause: error })
    }
  }

  async remove(ctx: Context, place: Place): Promise<void> {
    const response = await this.#client.request(ctx, { method: 'DELETE', url: this.#url(place) })
    if (response.status < 300) await leave(response.body)
    else await answerOf(response, place.key)
  }

  /** Large objects, and those for another place or class, take several calls. */
  async copy(ctx: Context, from: Place, to: Place): Promise<StoredObject> {
    const names = ['b', from.bucket, 'o', from.key, 'rewriteTo', 'b', to.bucket, 'o', to.key]
    const fixed = this.#acl('destinationPredefinedAcl')
    for (let token: string | undefined; ;) {
      const url = this.#client.url(names, { ...fixed, ...(token === undefined ? {} : { rewriteToken: token }) })
      const answer = await this.#client.json<{ done: boolean; rewriteToken?: string; resource?: Resource }>(
        ctx,
        from.key,
        { method: 'POST', url, length: 0 },
      )
      if (answer.done && answer.resource) return this.#object(answer.resource)
      if (answer.rewriteToken === undefined) throw new AppError('io', `${from.key}: the service stopped copying`)
      token = answer.rewriteToken
    }
  }

  async setModTime(ctx: Context, place: Place, time: Nanoseconds): Promise<void> {
    const json = { metadata: timeMetadata(time) }
    await this.#client.json(ctx, place.key, { method: 'PATCH', url: this.#url(place), json })
  }

  close(): void {
    this.#client.close()
  }

  async *#listed<T extends object>(
    ctx: Context,
    what: string,
    names: readonly string[],
    query: Query,
  ): AsyncGenerator<T & { readonly nextPageToken?: string }> {
    for (let token: string | undefined; ;) {
      const url = this.#client.url(names, { ...query, ...(token === undefined ? {} : { pageToken: token }) })
      const page = await this.#client.json<T & { readonly nextPageToken?: string }>(ctx, what, { method: 'GET', url })
      yield page
      token = page.nextPageToken
      if (token === undefined) return
    }
  }

  async #resource(ctx: Context, place: Place): Promise<Resource> {
    return await this.#client.json(ctx, place.key, { method: 'GET', url: this.#url(place, { fields }) })
  }

  #object(resource: Resource): StoredObject {
    return objectOf(resource, this.#options.decompress)
  }

  #url({ bucket, key }: Place, query: Query = {}): URL {
    return this.#client.url(['b', bucket, 'o', key], query)
  }

  #acl(name: string): Query {
    const { bucketPolicyOnly, objectAcl } = this.#options
    return objectAcl === '' || bucketPolicyOnly ? {} : { [name]: objectAcl }
  }

  #project(): string {
    const { projectNumber } = this.#options
    if (projectNumber !== '') return projectNumber
    throw new AppError(
      'invalid',
      'google cloud storage backend: buckets are listed and made with the option project_number',
    )
  }
}

/** A name that is malformed or too long cannot be there. */
function isAbsent(error: unknown): boolean {
  const { code } = toAppError(error)
  return code === 'not-found' || code === 'invalid'
}
