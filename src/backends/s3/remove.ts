import { AppError, toAppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { escapeXml, textOf } from '../../net/xml.ts'
import type { Place } from '../../remote/object-store.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { md5Header } from './client.ts'
import { bypassHeaders } from './lock.ts'
import { fieldOf, type Listed, pages } from './pages.ts'
import type { Store } from './store.ts'
import { placeOfVersion, versionQuery } from './versions.ts'

/** Objects that one request deletes. */
const BATCH = 1000

/** Removes an object. The store does not tell whether there was one. */
export async function remove(ctx: Context, store: Store, place: Place, { id }: FileEntry): Promise<void> {
  await store.client.run(ctx, {
    method: 'DELETE',
    ...placeOfVersion(store, place, id),
    query: versionQuery(id),
    headers: bypassHeaders(store.options),
  })
}

/** Removes all objects with a prefix, many at a time, with `versions` the old ones as well. Gives whether there were any. */
export async function purge(ctx: Context, store: Store, bucket: string, prefix: string): Promise<boolean> {
  const { versions } = store.options
  let found = false
  const options = { bucket, prefix, recursive: true, ...(versions ? { versions } : {}) }
  for await (const { objects } of pages(ctx, store, options)) {
    found ||= objects.length > 0
    for (let at = 0; at < objects.length; at += BATCH)
      await removeMany(ctx, store, bucket, objects.slice(at, at + BATCH))
  }
  return found
}

async function removeMany(ctx: Context, store: Store, bucket: string, objects: readonly Listed[]): Promise<void> {
  const items = objects.map((object) => {
    const id = fieldOf(object, 'VersionId')
    const version = id === '' ? '' : `<VersionId>${escapeXml(id)}</VersionId>`
    return `<Object><Key>${escapeXml(object.key)}</Key>${version}</Object>`
  })
  const body = Buffer.from(
    `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${items.join('')}</Delete>`,
  )
  const bypass = bypassHeaders(store.options)
  const answer = await store.client
    .document(ctx, { method: 'POST', bucket, query: { delete: '' }, headers: { ...md5Header(body), ...bypass }, body })
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
  const headers = bypassHeaders(store.options)
  for (const object of objects) {
    const query = versionQuery(fieldOf(object, 'VersionId'))
    await store.client.run(ctx, { method: 'DELETE', bucket, key: object.key, query, headers })
  }
}
