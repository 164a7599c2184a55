import { bodyOf, type Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { KeyedLock } from '../../base/keyed-lock.ts'
import { inPieces } from '../../base/pieces.ts'
import type { Range } from '../../base/range.ts'
import { Semaphore } from '../../base/semaphore.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import { tidying } from '../../core/tidying.ts'
import type { Headers } from '../../net/client.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { bucketRemote } from '../../remote/bucket-remote.ts'
import { download } from '../../remote/download.ts'
import { heldBack } from '../../remote/incoming.ts'
import { lastInTurn } from '../../remote/last-in-turn.ts'
import { formatSeconds } from '../../remote/mtime.ts'
import type { ObjectStore, Page, PageOptions, Place, StoredObject } from '../../remote/object-store.ts'
import type { FileEntry, PutInfo, Remote, Usage } from '../../remote/remote.ts'
import { SwiftClient, pathOf } from './client.ts'
import type { swiftOptions } from './index.ts'
import { checkLogin, type SwiftOptions, withEnvironment } from './login.ts'
import { DIRECTORY, type Listed, listedTime, objectOfHeaders, objectOfListing } from './object.ts'
import {
  copySegments,
  LARGEST,
  manifestHeader,
  manifestOf,
  newSegments,
  ownSegments,
  removeSegments,
  sendSegments,
} from './segments.ts'

/** Entries of one answer to a listing: the most that Swift gives. */
const LIST_CHUNK = 10_000
/** Of a file of unknown size this much is held, in bytes, to see whether it is a small one. */
const PEEK = 1024 * 1024

/** Opens the containers of an account. Asks the server for nothing. */
export function openSwift(ctx: Context, { name, root, config }: OpenArgs<typeof swiftOptions>): Remote {
  const options = withEnvironment(config, process.env)
  checkLogin(options)
  if (options.chunkSize < 1 || options.chunkSize > LARGEST)
    throw new AppError('invalid', 'swift backend: chunk_size has to be between one byte and 5 GiB')
  return bucketRemote({
    store: new SwiftStore(new SwiftClient(ctx, options), options),
    name,
    type: 'swift',
    root,
    description: root === '' ? 'Swift root' : `Swift container path ${root}`,
    encoding: options.encoding,
    hashes: ['md5'],
    slowModTime: true,
  })
}

class SwiftStore implements ObjectStore {
  readonly #client: SwiftClient
  readonly #options: SwiftOptions
  readonly #names = new KeyedLock()

  constructor(client: SwiftClient, options: SwiftOptions) {
    this.#client = client
    this.#options = options
  }

  async *buckets(ctx: Context): AsyncGenerator<{ name: string; modTime: Nanoseconds }> {
    for (let marker = ''; ;) {
      const query: Record<string, string> = marker === '' ? {} : { marker }
      const page = await this.#client.json<Listed>(ctx, { bucket: '', key: '' }, query)
      for (const listed of page) yield { name: listed.name ?? '', modTime: listedTime(listed) }
      marker = page.at(-1)?.name ?? ''
      if (marker === '') return
    }
  }

  async hasBucket(ctx: Context, bucket: string): Promise<boolean> {
    return (await this.#head(ctx, { bucket, key: '' })) !== undefined
  }

  async makeBucket(ctx: Context, bucket: string): Promise<void> {
    const { storagePolicy } = this.#options
    const headers: Headers = storagePolicy === '' ? {} : { 'x-storage-policy': storagePolicy }
    await this.#client.send(ctx, { method: 'PUT', place: { bucket, key: '' }, headers, length: 0 })
  }

  async removeBucket(ctx: Context, bucket: string): Promise<void> {
    try {
      await this.#client.send(ctx, { method: 'DELETE', place: { bucket, key: '' } })
    } catch (error) {
      if (toAppError(error).code !== 'busy') throw error
      throw new AppError('not-empty', `${bucket} is not empty`, { cause: error })
    }
  }

  async *pages(ctx: Context, { bucket, prefix, recursive, limit = LIST_CHUNK }: PageOptions): AsyncGenerator<Page> {
    const fixed = { prefix, limit: String(limit), ...(recursive ? {} : { delimiter: '/' }) }
    for (let marker = ''; ;) {
      const query = { ...fixed, ...(marker === '' ? {} : { marker }) }
      const listed = await this.#client.json<Listed>(ctx, { bucket, key: '' }, query)
      if (listed.length === 0) return
      yield await this.#page(ctx, bucket, listed)
      marker = listed.at(-1)?.name ?? listed.at(-1)?.subdir ?? ''
    }
  }

  async find(ctx: Context, place: Place): Promise<StoredObject | undefined> {
    const headers = await this.#head(ctx, place)
    return headers && headers['content-type'] !== DIRECTORY ? objectOfHeaders(place.key, headers, own(ctx)) : undefined
  }

  async open(ctx: Context, place: Place, file: FileEntry, range?: Range): Promise<Body> {
    const match: Headers = file.version === undefined ? {} : { 'if-match': `"${file.version}"` }
    return await download({ ...file, modTime: 0n }, range, (headers) =>
      this.#client.request(ctx, { method: 'GET', place, headers: { ...match, ...headers } }),
    )
  }

  async put(ctx: Context, place: Place, body: Body, info: PutInfo): Promise<StoredObject> {
    if (!info.ifAbsent) return await this.#put(ctx, place, body, info)
    // The server looks when an upload begins: of two at once both would see nothing.
    const check = async () => {
      if (await this.#head(ctx, place)) throw new AppError('exists', `${place.key} exists already`)
    }
    const turn = { lock: this.#names, name: pathOf(place), check }
    return await lastInTurn(turn, body, async (source) => await this.#put(ctx, place, source, info))
  }

  async remove(ctx: Context, place: Place): Promise<void> {
    const headers = this.#options.noLargeObjects ? {} : await this.#head(ctx, place)
    if (!headers) throw new AppError('not-found', `${place.key} does not exist`)
    const isStatic = headers['x-static-large-object'] !== undefined
    const query: Record<string, string> = isStatic ? { 'multipart-manifest': 'delete' } : {}
    await this.#client.send(ctx, { method: 'DELETE', place, query })
    const segments = ownSegments(place, headers)
    if (segments) await removeSegments(ctx, this.#client, segments)
  }

  /** Copies within the server. What is too large for one object stays in segments, each of which is copied. */
  async copy(ctx: Context, from: Place, to: Place): Promise<StoredObject> {
    const source = await this.#existing(ctx, from)
    const old = await this.#oldSegments(ctx, to)
    const segments = manifestOf(source)
    const size = Number(source['content-length'])
    if (segments && size > this.#options.chunkSize)
      await this.#storeSegments(ctx, to, { headers: metadataOf(source), size }, (prefix) =>
        copySegments(ctx, this.#client, segments, prefix),
      )
    else {
      const headers = { 'x-copy-from': `/${pathOf(from)}` }
      await this.#client.send(ctx, { method: 'PUT', place: to, headers, length: 0 })
    }
    if (old) await removeSegments(ctx, this.#client, old)
    return objectOfHeaders(to.key, await this.#existing(ctx, to), true)
  }

  /** A POST replaces all metadata, so that all of it is sent again. */
  async setModTime(ctx: Context, place: Place, time: Nanoseconds): Promise<void> {
    const headers = { ...metadataOf(await this.#existing(ctx, place)), 'x-object-meta-mtime': formatSeconds(time) }
    await this.#client.send(ctx, { method: 'POST', place, headers, length: 0 })
  }

  async about(ctx: Context, bucket: string): Promise<Usage> {
    const kind = bucket === '' ? 'account' : 'container'
    const { headers } = await this.#client.send(ctx, { method: 'HEAD', place: { bucket, key: '' } })
    const count = (name: string) => Number(headers[`x-${kind}-${name}`] ?? NaN)
    const [used, objects, total] = [count('bytes-used'), count('object-count'), count('meta-quota-bytes')]
    return {
      ...(Number.isNaN(used) ? {} : { used }),
      ...(Number.isNaN(objects) ? {} : { objects }),
      ...(Number.isNaN(total) ? {} : { total, free: Math.max(0, total - used) }),
    }
  }

  close(): void {
    this.#client.close()
  }

  async #put(ctx: Context, place: Place, body: Body, info: PutInfo): Promise<StoredObject> {
    const { chunkSize, noChunk, noLargeObjects } = this.#options
    const old = await this.#oldSegments(ctx, place)
    const { size, source } = await measured(body, info, Math.min(PEEK, chunkSize))
    const whole = noLargeObjects || (size === undefined ? noChunk : size <= chunkSize)
    const headers = headersOf(info)
    if (whole)
      await this.#store(ctx, place, { headers, body: size === undefined ? source : heldBack(source), length: size })
    else {
      // An MD5 would be that of the manifest.
      const { etag: _etag, ...rest } = headers
      await this.#storeSegments(ctx, place, { headers: rest, size }, (prefix) =>
        sendSegments(ctx, this.#client, source, { prefix, size, chunkSize }),
      )
    }
    if (old) await removeSegments(ctx, this.#client, old)
    return objectOfHeaders(place.key, await this.#existing(ctx, place), true)
  }

  /** The file is there once its manifest is, which is stored when `fill` has put all segments in their place. */
  async #storeSegments(
    ctx: Context,
    place: Place,
    { headers, size }: { readonly headers: Headers; readonly size: number | undefined },
    fill: (prefix: Place) => Promise<void>,
  ): Promise<void> {
    const prefix = newSegments(place, size, Date.now())
    await this.makeBucket(ctx, prefix.bucket)
    await tidying(
      ctx,
      async () => {
        await fill(prefix)
        await this.#store(ctx, place, { headers: { ...headers, ...manifestHeader(prefix) }, length: 0 })
      },
      async (own) => {
        if (!this.#options.leavePartsOnError) await removeSegments(own, this.#client, prefix)
      },
    )
  }

  async #store(
    ctx: Context,
    place: Place,
    request: { readonly headers: Headers; readonly body?: Body; readonly length: number | undefined },
  ): Promise<void> {
    try {
      await this.#client.send(ctx, { method: 'PUT', place, ...request })
    } catch (error) {
      if (toAppError(error).code !== 'precondition') throw error
      throw new AppError('exists', `${place.key} exists already`, { cause: error })
    }
  }

  /** In a listing a file in segments looks as an empty one: those are looked at, some at a time. */
  async #page(ctx: Context, bucket: string, listed: readonly Listed[]): Promise<Page> {
    const isDirectory = ({ subdir, content_type }: Listed) => subdir !== undefined || content_type === DIRECTORY
    const looks = new Semaphore(ctx.get(mainOptions).checkers)
    const objects = await Promise.all(
      listed.map(async (each) => {
        if (isDirectory(each)) return undefined
        if (each.bytes !== 0 || this.#options.noLargeObjects) return objectOfListing(each, own(ctx))
        return await looks.run(ctx.signal, () => this.find(ctx, { bucket, key: each.name ?? '' }))
      }),
    )
    return {
      objects: objects.filter((object) => object !== undefined),
      prefixes: listed.filter(isDirectory).map(({ subdir, name }) => subdir ?? `${name}/`),
    }
  }

  async #oldSegments(ctx: Context, place: Place): Promise<Place | undefined> {
    if (this.#options.noLargeObjects) return undefined
    const old = await this.#head(ctx, place)
    return old && ownSegments(place, old)
  }

  async #existing(ctx: Context, place: Place): Promise<Headers> {
    const headers = await this.#head(ctx, place)
    if (headers) return headers
    throw new AppError('not-found', `${place.key} does not exist`)
  }

  /** The headers of a place; undefined when there is nothing, or its name is one that nothing can have. */
  async #head(ctx: Context, place: Place): Promise<Headers | undefined> {
    try {
      return (await this.#client.send(ctx, { method: 'HEAD', place })).headers
    } catch (error) {
      const { code } = toAppError(error)
      if (code === 'not-found' || code === 'invalid') return undefined
      throw error
    }
  }
}

/** Whether files have times of their own, or those of their upload, which a listing tells (`--use-server-modtime`). */
function own(ctx: Context): boolean {
  return !ctx.get(mainOptions).useServerModTime
}

function headersOf({ contentType, hashes, ifAbsent, modTime }: PutInfo): Headers {
  return {
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(modTime === undefined ? {} : { 'x-object-meta-mtime': formatSeconds(modTime) }),
    ...(hashes?.md5 ? { etag: hashes.md5 } : {}),
    ...(ifAbsent ? { 'if-none-match': '*' } : {}),
  }
}

/** What a POST, or a copy by segments, has to send again. */
function metadataOf(headers: Headers): Headers {
  const kept = ['content-encoding', 'content-disposition', 'content-type', 'x-delete-at', 'x-object-manifest']
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('x-object-meta-') || kept.includes(name)),
  )
}

/** A body with its size: of one that does not tell, the beginning is held to see whether that is all. */
async function measured(
  body: Body,
  info: PutInfo,
  peek: number,
): Promise<{ readonly size: number | undefined; readonly source: Body }> {
  if (info.size !== undefined && info.size >= 0) return { size: info.size, source: body }
  const pieces = inPieces(body, peek)
  const first = (await pieces.next()).value
  if (!first || first.length < peek) return { size: first?.length ?? 0, source: first ? bodyOf(first) : bodyOf() }
  return { size: undefined, source: joined(first, pieces) }
}

async function* joined(first: Uint8Array, rest: Body): AsyncGenerator<Uint8Array> {
  yield first
  yield* rest
}
