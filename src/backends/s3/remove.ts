import { AppError, toAppError } from '../../base/error.ts'
import { asCanonical } from '../../base/path.ts'
import { fromMs } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { textOf } from '../../net/xml.ts'
import { escapeXml } from '../../net/xml.ts'
import { formatSeconds } from '../../remote/mtime.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { md5Header, needBucket } from './client.ts'
import { fieldOf, firstPage, type Listed, pages } from './pages.ts'
import { type Place, prefixOf } from './places.ts'
import type { Store } from './store.ts'
import { placeOf, versionQuery } from './versions.ts'

/** Objects that one request deletes. */
const BATCH = 1000

/** Removes an object. The store does not tell whether there was one. */
export async function remove(ctx: Context, store: Store, file: FileEntry): Promise<void> {
  changeable(store)
  await store.client.run(ctx, { method: 'DELETE', ...placeOf(store, file), query: versionQuery(file.id) })
}

/** Makes a bucket; a directory needs nothing, unless it is to be kept empty (`directory_markers`). */
export async function makeDirectory(ctx: Context, store: Store, dir: string): Promise<void> {
  changeable(store)
  const { bucket, key } = store.places.of(asCanonical(dir))
  if (bucket === '') return
  await store.buckets.ensure(ctx, bucket)
  if (!store.options.directoryMarkers || key === '') return
  const names = key.split('/')
  for (const i of names.keys()) {
    const marker = `${names.slice(0, i + 1).join('/')}/`
    const headers = { 'x-amz-meta-mtime': formatSeconds(fromMs(Date.now())), ...store.keeping.stored }
    await store.client.run(ctx, { method: 'PUT', bucket, key: marker, headers, body: new Uint8Array() })
  }
}

/** Removes an empty bucket, or the marker of an empty directory; one without a marker is gone with its last file. */
export async function removeDirectory(ctx: Context, store: Store, dir: string): Promise<void> {
  changeable(store)
  const place = store.places.of(dir)
  needBucket(place.bucket)
  if (place.key === '') return await store.buckets.remove(ctx, place.bucket)
  const prefix = prefixOf(place)
  const { objects } = await firstPage(ctx, store, { bucket: place.bucket, prefix, recursive: true, limit: 2 })
  if (objects.some(({ key }) => key !== prefix)) throw new AppError('not-empty', `${dir} is not empty`)
  if (objects.length > 0) await store.client.run(ctx, { method: 'DELETE', bucket: place.bucket, key: prefix })
  else if (store.options.directoryMarkers) throw new AppError('not-found', `${dir} does not exist`)
  return undefined
}

/** Removes all that is in a directory, many objects at a time; a bucket as well. */
export async function purge(ctx: Context, store: Store, dir: string): Promise<void> {
  changeable(store)
  const place = store.places.of(dir)
  needBucket(place.bucket)
  const { versions } = store.options
  let found = place.key === ''
  for await (const { objects } of pages(ctx, store, {
    bucket: place.bucket,
    prefix: prefixOf(place),
    recursive: true,
    ...(versions ? { versions } : {}),
  })) {
    found ||= objects.length > 0
    for (let at = 0; at < objects.length; at += BATCH)
      await removeMany(ctx, store, place, objects.slice(at, at + BATCH))
  }
  if (!found) throw new AppError('not-found', `${dir} does not exist`)
  if (place.key === '') await store.buckets.remove(ctx, place.bucket)
}

async function removeMany(ctx: Context, store: Store, { bucket }: Place, objects: readonly Listed[]): Promise<void> {
  const items = objects.map((object) => {
    const id = fieldOf(object, 'VersionId')
    const version = id === '' ? '' : `<VersionId>${escapeXml(id)}</VersionId>`
    return `<Object><Key>${escapeXml(object.key)}</Key>${version}</Object>`
  })
  const body = Buffer.from(
    `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${items.join('')}</Delete>`,
  )
  const answer = await store.client
    .document(ctx, { method: 'POST', bucket, query: { delete: '' }, headers: md5Header(body), body })
    .catch((reason: unknown) => {
      if (toAppError(reason).code !== 'unsupported') throw reason
      return undefined
    })
  if (!answer) return await oneByOne(ctx, store, bucket, objects)
  const failed = answer.children.find(({ name }) => name === 'Error')
  if (failed)
    throw new AppError('io', `${textOf(failed, 'Key')} was not deleted: ${textOf(failed, 'Message')}`, { retry: 'now' })
  return undefined
}

/** For stores that cannot delete many at once. */
async function oneByOne(ctx: Context, store: Store, bucket: string, objects: readonly Listed[]): Promise<void> {
  for (const object of objects) {
    const query = versionQuery(fieldOf(object, 'VersionId'))
    await store.client.run(ctx, { method: 'DELETE', bucket, key: object.key, query })
  }
}

function changeable(store: Store): void {
  if (store.versionAt !== undefined) throw new AppError('denied', 's3: with version_at nothing can be changed')
}
