import { AppError, toAppError } from '../../base/error.ts'
import { asCanonical } from '../../base/path.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import type { Headers } from '../../net/client.ts'
import { textOf } from '../../net/xml.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { headOf } from './find.ts'
import { copyParts } from './multipart.ts'
import { describedAgain, entryOfHeaders, etagOf } from './object.ts'
import { escaped } from './sign.ts'
import type { Store } from './store.ts'

/** What a copy changes of what it copies. */
interface Changes {
  readonly modTime?: Nanoseconds
  readonly tier?: string
}

/** Copies an object within the store. */
export async function copy(ctx: Context, store: Store, file: FileEntry, to: string): Promise<FileEntry> {
  const { key, bucket } = store.places.of(asCanonical(to))
  if (to === '' || key === '') throw new AppError('is-directory', 'a file needs a bucket and a name')
  await store.buckets.ensure(ctx, bucket)
  return await copied(ctx, store, file, to, {})
}

/** Gives an object another time, by copying it onto itself with other metadata. */
export async function setModTime(ctx: Context, store: Store, file: FileEntry, modTime: Nanoseconds): Promise<void> {
  await copied(ctx, store, file, file.path, { modTime })
}

/** Moves an object to another storage class, by copying it onto itself. */
export async function setTier(ctx: Context, store: Store, file: FileEntry, tier: string): Promise<void> {
  await copied(ctx, store, file, file.path, { tier: tier.toUpperCase() })
}

async function copied(ctx: Context, store: Store, file: FileEntry, to: string, changes: Changes): Promise<FileEntry> {
  const { client, keeping, options, places } = store
  const now = await headOf(ctx, store, file)
  const known = entryOfHeaders(file.path, now)
  if (file.version !== undefined && known.version !== file.version)
    throw new AppError('not-found', `${file.path} has changed since it was looked up`)
  const modTime = changes.modTime ?? known.modTime
  const described = describedAgain(now, modTime)
  const tier: Headers =
    changes.tier === undefined ? sameTier(now, options.storageClass) : { 'x-amz-storage-class': changes.tier }
  const source = { ...copySource(store, file, known.version), ...keeping.copied }
  const place = places.of(to)
  const entry: FileEntry = {
    ...known,
    path: to,
    modTime,
    ...(changes.tier === undefined ? {} : { tier: changes.tier }),
  }
  if (known.size > options.copyCutoff) {
    const job = { path: to, place, info: {}, modTime, size: known.size, md5: known.hashes?.md5 }
    const { etag } = await copyParts(ctx, store, job, { source, described: { ...described, ...tier } })
    return { ...entry, ...(etag === undefined ? {} : { version: etag }) }
  }
  const headers = { ...keeping.stored, ...described, ...tier, ...source, 'x-amz-metadata-directive': 'REPLACE' }
  const answer = await client.document(ctx, { method: 'PUT', ...place, headers }).catch((reason: unknown) => {
    const error = toAppError(reason)
    if (error.code !== 'precondition') throw error
    throw new AppError('not-found', `${file.path} has changed since it was looked up`, { cause: error })
  })
  const etag = etagOf(textOf(answer, 'ETag'))
  return { ...entry, ...(etag === undefined ? {} : { version: etag }) }
}

/** The headers that name what is to be copied, of one version of it. */
function copySource({ places }: Store, file: FileEntry, etag: string | undefined): Headers {
  const { bucket, key } = places.of(file.path)
  const version = file.id === undefined ? '' : `?versionId=${escaped(file.id)}`
  return {
    'x-amz-copy-source': `/${escaped(bucket)}/${key.split('/').map(escaped).join('/')}${version}`,
    ...(etag === undefined ? {} : { 'x-amz-copy-source-if-match': `"${etag}"` }),
  }
}

/** A copy stays in the class of what it is made of, unless the options name one. */
function sameTier(headers: Headers, wanted: string): Headers {
  const tier = wanted === '' ? headers['x-amz-storage-class'] : wanted
  return tier === undefined ? {} : { 'x-amz-storage-class': tier }
}
