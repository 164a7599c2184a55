import { randomUUID } from 'node:crypto'
import { bodyOf, type Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { inPieces } from '../../base/pieces.ts'
import type { Context } from '../../core/context.ts'
import { tidying } from '../../core/tidying.ts'
import { retry, retryPolicy } from '../../layers/retry.ts'
import type { ClientResponse } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { answerOf, type GcsClient, type Query } from './client.ts'
import type { Resource } from './object.ts'

/** Bytes of one request of a large upload, held in memory until they have arrived: a multiple of 256 KiB, as Google wants it. */
export const PIECE = 8 * 1024 * 1024

export interface Upload {
  readonly bucket: string
  readonly query: Query
  /** The description of the object. */
  readonly resource: Readonly<Record<string, unknown>> & { readonly name: string; readonly contentType: string }
}

/**
 * Stores an object: a small one with its description in one request, others by a resumable upload, whose pieces are taken up
 * where they broke. Nothing is there before all of it is.
 */
export async function upload(ctx: Context, client: GcsClient, body: Body, how: Upload): Promise<Resource> {
  const pieces = inPieces(body, PIECE)
  const first = (await pieces.next()).value ?? new Uint8Array()
  const second = first.length < PIECE ? undefined : (await pieces.next()).value
  if (!second) {
    const send = () => sendWhole(ctx, client, first, how)
    // Of a new object the second try would find that of the first one in its place.
    return await ('ifGenerationMatch' in how.query ? send() : retry(ctx, retryPolicy(ctx), send))
  }
  const session = await begin(ctx, client, how)
  const name = how.resource.name
  return await tidying(
    ctx,
    () => sendPieces(ctx, client, { session, name }, joined([first, second], pieces)),
    async (own) => await leave((await client.request(own, { method: 'DELETE', url: session })).body),
  )
}

/** Description and bytes in one request (multipart/related). */
async function sendWhole(
  ctx: Context,
  client: GcsClient,
  bytes: Uint8Array,
  { bucket, query, resource }: Upload,
): Promise<Resource> {
  const boundary = randomUUID()
  const head = `--${boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${JSON.stringify(resource)}\r\n`
  const start = `--${boundary}\r\ncontent-type: ${resource.contentType}\r\n\r\n`
  const all = Buffer.concat([Buffer.from(head + start), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)])
  return await client.json(ctx, resource.name, {
    method: 'POST',
    url: client.uploadUrl(bucket, { ...query, uploadType: 'multipart' }),
    headers: { 'content-type': `multipart/related; boundary=${boundary}` },
    body: bodyOf(all),
    length: all.length,
  })
}

async function begin(ctx: Context, client: GcsClient, { bucket, query, resource }: Upload): Promise<URL> {
  const response = await client.request(ctx, {
    method: 'POST',
    url: client.uploadUrl(bucket, { ...query, uploadType: 'resumable' }),
    headers: { 'x-upload-content-type': resource.contentType },
    json: resource,
  })
  await answerOf(response, resource.name)
  const session = URL.parse(response.headers.location ?? '', response.url)
  if (session?.origin !== response.url.origin)
    throw new AppError('io', `${resource.name}: the service did not tell where to upload to`)
  return session
}

interface Session {
  readonly session: URL
  readonly name: string
}

async function sendPieces(ctx: Context, client: GcsClient, to: Session, pieces: Body): Promise<Resource> {
  let [at, last] = [0, new Uint8Array()]
  // Each waits for the next one: only the last one may tell how long the whole is.
  for await (const piece of pieces) {
    if (last.length > 0) await sendPiece(ctx, client, to, { bytes: last, at, ends: false })
    at += last.length
    last = piece as Uint8Array<ArrayBuffer>
  }
  const done = await sendPiece(ctx, client, to, { bytes: last, at, ends: true })
  if (done) return done
  throw new AppError('io', `${to.name}: the service has not taken all bytes`)
}

interface Piece {
  readonly bytes: Uint8Array
  /** Where they belong in the object. */
  readonly at: number
  readonly ends: boolean
}

/** Sends a piece until all of it has arrived. Gives the object when it was the last one. */
async function sendPiece(
  ctx: Context,
  client: GcsClient,
  { session, name }: Session,
  { bytes, at, ends }: Piece,
): Promise<Resource | undefined> {
  const total = ends ? String(at + bytes.length) : '*'
  const put = async (range: string, part: Uint8Array) => {
    const headers = { 'content-range': `bytes ${range}/${total}` }
    const body = part.length > 0 ? { body: bodyOf(part) } : {}
    return await client.request(ctx, { method: 'PUT', url: session, headers, length: part.length, ...body })
  }
  let arrived: number | undefined = 0
  return await retry(ctx, retryPolicy(ctx), async () => {
    for (;;) {
      const known = arrived
      arrived = undefined
      // After a failure the service is asked how far it has come.
      const range = known === undefined ? '*' : `${at + known}-${at + bytes.length - 1}`
      const response = await put(range, known === undefined ? bytes.subarray(bytes.length) : bytes.subarray(known))
      if (response.status !== 308) return (await answerOf(response, name)) as Resource
      await leave(response.body)
      arrived = held(response) - at
      if (arrived === bytes.length && !ends) return undefined
      if (arrived < 0 || arrived > bytes.length || (known !== undefined && arrived <= known))
        throw new AppError('io', `${name}: the service lost bytes that it had`)
    }
  })
}

/** How many bytes the service has. */
function held({ headers }: ClientResponse): number {
  const last = /^bytes=0-(\d+)$/.exec(headers.range ?? '')?.[1]
  return last === undefined ? 0 : Number(last) + 1
}

async function* joined(head: Uint8Array[], rest: Body): AsyncGenerator<Uint8Array> {
  yield* head
  yield* rest
}
