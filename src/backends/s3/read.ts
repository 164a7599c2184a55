import { type Body, bodyOf } from '../../base/body.ts'
import { derive } from '../../base/derive.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { nameOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Context } from '../../core/context.ts'
import { type ClientResponse, type Headers, leave } from '../../net/client.ts'
import { part } from '../../remote/download.ts'
import type { Place } from '../../remote/object-store.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { objectOfHeaders } from './object.ts'
import { escaped } from './sign.ts'
import type { Store } from './store.ts'
import { placeOfVersion, versionQuery } from './versions.ts'

/** The bytes of a range of an object, all from the version that the entry is of. */
export async function read(
  ctx: Context,
  store: Store,
  { place, file }: { readonly place: Place; readonly file: FileEntry },
  range: Range,
): Promise<Body> {
  const end = file.size < 0 ? range.end : Math.min(range.end, file.size)
  const whole = range.start === 0 && end === (file.size < 0 ? Infinity : file.size)
  if (range.start >= end && (!whole || file.size === 0)) return bodyOf()
  const headers: Headers = {
    ...store.keeping.opened,
    ...(whole ? {} : { range: `bytes=${range.start}-${end === Infinity ? '' : end - 1}` }),
    ...(file.version === undefined ? {} : { 'if-match': `"${file.version}"` }),
  }
  const response = await get(ctx, store, { place, file }, headers)
  if (file.timeOfUpload) store.downloaded.set(file, objectOfHeaders(place.key, response.headers, file.size))
  const skip = response.status === 206 ? 0 : range.start
  if (response.status === 206 && !startsAt(response, range.start)) {
    await leave(response.body)
    throw new AppError('io', `${file.path}: the store sent another range`)
  }
  return derive(response.body, (body) => part(body, skip, end - range.start))
}

async function get(
  ctx: Context,
  store: Store,
  { place, file }: { readonly place: Place; readonly file: FileEntry },
  headers: Headers,
): Promise<ClientResponse> {
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
