import { fromMs, type Nanoseconds } from '../../base/time.ts'
import { formatTime, parseSeconds, parseTime } from '../../remote/mtime.ts'
import type { StoredObject } from '../../remote/object-store.ts'

/** An object as the JSON API describes it: as much as is used here. */
export interface Resource {
  readonly name: string
  readonly size?: string
  readonly updated?: string
  readonly generation?: string
  readonly md5Hash?: string
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly storageClass?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** The parts of a resource that are asked for. */
export const fields = 'name,size,updated,generation,md5Hash,contentType,contentEncoding,storageClass,metadata'

/** An object of the store. With `unpacked` the server unpacks what is kept in gzip: size and checksum are those of other bytes then. */
export function objectOf(resource: Resource, unpacked: boolean): StoredObject {
  const { name, size, updated, generation, md5Hash, contentType, contentEncoding, storageClass, metadata } = resource
  const other = unpacked && contentEncoding === 'gzip'
  return {
    key: name,
    size: size === undefined || other ? -1 : Number(size),
    modTime: timeIn(metadata) ?? (updated === undefined ? 0n : fromMs(Date.parse(updated))),
    ...(contentType ? { contentType } : {}),
    ...(generation ? { version: generation } : {}),
    ...(md5Hash && !other ? { hashes: { md5: Buffer.from(md5Hash, 'base64').toString('hex') } } : {}),
    ...(storageClass ? { tier: storageClass } : {}),
  }
}

function timeIn(metadata: Resource['metadata']): Nanoseconds | undefined {
  return parseTime(metadata?.mtime) ?? parseSeconds(metadata?.['goog-reserved-file-mtime'])
}

/** A time as it is kept beside an object: rclone's and gsutil's. */
export function timeMetadata(time: Nanoseconds): Record<string, string> {
  return { mtime: formatTime(time), 'goog-reserved-file-mtime': String(time / 1_000_000_000n) }
}
