import { AppError, toAppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import { type Headers, leave } from '../../net/client.ts'
import type { Entry, FileEntry } from '../../remote/remote.ts'
import { isDirectory } from './listing.ts'
import { parseServerTime } from './mtime.ts'
import { entryOfHeaders, entryOfListing } from './object.ts'
import { firstPage } from './pages.ts'
import type { Store } from './store.ts'
import { findVersion, placeOf, versionQuery } from './versions.ts'

/** The entry at a path: an object, or a directory that something is in. */
export async function find(ctx: Context, store: Store, path: string): Promise<Entry | undefined> {
  const { bucket, key } = store.places.of(path)
  if (bucket !== '' && key !== '') {
    const file = await findFile(ctx, store, path)
    if (file) return file
  }
  return (await isDirectory(ctx, store, path)) ? { kind: 'directory', path, modTime: 0n } : undefined
}

/** The object at a path. */
export async function findFile(ctx: Context, store: Store, path: string): Promise<FileEntry | undefined> {
  const { options, keeping, places, versionAt } = store
  const place = places.of(path)
  const old = options.versions || versionAt !== undefined ? await findVersion(ctx, store, place) : undefined
  if (versionAt !== undefined && !old) return undefined
  if (options.noHeadObject && !old) {
    const { objects } = await firstPage(ctx, store, { bucket: place.bucket, prefix: place.key, limit: 1 })
    const [first] = objects
    return first?.key === place.key ? entryOfListing(path, first.element, keeping.etagIsMd5) : undefined
  }
  const id = old?.id === undefined ? {} : { id: old.id }
  const headers = await head(ctx, store, { path, ...id })
  return headers && { ...entryFrom(ctx, path, headers), ...id }
}

/** The headers of an object; undefined when there is none. */
export async function head(
  ctx: Context,
  store: Store,
  file: Pick<FileEntry, 'path' | 'id'>,
): Promise<Headers | undefined> {
  const { client, keeping } = store
  const query = versionQuery(file.id)
  try {
    const response = await client.send(ctx, {
      method: 'HEAD',
      ...placeOf(store, file),
      query,
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

/** As `head`, of an object that has to be there. Throws `not-found`. */
export async function headOf(ctx: Context, store: Store, file: FileEntry): Promise<Headers> {
  const headers = await head(ctx, store, file)
  if (!headers) throw new AppError('not-found', `${file.path} does not exist`)
  return headers
}

/** An object by its headers, with the time that the context wants. */
export function entryFrom(ctx: Context, path: string, headers: Headers): FileEntry {
  const entry = entryOfHeaders(path, headers)
  return ctx.get(mainOptions).useServerModTime
    ? { ...entry, modTime: parseServerTime(headers['last-modified']) }
    : entry
}
