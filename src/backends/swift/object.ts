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

/** An object by its headers. `own` = with the time that is kept beside it, not that of the upload. */
export function objectOfHeaders(key: string, headers: Headers, own: boolean): StoredObject {
  const etag = headers.etag?.replaceAll('"', '')
  const contentType = headers['content-type']
  return {
    key,
    size: lengthOf(headers['content-length']),
    modTime: (own ? parseSeconds(headers['x-object-meta-mtime']) : undefined) ?? timeOf(headers['last-modified']) ?? 0n,
    ...(contentType ? { contentType } : {}),
    ...(etag ? { version: etag } : {}),
    ...(etag && !isLarge(headers) ? { hashes: { md5: etag } } : {}),
  }
}

/** Whether an object is made of segments: its ETag then is not its MD5. */
export function isLarge(headers: Headers): boolean {
  return headers['x-object-manifest'] !== undefined || headers['x-static-large-object'] !== undefined
}

/** An object by its line in a listing, which tells the time of the upload only. `own` = its own time is to be asked for later. */
export function objectOfListing(listed: Listed, own: boolean): StoredObject {
  const { name = '', bytes = -1, hash, slo_etag, content_type } = listed
  return {
    key: name,
    size: bytes,
    modTime: listedTime(listed),
    ...(own ? { timeOfUpload: true as const } : {}),
    ...(content_type ? { contentType: content_type } : {}),
    ...(hash && slo_etag === undefined ? { version: hash, hashes: { md5: hash } } : {}),
  }
}

/** The time of a line in a listing, also of containers: it is in UTC and does not say so. */
export function listedTime({ last_modified }: Listed): Nanoseconds {
  const ms = Date.parse(`${last_modified}Z`)
  return Number.isNaN(ms) ? 0n : fromMs(ms)
}
