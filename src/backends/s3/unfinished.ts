import type { Json } from '../../base/json.ts'
import { toMs } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { childOf, textOf } from '../../net/xml.ts'
import type { Place } from '../../remote/object-store.ts'
import { GIVEN_UP_AFTER_MS } from '../../remote/partial.ts'
import { allBuckets } from './buckets.ts'
import { parseServerTime } from './object.ts'
import type { Store } from './store.ts'

/** An upload in parts that nobody has completed. */
interface Unfinished {
  readonly bucket: string
  readonly key: string
  readonly id: string
  readonly begun: string
}

/** Takes back the uploads below a place that were begun longer ago than `age`, in ms, and never completed. */
export async function cleanUp(ctx: Context, store: Store, root: Place, age = GIVEN_UP_AFTER_MS): Promise<void> {
  const oldest = Date.now() - age
  for (const bucket of await bucketsOf(ctx, store, root))
    for (const { key, id, begun } of await unfinished(ctx, store, { ...root, bucket })) {
      if (toMs(parseServerTime(begun)) > oldest) continue
      await store.client.run(ctx, { method: 'DELETE', bucket, key, query: { uploadId: id } })
      ctx.log.info('gave up an upload that was never completed', { object: `${bucket}/${key}` })
    }
}

/** The uploads of each bucket, as rclone's `list-multipart-uploads` gives them. */
export async function listUnfinished(ctx: Context, store: Store, root: Place): Promise<Json> {
  const result: Record<string, Json> = {}
  for (const bucket of await bucketsOf(ctx, store, root)) {
    const uploads = await unfinished(ctx, store, { ...root, bucket })
    result[bucket] = uploads.map(({ key, id, begun }) => ({ Initiated: begun, Key: key, UploadId: id }))
  }
  return result
}

async function bucketsOf(ctx: Context, store: Store, { bucket }: Place): Promise<string[]> {
  return bucket === '' ? (await allBuckets(ctx, store)).map(({ name }) => name) : [bucket]
}

async function unfinished(ctx: Context, store: Store, { bucket, key }: Place): Promise<Unfinished[]> {
  const prefix = key === '' ? '' : `${key}/`
  const found: Unfinished[] = []
  for (let from: Record<string, string> = {}; ;) {
    const query = { uploads: '', prefix, ...from }
    const page = await store.client.document(ctx, { method: 'GET', bucket, query })
    for (const upload of page.children)
      if (upload.name === 'Upload')
        found.push({
          bucket,
          key: childOf(upload, 'Key')?.text ?? '',
          id: textOf(upload, 'UploadId') ?? '',
          begun: textOf(upload, 'Initiated') ?? '',
        })
    if (textOf(page, 'IsTruncated') !== 'true') return found
    from = {
      'key-marker': textOf(page, 'NextKeyMarker') ?? '',
      'upload-id-marker': textOf(page, 'NextUploadIdMarker') ?? '',
    }
  }
}
