import { AppError, type ErrorCode, toAppError } from '../../base/error.ts'
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
import { placeOf } from './versions.ts'

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
  latest(file)
  await copied(ctx, store, file, file.path, { modTime })
}

/** Moves an object to another storage class, by copying it onto itself. */
export async function setTier(ctx: Context, store: Store, file: FileEntry, tier: string): Promise<void> {
  latest(file)
  await copied(ctx, store, file, file.path, { tier: tier.toUpperCase() })
}

function latest({ path, id }: FileEntry): void {
  if (id !== undefined) throw new AppError('unsupported', `${path} is an old version, which stays as it is`)
}

async function copied(ctx: Context, store: Store, file: FileEntry, to: string, changes: Changes): Promise<FileEntry> {
  const { client, keeping, options, places } = store
  const now = await unchanged(ctx, store, file)
  const known = entryOfHeaders(file.path, now)
  const modTime = changes.modTime ?? known.modTime
  const inParts = known.size > options.copyCutoff
  const tier = changes.tier ?? (options.storageClass || now['x-amz-storage-class'])
  const described: Headers = {
    ...describedAgain(now, modTime, inParts ? known.hashes?.md5 : undefined),
    ...(tier === undefined ? {} : { 'x-amz-storage-class': tier }),
  }
  const named = { ...keeping.copied, 'x-amz-copy-source': sourceText(store, file) }
  const place = places.of(to)
  let etag: string | undefined
  if (inParts) {
    const job = { path: to, place, info: {}, modTime, size: known.size, md5: known.hashes?.md5 }
    const confirm = () => unchanged(ctx, store, known)
    etag = (await copyParts(ctx, store, job, { size: known.size, named, described, confirm })).etag
  } else {
    const condition: Headers = known.version === undefined ? {} : { 'x-amz-copy-source-if-match': `"${known.version}"` }
    const headers = { ...keeping.stored, ...described, ...named, ...condition, 'x-amz-metadata-directive': 'REPLACE' }
    const answer = await client
      .document(ctx, { method: 'PUT', ...place, headers })
      .catch(changedIf('precondition', file))
    etag = etagOf(textOf(answer, 'ETag'))
  }
  return { ...known, path: to, modTime, ...(tier ? { tier } : {}), ...(etag === undefined ? {} : { version: etag }) }
}

/** The headers of a file that still is what it was. Throws `not-found` otherwise. */
async function unchanged(ctx: Context, store: Store, file: FileEntry): Promise<Headers> {
  const headers = await headOf(ctx, store, file)
  if (file.version === undefined || etagOf(headers.etag) === file.version) return headers
  throw changed(file)
}

function changed({ path }: FileEntry, cause?: unknown): AppError {
  return new AppError('not-found', `${path} has changed since it was looked up`, { cause })
}

function changedIf(code: ErrorCode, file: FileEntry): (reason: unknown) => never {
  return (reason) => {
    throw toAppError(reason).code === code ? changed(file, reason) : reason
  }
}

/** What is to be copied, as `x-amz-copy-source` names it. */
function sourceText(store: Store, file: FileEntry): string {
  const { bucket, key } = placeOf(store, file)
  const version = file.id === undefined ? '' : `?versionId=${escaped(file.id)}`
  return `/${escaped(bucket)}/${key.split('/').map(escaped).join('/')}${version}`
}
