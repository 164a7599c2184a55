import { AppError, toAppError } from '../../base/error.ts'
import { once, type Once } from '../../base/once.ts'
import type { Context } from '../../core/context.ts'
import { textOf } from '../../net/xml.ts'
import { escapeXml } from '../../net/xml.ts'
import type { DirEntry } from '../../remote/remote.ts'
import type { S3Client } from './client.ts'
import { parseServerTime } from './mtime.ts'
import type { S3Options } from './options.ts'

/** The buckets of one login. */
export class Buckets {
  readonly #client: S3Client
  readonly #options: S3Options
  /** The buckets that are known to be there, or being made. */
  readonly #there = new Map<string, Once<void>>()

  constructor(client: S3Client, options: S3Options) {
    this.#client = client
    this.#options = options
  }

  async list(ctx: Context): Promise<{ readonly bucket: string; readonly made: DirEntry['modTime'] }[]> {
    const document = await this.#client.document(ctx, { method: 'GET', bucket: '' })
    const buckets = document.children.find(({ name }) => name === 'Buckets')?.children ?? []
    return buckets.map((element) => ({
      bucket: textOf(element, 'Name') ?? '',
      made: parseServerTime(textOf(element, 'CreationDate')),
    }))
  }

  /** Whether a bucket is there; one that is somebody else's is. */
  async exists(ctx: Context, bucket: string): Promise<boolean> {
    try {
      await this.#client.run(ctx, { method: 'HEAD', bucket })
      return true
    } catch (reason) {
      const { code } = toAppError(reason)
      if (code === 'not-found') return false
      // Whoever may not look may yet store something.
      if (code === 'denied') return true
      throw reason
    }
  }

  /** Makes a bucket unless it is there; looked at once. Does nothing with `no_check_bucket`. */
  async ensure(ctx: Context, bucket: string): Promise<void> {
    if (this.#options.noCheckBucket) return
    let ensured = this.#there.get(bucket)
    if (!ensured) {
      ensured = once(async () => {
        if (!(await this.exists(ctx, bucket))) await this.#make(ctx, bucket)
      })
      this.#there.set(bucket, ensured)
    }
    await ensured()
  }

  /** Throws `not-empty`, `not-found`. */
  async remove(ctx: Context, bucket: string): Promise<void> {
    this.#there.delete(bucket)
    await this.#client.run(ctx, { method: 'DELETE', bucket })
  }

  async #make(ctx: Context, bucket: string): Promise<void> {
    const { locationConstraint, acl, bucketAcl } = this.#options
    const region = locationConstraint === '' ? '' : escapeXml(locationConstraint)
    const body = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`
    const canned = bucketAcl === '' ? acl : bucketAcl
    try {
      await this.#client.run(ctx, {
        method: 'PUT',
        bucket,
        headers: canned === '' ? {} : { 'x-amz-acl': canned },
        body: Buffer.from(region === '' ? '' : body),
      })
    } catch (reason) {
      const error = toAppError(reason)
      if (error.code !== 'exists') throw error
      // The store may not say whose it is: that shows when something is stored.
      if (!(await this.exists(ctx, bucket)))
        throw new AppError('denied', `the bucket ${bucket} belongs to somebody else`, { cause: error })
    }
  }
}
