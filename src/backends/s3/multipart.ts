import { createHash } from 'node:crypto'
import { AppError, toAppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { Headers } from '../../net/client.ts'
import { escapeXml, textOf } from '../../net/xml.ts'
import type { Place } from '../../remote/object-store.ts'
import type { Chunks, Taken } from './chunks.ts'
import { findObject } from './find.ts'
import { describing, etagOf } from './object.ts'
import { ifNew } from './only-new.ts'
import type { S3Options } from './options.ts'
import type { Store } from './store.ts'
import type { Made, Upload } from './upload.ts'

const MIB = 1024 * 1024
/** Time for telling the store that an upload came to nothing. */
const ABORT_MS = 10_000

/** A part that the store has. */
interface Part {
  readonly number: number
  readonly etag: string
  /** Of its bytes, where they came through here. */
  readonly md5?: Uint8Array
}

/** An upload in parts that was begun. */
interface Begun {
  readonly place: Place
  readonly id: string
}

/**
 * Uploads a body in parts, `upload_concurrency` at once, each of them again while that may help. What fails for good is taken
 * back, so that nobody pays for parts of nothing. `first` is what was read of it before.
 */
export async function uploadParts(
  ctx: Context,
  store: Store,
  upload: Upload,
  chunks: Chunks,
  first?: Taken,
): Promise<Made> {
  const { options, client } = store
  const job: Upload = { ...upload, md5: upload.md5 ?? (await md5OfSource(upload, options)) }
  const partSize = partSizeOf(store, job.size ?? 0)
  let size = 0
  async function part(begun: Begun, number: number, bytes: Uint8Array, signal: AbortSignal): Promise<Part> {
    const md5 = createHash('md5').update(bytes).digest()
    const headers = await client.run(ctx.with({ signal }), {
      method: 'PUT',
      ...begun.place,
      query: { partNumber: String(number), uploadId: begun.id },
      headers: { 'content-md5': md5.toString('base64'), ...store.keeping.opened },
      body: bytes,
    })
    return { number, etag: etagOf(headers.etag) ?? '', md5 }
  }
  const described = describing(job.info, job.modTime, options, job.md5)
  return await inParts(ctx, store, job.place, described, async (begun, run) => {
    for (let number = 1, ended = false; !ended; number++) {
      if (number > mostParts(store))
        throw new AppError(
          'too-large',
          `${job.place.key} would have more than ${mostParts(store)} parts: raise chunk_size`,
        )
      await run.free()
      const taken = number === 1 && first ? first : await chunks.take(partSize)
      ended = taken.ended
      size += taken.bytes.length
      run.add((signal) => part(begun, number, taken.bytes, signal))
    }
    const parts = await run.done()
    return await complete(ctx, store, job, { begun, parts, size })
  })
}

/**
 * The MD5, which has to be told before the first part: the ETag of parts is another thing, and nothing can be added later. A
 * source that fails to make it does not keep its file from being uploaded.
 */
async function md5OfSource({ info }: Upload, { disableChecksum }: S3Options): Promise<string | undefined> {
  if (disableChecksum) return undefined
  return (await info.hash?.('md5').catch(() => '')) || undefined
}

/** How large the parts of an upload are: as `chunk_size` says, larger where there would be too many. */
export function partSizeOf(store: Store, size: number): number {
  const least = Math.max(store.options.chunkSize, store.quirks.minChunk ?? 0)
  return Math.max(least, Math.ceil(size / mostParts(store) / MIB) * MIB)
}

function mostParts({ options, quirks }: Store): number {
  return Math.min(options.maxUploadParts, quirks.maxParts ?? Infinity)
}

/** Runs parts, some at once. The first that fails stops the others. */
class Run {
  readonly #most: number
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #running = new Set<Promise<void>>()
  readonly #parts: Part[] = []
  #failure: unknown

  constructor(signal: AbortSignal, most: number) {
    this.#most = Math.max(1, most)
    this.#signal = AbortSignal.any([signal, this.#stop.signal])
  }

  /** Resolves when another part may be begun. Throws what another one threw. */
  async free(): Promise<void> {
    while (this.#running.size >= this.#most && this.#failure === undefined) await Promise.race(this.#running)
    if (this.#failure !== undefined) throw this.#failure
  }

  add(upload: (signal: AbortSignal) => Promise<Part>): void {
    const work = upload(this.#signal)
      .then((part) => void this.#parts.push(part))
      .catch((error: unknown) => {
        this.#failure ??= error
        this.#stop.abort()
      })
      .finally(() => this.#running.delete(work))
    this.#running.add(work)
  }

  /** All parts in order. Throws what one of them threw. */
  async done(): Promise<readonly Part[]> {
    await Promise.all(this.#running)
    if (this.#failure !== undefined) throw this.#failure
    return this.#parts.sort((a, b) => a.number - b.number)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }
}

async function inParts(
  ctx: Context,
  store: Store,
  place: Place,
  described: Headers,
  work: (begun: Begun, run: Run) => Promise<Made>,
): Promise<Made> {
  const { client, keeping, options } = store
  const headers = { ...keeping.stored(), ...described }
  const answer = await client.document(ctx, { method: 'POST', ...place, query: { uploads: '' }, headers })
  const begun = { place, id: textOf(answer, 'UploadId') ?? '' }
  const run = new Run(ctx.signal, options.uploadConcurrency)
  try {
    return await work(begun, run)
  } catch (error) {
    await run.stop()
    if (!options.leavePartsOnError) await abort(ctx, store, begun)
    throw error
  }
}

/** Takes an upload back. Never throws: what failed before is what matters. */
async function abort(ctx: Context, store: Store, { place, id }: Begun): Promise<void> {
  try {
    const late = ctx.with({ signal: AbortSignal.timeout(ABORT_MS) })
    await store.client.run(late, { method: 'DELETE', ...place, query: { uploadId: id } })
  } catch (reason) {
    ctx.log.debug(`the parts of a failed upload stay: ${toAppError(reason).message}`, { object: place.key })
  }
}

interface Finished {
  readonly begun: Begun
  readonly parts: readonly Part[]
  readonly size: number
}

async function complete(ctx: Context, store: Store, job: Upload, { begun, parts, size }: Finished): Promise<Made> {
  const list = parts.map(
    ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>"${escapeXml(etag)}"</ETag></Part>`,
  )
  const body = Buffer.from(
    `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list.join('')}</CompleteMultipartUpload>`,
  )
  const query = { uploadId: begun.id }
  try {
    const answer = await ifNew(store, job.info, (headers) =>
      store.client.document(ctx, { method: 'POST', ...begun.place, query, headers, body }),
    )
    const etag = etagOf(textOf(answer, 'ETag'))
    check(store, job, parts, etag)
    return { size, etag, md5: job.md5 }
  } catch (reason) {
    // An answer that was lost, and a second try: the upload is no more because it is done.
    const error = toAppError(reason)
    const done = error.code === 'not-found' ? await findObject(ctx, store, job.place) : undefined
    if (!done?.version?.endsWith(`-${parts.length}`) || done.size !== size || done.modTime !== job.modTime) throw error
    return { size, etag: done.version, md5: job.md5 }
  }
}

/** Throws when the ETag is not that of the parts that were sent: the MD5 of their MD5s. */
function check(
  { options, quirks, keeping }: Store,
  job: Upload,
  parts: readonly Part[],
  etag: string | undefined,
): void {
  if (!(options.useMultipartEtag ?? !quirks.otherMultipartEtag) || !keeping.etagIsMd5) return
  if (!/^[0-9a-f]{32}-\d+$/.test(etag ?? '') || parts.some(({ md5 }) => !md5)) return
  const hash = createHash('md5')
  for (const { md5 } of parts) hash.update(md5 as Uint8Array)
  const expected = `${hash.digest('hex')}-${parts.length}`
  if (etag !== expected)
    throw new AppError('io', `${job.place.key}: corrupted on transfer: ETag is ${etag}, not ${expected}`, {
      retry: 'now',
    })
}

/** An object to be copied in parts. */
interface Source {
  readonly size: number
  /** The headers that name it. */
  readonly named: Headers
  /** The headers that describe the copy. */
  readonly described: Headers
  /** Throws when it is another one by now. */
  confirm(): Promise<unknown>
}

/** Copies an object in parts, by the store itself. */
export async function copyParts(ctx: Context, store: Store, job: Upload, source: Source): Promise<Made> {
  const { client, options } = store
  const partSize = Math.max(options.copyCutoff, partSizeOf(store, source.size))
  return await inParts(ctx, store, job.place, source.described, async (begun, run) => {
    for (let at = 0, number = 1; at < source.size; at += partSize, number++) {
      await run.free()
      const headers = {
        ...source.named,
        ...store.keeping.opened,
        'x-amz-copy-source-range': `bytes=${at}-${Math.min(at + partSize, source.size) - 1}`,
      }
      const query = { partNumber: String(number), uploadId: begun.id }
      run.add(async (signal) => {
        const answer = await client.document(ctx.with({ signal }), { method: 'PUT', ...begun.place, query, headers })
        return { number, etag: etagOf(textOf(answer, 'ETag')) ?? '' }
      })
    }
    const parts = await run.done()
    // Conditions on the parts would do, but stores have their own ideas of the ETags of parts.
    await source.confirm()
    return await complete(ctx, store, job, { begun, parts, size: source.size })
  })
}
