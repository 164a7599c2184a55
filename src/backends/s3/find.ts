import { AppError, toAppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import type { Headers } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import type { Place, StoredObject } from '../../remote/object-store.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { objectOfHeaders, objectOfListing, parseServerTime } from './object.ts'
import { firstPage } from './pages.ts'
import type { Store } from './store.ts'
import { isPacked, unpackedObject } from './unpack.ts'
import { findVersion, placeOfVersion, versionQuery } from './versions.ts'

/** The object at a place; undefined when there is none. */
export async function findObject(ctx: Context, store: Store, place: Place): Promise<StoredObject | undefined> {
  const { options, keeping, versionAt } = store
  const old = options.versions || versionAt !== undefined ? await findVersion(ctx, store, place) : undefined
  if (versionAt !== undefined && !old) return undefined
  if (options.noHeadObject && !old) {
    const { objects } = await firstPage(ctx, store, { bucket: place.bucket, prefix: place.key, limit: 1 })
    const [first] = objects
    return first?.key === place.key ? objectOfListing(place.key, first.element, keeping.etagIsMd5) : undefined
  }
  const headers = await head(ctx, store, place, old?.id)
  if (!headers) return undefined
  const stored = objectOfHeaders(place.key, headers)
  const object = options.decompress && isPacked(headers) ? unpackedObject(stored) : stored
  const { useServerModTime } = ctx.get(mainOptions)
  return {
    ...object,
    ...(old?.id === undefined ? {} : { id: old.id }),
    ...(useServerModTime ? { modTime: parseServerTime(headers['last-modified']) } : {}),
  }
}

/** The headers of an object that has to be there, in the version of the file. Throws `not-found`. */
export async function headOf(ctx: Context, store: Store, place: Place, file: FileEntry): Promise<Headers> {
  const headers = await head(ctx, store, place, file.id)
  if (!headers) throw new AppError('not-found', `${file.path} does not exist`)
  return headers
}

async function head(ctx: Context, store: Store, place: Place, id: string | undefined): Promise<Headers | undefined> {
  const { client, keeping } = store
  try {
    const response = await client.send(ctx, {
      method: 'HEAD',
      ...placeOfVersion(store, place, id),
      query: versionQuery(id),
      headers: keeping.opened,
    })
    await leave(response.body)
    return response.headers
  } catch (reason) {
    const error = toAppError(reason)
    // A name that is too long or malformed cannot be there; without a document that is all that is known.
    if (error.code === 'not-found' || error.code === 'invalid') return undefined
    throw error
  }
}
