import { AppError, toAppError } from '../../base/error.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { childOf, escapeXml, textOf } from '../../net/xml.ts'
import { parseServerTime } from './object.ts'
import type { Store } from './store.ts'

/** A bucket of the login. */
interface Bucket {
  readonly name: string
  /** When it was made. */
  readonly modTime: Nanoseconds
}

/** All buckets of the login. */
export async function allBuckets(ctx: Context, { client }: Store): Promise<Bucket[]> {
  const document = await client.document(ctx, { method: 'GET', bucket: '' })
  return (childOf(document, 'Buckets')?.children ?? []).map((element) => ({
    name: textOf(element, 'Name') ?? '',
    modTime: parseServerTime(textOf(element, 'CreationDate')),
  }))
}

/** Whether a bucket is there; one that is somebody else's is. */
export async function hasBucket(ctx: Context, { client }: Store, bucket: string): Promise<boolean> {
  try {
    await client.run(ctx, { method: 'HEAD', bucket })
    return true
  } catch (reason) {
    const { code } = toAppError(reason)
    if (code === 'not-found') return false
    // Whoever may not look may yet store something.
    if (code === 'denied') return true
    throw reason
  }
}

/** Makes a bucket, in the region of `location_constraint`. */
export async function makeBucket(ctx: Context, store: Store, bucket: string): Promise<void> {
  const { locationConstraint, acl, bucketAcl, bucketObjectLockEnabled } = store.options
  const body = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${escapeXml(locationConstraint)}</LocationConstraint></CreateBucketConfiguration>`
  const canned = bucketAcl === '' ? acl : bucketAcl
  try {
    await store.client.run(ctx, {
      method: 'PUT',
      bucket,
      headers: {
        ...(canned === '' ? {} : { 'x-amz-acl': canned }),
        ...(bucketObjectLockEnabled ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {}),
      },
      body: Buffer.from(locationConstraint === '' ? '' : body),
    })
  } catch (reason) {
    const error = toAppError(reason)
    if (error.code !== 'exists') throw error
    // The store may not say whose it is: that shows when something is stored.
    if (!(await hasBucket(ctx, store, bucket)))
      throw new AppError('denied', `the bucket ${bucket} belongs to somebody else`, { cause: error })
  }
}

/** Throws `not-empty`, `not-found`. */
export async function removeBucket(ctx: Context, { client }: Store, bucket: string): Promise<void> {
  await client.run(ctx, { method: 'DELETE', bucket })
}
