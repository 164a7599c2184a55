import { createHash, randomBytes } from 'node:crypto'
import type { BlobHTTPHeaders, BlockBlobClient } from '@azure/storage-blob'
import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { inPieces, sendPieces } from '../../base/pieces.ts'
import type { Context } from '../../core/context.ts'
import { retry, retryPolicy } from '../../layers/retry.ts'
import { azure } from './error.ts'

/** Azure takes no more blocks of one blob. */
const MOST_BLOCKS = 50_000

export interface Upload {
  readonly size: number | undefined
  /** Bytes of a block, unless the file needs larger ones. */
  readonly chunkSize: number
  /** Blocks that go up at a time, each held in memory. */
  readonly concurrency: number
  /** Stores the MD5 of a file that goes up in blocks. */
  readonly checksum: boolean
  readonly contentType: string | undefined
  readonly metadata: Record<string, string>
  readonly tier: string | undefined
  readonly ifAbsent: boolean
}

/**
 * Stores a file: in one request when it fits into one block, else in blocks, which become the file at the end. Either is sent
 * again where that may help. Blocks of a broken upload are thrown away by the service after a week.
 */
export async function upload(ctx: Context, blob: BlockBlobClient, body: Body, how: Upload): Promise<void> {
  const size = how.size ?? 0
  const chunk = Math.max(how.chunkSize, Math.ceil(size / MOST_BLOCKS))
  const md5 = createHash('md5')
  const pieces = inPieces(hashing(body, md5), chunk)
  const first = (await pieces.next()).value ?? new Uint8Array()
  const second = first.length < chunk ? undefined : (await pieces.next()).value
  const options = {
    abortSignal: ctx.signal,
    metadata: how.metadata,
    ...(how.tier === undefined ? {} : { tier: how.tier }),
    ...(how.ifAbsent ? { conditions: { ifNoneMatch: '*' } } : {}),
  }
  const headers = (checksum: boolean): BlobHTTPHeaders => ({
    ...(how.contentType === undefined ? {} : { blobContentType: how.contentType }),
    ...(checksum ? { blobContentMD5: md5.digest() } : {}),
  })
  // Of a new file the second try would find that of the first one in its place.
  const again = <T>(call: () => Promise<T>) => (how.ifAbsent ? call() : retry(ctx, retryPolicy(ctx), call))
  if (!second) {
    const described = { ...options, blobHTTPHeaders: headers(true) }
    await again(() => azure(blob.name, blob.upload(first, first.length, described)))
    return
  }
  const ids = await sendBlocks(ctx, blob, joined([first, second], pieces), how.concurrency)
  const described = { ...options, blobHTTPHeaders: headers(how.checksum) }
  await again(() => azure(blob.name, blob.commitBlockList(ids, described)))
}

/** Sends the blocks and gives their names, in order. They are not those of another upload to the same blob. */
async function sendBlocks(
  ctx: Context,
  blob: BlockBlobClient,
  pieces: AsyncIterable<Uint8Array>,
  atOnce: number,
): Promise<string[]> {
  const upload = randomBytes(8).toString('hex')
  const ids: string[] = []
  await sendPieces(pieces, Math.max(1, atOnce), async (piece, index) => {
    if (index >= MOST_BLOCKS)
      throw new AppError('too-large', `${blob.name} has more than ${MOST_BLOCKS} chunks: set chunk_size higher`)
    const id = Buffer.from(`${upload}${String(index).padStart(8, '0')}`).toString('base64')
    ids[index] = id
    await retry(ctx, retryPolicy(ctx), () =>
      azure(blob.name, blob.stageBlock(id, piece, piece.length, { abortSignal: ctx.signal })),
    )
  })
  return ids
}

async function* hashing(body: Body, hash: { update(chunk: Uint8Array): unknown }): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk)
    yield chunk
  }
}

async function* joined(head: Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* head
  yield* rest
}
