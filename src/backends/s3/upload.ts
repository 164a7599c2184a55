import { createHash } from 'node:crypto'
import type { Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import type { Headers } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { heldBack } from '../../remote/incoming.ts'
import type { Place, StoredObject } from '../../remote/object-store.ts'
import type { PutInfo } from '../../remote/remote.ts'
import type { Call, Streamed } from './client.ts'
import { Chunks } from './chunks.ts'
import { findObject } from './find.ts'
import { isLocking } from './lock.ts'
import { partSizeOf, uploadParts } from './multipart.ts'
import { describing, etagOf, isEncrypted, md5OfEtag } from './object.ts'
import { ifNew, onlyNew } from './only-new.ts'
import type { Store } from './store.ts'

/** An object to be made: where, and how it is described. */
export interface Upload {
  readonly place: Place
  readonly info: PutInfo
  readonly modTime: Nanoseconds
  /** Bytes, undefined when nobody knows yet. */
  readonly size: number | undefined
  /** In hex, where it is known before the bytes are. */
  readonly md5: string | undefined
}

/** What the store says of an object that was made. */
export interface Made {
  readonly size: number
  readonly etag: string | undefined
  readonly md5: string | undefined
}

/**
 * Stores an object: small ones in one request that may be repeated, larger ones in one that is streamed, from `upload_cutoff`
 * on and of unknown size in parts. Nothing is visible before all bytes came and were found right.
 */
export async function upload(
  ctx: Context,
  store: Store,
  place: Place,
  { body, info }: { readonly body: Body; readonly info: PutInfo },
): Promise<StoredObject> {
  const modTime = info.modTime ?? fromMs(Date.now())
  const size = info.size === undefined || info.size < 0 ? undefined : info.size
  const job: Upload = { place, info, modTime, size, md5: info.hashes?.md5?.toLowerCase() || undefined }
  const made = await onlyNew(ctx, store, { ...job, body }, (source) => transport(ctx, store, job, source))
  return {
    key: place.key,
    size: made.size,
    modTime,
    ...(info.contentType === undefined ? {} : { contentType: info.contentType }),
    ...(made.etag === undefined ? {} : { version: made.etag }),
    ...(made.md5 === undefined ? {} : { hashes: { md5: made.md5 } }),
    ...(info.metadata ? { metadata: info.metadata } : {}),
    tier: store.options.storageClass || 'STANDARD',
  }
}

async function transport(ctx: Context, store: Store, job: Upload, body: Body): Promise<Made> {
  const { uploadCutoff } = store.options
  const least = partSizeOf(store, 0)
  const chunks = new Chunks(body)
  try {
    const { size } = job
    const streamed = !isLocking(store.options) || job.md5 !== undefined
    if (streamed && size !== undefined && size > least && size < uploadCutoff)
      return await putStream(ctx, store, job, chunks, size)
    if (size !== undefined && size >= uploadCutoff && size > 0) return await uploadParts(ctx, store, job, chunks)
    // All of a small file, or the beginning of one of which nobody knows the size.
    const first = await chunks.take(least)
    if (first.ended) return await putBytes(ctx, store, job, first.bytes)
    return await uploadParts(ctx, store, job, chunks, first)
  } finally {
    await chunks.leave()
  }
}

/** One request with bytes that are at hand, again while that may help. */
async function putBytes(ctx: Context, store: Store, job: Upload, bytes: Uint8Array): Promise<Made> {
  const { client, options } = store
  const md5 = createHash('md5').update(bytes).digest()
  let tries = 0
  const headers = await ifNew(store, job.info, (condition) =>
    client.again(ctx, async () => {
      tries++
      const call = putCall(store, job, { 'content-md5': md5.toString('base64'), ...condition }, bytes)
      const response = await (options.usePresignedRequest ? client.sendPresigned(ctx, call) : client.send(ctx, call))
      await leave(response.body)
      return response.headers
    }),
  ).catch(async (reason: unknown) => {
    // An answer that was lost, and a second try: the name is taken by this very upload.
    const mine = toAppError(reason).code === 'precondition' && tries > 1 && (await findObject(ctx, store, job.place))
    if (!mine || mine.version !== md5.toString('hex') || mine.modTime !== job.modTime) throw reason
    return { etag: mine.version }
  })
  return madeOf(headers, bytes.length, md5.toString('hex'))
}

/** One request with bytes as they come. The last are held back until all is known to be right. */
async function putStream(ctx: Context, store: Store, job: Upload, chunks: Chunks, length: number): Promise<Made> {
  const { client, conditions, keeping } = store
  await client.findRegion(ctx, job.place.bucket)
  const hash = createHash('md5')
  const more: Headers = {
    ...(job.md5 === undefined ? {} : { 'content-md5': Buffer.from(job.md5, 'hex').toString('base64') }),
    ...(job.info.ifAbsent && conditions.known === 'yes' ? { 'if-none-match': '*' } : {}),
  }
  const body = heldBack(chunks, (chunk) => hash.update(chunk))
  const { headers, body: rest } = await client.send(ctx, putCall(store, job, more, { body, length }))
  await leave(rest)
  const made = madeOf(headers, length, hash.digest('hex'))
  // The store may encrypt without being asked to; the ETag is something else then.
  const stored = keeping.etagIsMd5 && !isEncrypted(headers) ? md5OfEtag(made.etag) : undefined
  if (stored !== undefined && stored !== made.md5)
    throw new AppError('io', `${job.place.key}: corrupted on transfer: md5 hashes differ`, { retry: 'now' })
  return made
}

function putCall(store: Store, job: Upload, more: Headers, body: Uint8Array | Streamed): Call {
  const headers = { ...describing(job.info, job.modTime, store.options), ...store.keeping.stored(), ...more }
  return { method: 'PUT', ...job.place, headers, body }
}

function madeOf(headers: Headers, size: number, md5: string): Made {
  return { size, etag: etagOf(headers.etag), md5 }
}
