import { randomUUID } from 'node:crypto'
import { bodyOf, type Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { inPieces } from '../../base/pieces.ts'
import type { Context } from '../../core/context.ts'
import { retry, retryPolicy } from '../../layers/retry.ts'
import { bare } from '../../net/login.ts'
import { davError, type DavClient } from './client.ts'

/** Nextcloud takes no more. */
const MOST_CHUNKS = 10_000

export interface ChunkedUpload {
  /** Where the file is to be. */
  readonly target: URL
  /** Bytes of all but the last chunk. */
  readonly chunkSize: number
  /** Bytes in all, where they are known. */
  readonly size: number | undefined
}

/** The folder for chunks that belongs to a Nextcloud URL, `…/dav/files/USER/…`; undefined for its older URLs, which have none. */
export function uploadsUrl(base: URL): URL | undefined {
  const [, before, user] = /^(.*\/dav)\/files\/([^/]+)\//.exec(base.pathname) ?? []
  if (user === undefined) return undefined
  const url = new URL(base)
  url.pathname = `${before}/uploads/${user}/`
  return url
}

/**
 * Sends a file in chunks to a folder of its own, by version 2 of Nextcloud's chunked upload, and gives the URL that has to be
 * moved to its place. A chunk is held in memory until it has arrived, and sent again when that may help. Whoever calls removes
 * `folder` when it fails.
 */
export async function uploadChunks(
  ctx: Context,
  client: DavClient,
  body: Body,
  { folder, upload }: { readonly folder: URL; readonly upload: ChunkedUpload },
): Promise<URL> {
  const { target, size } = upload
  const headers = { destination: bare(target).href, ...(size === undefined ? {} : { 'oc-total-length': String(size) }) }
  const made = await client.send(ctx, { method: 'MKCOL', url: folder, headers })
  if (made.status >= 300) throw davError(made, 'beginning an upload in chunks')
  let number = 0
  for await (const chunk of inPieces(body, chunkSizeFor(upload))) {
    if (++number > MOST_CHUNKS)
      throw new AppError('too-large', `more than ${MOST_CHUNKS} chunks: set nextcloud_chunk_size higher`)
    const url = new URL(String(number).padStart(5, '0'), folder)
    await retry(ctx, retryPolicy(ctx), async () => {
      const sent = await client.send(ctx, { method: 'PUT', url, headers, body: bodyOf(chunk), length: chunk.length })
      if (sent.status >= 300) throw davError(sent, `chunk ${number}`)
    })
  }
  return new URL('.file', folder)
}

/** A folder for the chunks of one upload. */
export function newFolder(uploads: URL): URL {
  return new URL(`sluice-${randomUUID()}/`, uploads)
}

function chunkSizeFor({ chunkSize, size }: ChunkedUpload): number {
  return size === undefined ? chunkSize : Math.max(chunkSize, Math.ceil(size / MOST_CHUNKS))
}
