import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Headers } from '../../net/client.ts'
import { textOf, type XmlElement } from '../../net/xml.ts'
import { formatSeconds, parseSeconds } from '../../remote/mtime.ts'
import type { StoredObject } from '../../remote/object-store.ts'
import type { PutInfo } from '../../remote/remote.ts'
import { headersOfObjects } from './metadata.ts'
import type { S3Options } from './options.ts'

/** The metadata that has the time of a file, and the one with its MD5 in base64 where the ETag is another thing. */
const MTIME = 'x-amz-meta-mtime'
const MD5 = 'x-amz-meta-md5chksum'

/** A time as headers and listings write it; 1970 when it is none. */
export function parseServerTime(text: string | undefined): Nanoseconds {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? 0n : fromMs(ms)
}

/** The ETag without its quotes. */
export function etagOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : text.replace(/^"(.*)"$/, '$1')
}

/** An object as the headers of HEAD and GET describe it. `size` where they are about a part of it. */
export function objectOfHeaders(
  key: string,
  headers: Headers,
  size = Number(headers['content-length'] ?? -1),
): StoredObject {
  const etag = etagOf(headers.etag)
  const md5 = storedMd5(headers[MD5]) ?? (isEncrypted(headers) ? undefined : md5OfEtag(etag))
  const metadata = metadataOf(headers)
  return {
    key,
    size,
    modTime: parseSeconds(headers[MTIME]) ?? parseServerTime(headers['last-modified']),
    ...(headers['content-type'] === undefined ? {} : { contentType: headers['content-type'] }),
    ...(etag === undefined ? {} : { version: etag }),
    ...(md5 === undefined ? {} : { hashes: { md5 } }),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    tier: headers['x-amz-storage-class'] ?? 'STANDARD',
  }
}

/** An object as a listing describes it: with the time of its upload, for its own is not in there. */
export function objectOfListing(key: string, element: XmlElement, isMd5: boolean): StoredObject {
  const etag = etagOf(textOf(element, 'ETag'))
  const md5 = isMd5 ? md5OfEtag(etag) : undefined
  return {
    key,
    size: Number(textOf(element, 'Size') ?? -1),
    modTime: parseServerTime(textOf(element, 'LastModified')),
    ...(etag === undefined ? {} : { version: etag }),
    ...(md5 === undefined ? {} : { hashes: { md5 } }),
    tier: textOf(element, 'StorageClass') ?? 'STANDARD',
  }
}

/** True when the store says that the ETag is not made of the bytes. */
export function isEncrypted(headers: Headers): boolean {
  return (
    headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined ||
    headers['x-amz-server-side-encryption']?.startsWith('aws:') === true
  )
}

/** What an ETag says of the MD5: of an upload in one piece it is that. */
export function md5OfEtag(etag: string | undefined): string | undefined {
  return etag !== undefined && /^[0-9a-f]{32}$/i.test(etag) ? etag.toLowerCase() : undefined
}

function storedMd5(base64: string | undefined): string | undefined {
  const hex = base64 === undefined ? '' : Buffer.from(base64, 'base64').toString('hex')
  return hex.length === 32 ? hex : undefined
}

function metadataOf(headers: Headers): Record<string, string> {
  const metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith('x-amz-meta-') && name !== MTIME && name !== MD5) metadata[name.slice(11)] = fromHeader(value)
  for (const name of headersOfObjects) {
    const value = headers[name]
    if (value !== undefined) metadata[name] = value
  }
  return metadata
}

/** Text that a header cannot have as it is becomes an encoded word (RFC 2047 section 2), as AWS does with metadata. */
function toHeader(text: string): string {
  return /^[ -~]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`
}

function fromHeader(text: string): string {
  return text.replaceAll(/=\?UTF-8\?B\?([\w+/=]*)\?=/gi, (_, base64: string) =>
    Buffer.from(base64, 'base64').toString(),
  )
}

/** The headers that describe a new object. `md5` in hex is stored where the ETag will not be it. */
export function describing(info: PutInfo, modTime: Nanoseconds, options: S3Options, md5?: string): Headers {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(info.metadata ?? {})) {
    const lower = name.toLowerCase()
    if (lower === 'content-type' || headersOfObjects.includes(lower)) headers[lower] = value
    else if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) headers[`x-amz-meta-${lower}`] = toHeader(value)
  }
  headers[MTIME] = formatSeconds(modTime)
  if (md5 !== undefined && !options.disableChecksum) headers[MD5] = Buffer.from(md5, 'hex').toString('base64')
  if (info.contentType !== undefined) headers['content-type'] ??= info.contentType
  return headers
}

/** The headers with which an object that is there describes itself, to give them to it again. `md5` in hex as above. */
export function describedAgain(headers: Headers, modTime: Nanoseconds, md5?: string): Headers {
  const same = ['content-type', ...headersOfObjects, 'x-amz-website-redirect-location']
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-') || same.includes(name))
  return {
    ...Object.fromEntries(own),
    [MTIME]: formatSeconds(modTime),
    ...(md5 === undefined ? {} : { [MD5]: Buffer.from(md5, 'hex').toString('base64') }),
  }
}
