import { type Body, bodyOf } from '../../base/body.ts'
import { derive } from '../../base/derive.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { nameOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Context } from '../../core/context.ts'
import type { ClientResponse, Headers } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { part } from '../../remote/download.ts'
import type { Place } from '../../remote/object-store.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { objectOfHeaders } from './object.ts'
import { escaped } from './sign.ts'
import type { Store } from './store.ts'
import { isPacked, unpacked, unpackedObject } from './unpack.ts'
import { placeOfVersion, versionQuery } from './versions.ts'

/** An object, and the version of it that is meant. */
interface Wanted {
  readonly place: Place
  readonly file: FileEntry
}

/** The bytes of a range of an object, all from the version that the entry is of. */
export async function read(ctx: Context, store: Store, { place, file }: Wanted, range: Range): Promise<Body> {
  const end = file.size < 0 ? range.end : Math.min(range.end, file.size)
  const whole = range.start === 0 && end === (file.size < 0 ? Infinity : file.size)
  if (range.start >= end && (!whole || file.size === 0)) return bodyOf()
  const headers: Headers = {
    ...store.keeping.opened,
    ...(file.version === undefined ? {} : { 'if-match': `"${file.version}"` }),
  }
  const { decompress } = store.options
  // Of a packed object, whose size is not known, a range would be one of what is packed.
  const wanted: Headers = whole || (decompress && file.size < 0) ? {} : { range: rangeText(range.start, end) }
  const response = await get(ctx, store, { place, file }, { ...headers, ...wanted })
  const known = objectOfHeaders(place.key, response.headers, file.size)
  const packed = decompress && isPacked(response.headers)
  if (file.timeOfUpload) store.downloaded.set(file, packed ? unpackedObject(known) : known)
  if (packed) return await readPacked(file, range, response, () => get(ctx, store, { place, file }, headers))
  const skip = response.status === 206 ? 0 : range.start
  if (response.status === 206 && !startsAt(response, range.start)) {
    await leave(response.body)
    throw new AppError('io', `${file.path}: the store sent another range`)
  }
  return derive(response.body, (body) => part(body, skip, end - range.start))
}

function rangeText(start: number, end: number): string {
  return `bytes=${start}-${end === Infinity ? '' : end - 1}`
}

/** A range of what is in a packed object: to be read from its start, `whole` gives that when only a part has come. */
async function readPacked(
  { size }: FileEntry,
  { start, end }: Range,
  response: ClientResponse,
  whole: () => Promise<ClientResponse>,
): Promise<Body> {
  let { body } = response
  if (response.status === 206) {
    await leave(body)
    body = (await whole()).body
  }
  // The size of the entry may be that of the packed bytes.
  const last = size < 0 || end < size ? end : Infinity
  return derive(body, (bytes) => part(unpacked(bytes), start, last - start, false))
}

async function get(ctx: Context, store: Store, { place, file }: Wanted, headers: Headers): Promise<ClientResponse> {
  const { client, options } = store
  const stored = placeOfVersion(store, place, file.id)
  try {
    if (options.downloadUrl !== '') {
      const url = new URL(stored.key.split('/').map(escaped).join('/'), `${options.downloadUrl.replace(/\/+$/, '')}/`)
      return await client.download(ctx, url, headers)
    }
    return await client.send(ctx, { method: 'GET', ...stored, query: versionQuery(file.id), headers })
  } catch (reason) {
    const error = toAppError(reason)
    if (error.code !== 'precondition') throw error
    throw new AppError('not-found', `${nameOf(file.path)} has changed since it was looked up`, { cause: error })
  }
}

function startsAt({ headers }: ClientResponse, start: number): boolean {
  return Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1]) === start
}
