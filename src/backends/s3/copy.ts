import { AppError, type ErrorCode, toAppError } from '../../base/error.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import type { Headers } from '../../net/client.ts'
import { textOf } from '../../net/xml.ts'
import type { Place, StoredObject } from '../../remote/object-store.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { copySource } from './access-point.ts'
import { headOf } from './find.ts'
import { copyParts } from './multipart.ts'
import { describedAgain, etagOf, objectOfHeaders } from './object.ts'
import { escaped } from './sign.ts'
import type { Store } from './store.ts'
import { placeOfVersion } from './versions.ts'

/** What a copy changes of what it copies. */
interface Changes {
  readonly modTime?: Nanoseconds
  readonly tier?: string
}

/** An object to be copied, and where to. */
interface Copying {
  readonly file: FileEntry
  readonly from: Place
  readonly to: Place
}

/** Copies an object within the store. */
export async function copy(ctx: Context, store: Store, copying: Copying): Promise<StoredObject> {
  return await copied(ctx, store, copying, {})
}

/** Gives an object another time or storage class, by copying it onto itself with other metadata. */
export async function change(
  ctx: Context,
  store: Store,
  { place, file }: { readonly place: Place; readonly file: FileEntry },
  changes: Changes,
): Promise<void> {
  if (file.id !== undefined) throw new AppError('unsupported', `${file.path} is an old version, which stays as it is`)
  await copied(ctx, store, { file, from: place, to: place }, changes)
}

async function copied(ctx: Context, store: Store, copying: Copying, changes: Changes): Promise<StoredObject> {
  const { file, from, to } = copying
  const { client, keeping, options } = store
  const now = await unchanged(ctx, store, from, file)
  const known = objectOfHeaders(to.key, now)
  const modTime = changes.modTime ?? known.modTime
  const inParts = known.size > options.copyCutoff
  const tier = changes.tier ?? (options.storageClass || now['x-amz-storage-class'])
  const described: Headers = {
    ...describedAgain(now, modTime, inParts ? known.hashes?.md5 : undefined),
    ...(tier === undefined ? {} : { 'x-amz-storage-class': tier }),
  }
  const named = { ...keeping.copied, 'x-amz-copy-source': sourceText(store, from, file.id) }
  let etag: string | undefined
  if (inParts) {
    const job = { place: to, info: {}, modTime, size: known.size, md5: known.hashes?.md5 }
    const confirm = () => unchanged(ctx, store, from, { ...file, version: known.version })
    etag = (await copyParts(ctx, store, job, { size: known.size, named, described, confirm })).etag
  } else {
    const condition: Headers = known.version === undefined ? {} : { 'x-amz-copy-source-if-match': `"${known.version}"` }
    const headers = { ...keeping.stored(), ...described, ...named, ...condition, 'x-amz-metadata-directive': 'REPLACE' }
    const answer = await client.document(ctx, { method: 'PUT', ...to, headers }).catch(changedIf('precondition', file))
    etag = etagOf(textOf(answer, 'ETag'))
  }
  return { ...known, modTime, ...(tier ? { tier } : {}), ...(etag === undefined ? {} : { version: etag }) }
}

/** The headers of a file that still is what it was. Throws `not-found` otherwise. */
async function unchanged(ctx: Context, store: Store, place: Place, file: FileEntry): Promise<Headers> {
  const headers = await headOf(ctx, store, place, file)
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
function sourceText(store: Store, from: Place, id: string | undefined): string {
  const { bucket, key } = placeOfVersion(store, from, id)
  const version = id === undefined ? '' : `?versionId=${escaped(id)}`
  return copySource(bucket, key).split('/').map(escaped).join('/') + version
}
