import type { Json } from '../../base/json.ts'
import { toMs } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { textOf } from '../../net/xml.ts'
import { parseServerTime } from './mtime.ts'
import { prefixOf } from './places.ts'
import type { Store } from './store.ts'

/** An upload in parts that nobody has completed. */
interface Unfinished {
  readonly bucket: string
  readonly key: string
  readonly id: string
  readonly begun: string
}

/** Uploads in parts older than this are given up by `cleanup`, in ms. */
export const GIVEN_UP_AFTER_MS = 24 * 3600_000

/** Takes back the uploads below the root that were begun longer ago than `age`, in ms, and never completed. */
export async function cleanUp(ctx: Context, store: Store, age = GIVEN_UP_AFTER_MS): Promise<void> {
  const oldest = Date.now() - age
  for (const bucket of await bucketsOf(ctx, store))
    for (const { key, id, begun } of await unfinished(ctx, store, bucket)) {
      if (toMs(parseServerTime(begun)) > oldest) continue
      await store.client.run(ctx, { method: 'DELETE', bucket, key, query: { uploadId: id } })
      ctx.log.info('gave up an upload that was never completed', { object: `${bucket}/${key}` })
    }
}

/** The uploads of each bucket, as rclone's `list-multipart-uploads` gives them. */
export async function listUnfinished(ctx: Context, store: Store): Promise<Json> {
  const result: Record<string, Json> = {}
  for (const bucket of await bucketsOf(ctx, store)) {
    const uploads = await unfinished(ctx, store, bucket)
    result[bucket] = uploads.map(({ key, id, begun }) => ({ Initiated: begun, Key: key, UploadId: id }))
  }
  return result
}

async function bucketsOf(ctx: Context, { places, buckets }: Store): Promise<string[]> {
  const { bucket } = places.of('')
  return bucket === '' ? (await buckets.list(ctx)).map((found) => found.bucket) : [bucket]
}

async function unfinished(ctx: Context, store: Store, bucket: string): Promise<Unfinished[]> {
  const root = store.places.of('')
  const prefix = root.bucket === '' ? '' : prefixOf(root)
  const found: Unfinished[] = []
  for (let from: Record<string, string> = {}; ;) {
    const query = { uploads: '', prefix, ...from }
    const page = await store.client.document(ctx, { method: 'GET', bucket, query })
    for (const upload of page.children)
      if (upload.name === 'Upload')
        found.push({
          bucket,
          key: upload.children.find(({ name }) => name === 'Key')?.text ?? '',
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
