import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Headers } from '../../net/client.ts'
import { lengthOf, timeOf } from '../../remote/download.ts'
import { parseSeconds } from '../../remote/mtime.ts'
import type { StoredObject } from '../../remote/object-store.ts'

/** What a listing says of an object. */
export interface Listed {
  readonly name?: string
  readonly subdir?: string
  readonly bytes?: number
  readonly hash?: string
  readonly slo_etag?: string
  readonly content_type?: string
  readonly last_modified?: string
}

/** The media type of objects that stand for directories. */
export const DIRECTORY = 'application/directory'

/** An object by its headers. */
export function objectOfHeaders(key: string, headers: Headers): StoredObject {
  const etag = headers.etag?.replaceAll('"', '')
  const contentType = headers['content-type']
  return {
    key,
    size: lengthOf(headers['content-length']),
    modTime: parseSeconds(headers['x-object-meta-mtime']) ?? timeOf(headers['last-modified']) ?? 0n,
    ...(contentType ? { contentType } : {}),
    ...(etag ? { version: etag } : {}),
    ...(etag && !isLarge(headers) ? { hashes: { md5: etag } } : {}),
  }
}

/** Whether an object is made of segments: its ETag then is not its MD5. */
export function isLarge(headers: Headers): boolean {
  return headers['x-object-manifest'] !== undefined || headers['x-static-large-object'] !== undefined
}

/** An object by its line in a listing, which tells the time of the upload only. */
export function objectOfListing({
  name = '',
  bytes = -1,
  hash,
  slo_etag,
  content_type,
  last_modified,
}: Listed): StoredObject {
  return {
    key: name,
    size: bytes,
    modTime: listedTime(last_modified),
    ...(content_type ? { contentType: content_type } : {}),
    ...(hash && slo_etag === undefined ? { version: hash, hashes: { md5: hash } } : {}),
  }
}

/** Times of listings are in UTC and do not say so. */
function listedTime(text: string | undefined): Nanoseconds {
  const ms = Date.parse(`${text}Z`)
  return Number.isNaN(ms) ? 0n : fromMs(ms)
}
