import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Body } from '../../base/body.ts'
import { AppError, errorCode, messageOf, toAppError } from '../../base/error.ts'
import type { Headers } from '../../net/client.ts'
import type { StoredObject } from '../../remote/object-store.ts'

/** Whether an object is kept in gzip, by the headers of HEAD and GET. */
export function isPacked(headers: Headers): boolean {
  return headers['content-encoding']?.toLowerCase() === 'gzip'
}

/** An object that is kept in gzip as its reader sees it: how large it is turns out at its end. */
export function unpackedObject({ key, modTime, metadata = {}, ...object }: StoredObject): StoredObject {
  const own = Object.entries(metadata).filter(([name]) => name !== 'content-encoding')
  return {
    key,
    modTime,
    size: -1,
    ...(object.contentType === undefined ? {} : { contentType: object.contentType }),
    ...(object.version === undefined ? {} : { version: object.version }),
    ...(object.tier === undefined ? {} : { tier: object.tier }),
    ...(own.length > 0 ? { metadata: Object.fromEntries(own) } : {}),
  }
}

/** The bytes that are in gzip. Throws `io` for what is not. */
export async function* unpacked(body: Body): AsyncGenerator<Uint8Array, void> {
  const gunzip = createGunzip()
  // What goes wrong on the way in comes out of it.
  pipeline(body, gunzip, () => {})
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array
  } catch (reason) {
    if (!errorCode(reason)?.startsWith('Z_')) throw toAppError(reason)
    throw new AppError('io', `what should be gzip is not: ${messageOf(reason)}`, { cause: reason })
  } finally {
    gunzip.destroy()
  }
}
