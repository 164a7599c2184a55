import { parseDuration } from '../../base/duration.ts'
import { AppError, messageOf } from '../../base/error.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { HttpClient } from '../../net/client.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { Buckets } from './buckets.ts'
import { S3Client } from './client.ts'
import { signerOf } from './credentials.ts'
import { keepingOf } from './keeping.ts'
import { conditionsOf } from './only-new.ts'
import type { s3Options } from './options.ts'
import { Places } from './places.ts'
import { quirksOf } from './providers.ts'
import { S3Remote } from './remote.ts'

const MIB = 1024 * 1024
/** Smaller parts are refused by all stores, larger ones by most. */
const [SMALLEST_PART, LARGEST_PUT] = [5 * MIB, 5 * 1024 * MIB]

/** Opens what the options name. Throws `invalid` for options that make no sense. */
export async function openS3(ctx: Context, { name, root, config }: OpenArgs<typeof s3Options>): Promise<S3Remote> {
  if (config.chunkSize < SMALLEST_PART) throw new AppError('invalid', 's3: chunk_size is 5Mi at least')
  if (config.uploadCutoff > LARGEST_PUT) throw new AppError('invalid', 's3: upload_cutoff is 5Gi at most')
  const places = new Places(root, config.encoding)
  const client = new S3Client(HttpClient.of(ctx), await signerOf(config), config)
  const store = {
    client,
    options: config,
    quirks: quirksOf(config),
    keeping: keepingOf(config),
    encoding: config.encoding,
    places,
    buckets: new Buckets(client, config),
    downloaded: new WeakMap<FileEntry, FileEntry>(),
    conditions: conditionsOf(config.provider),
    versionAt: timeOf(config.versionAt),
  }
  return new S3Remote(store, name)
}

/** A moment, or how long ago it was. */
function timeOf(text: string): Nanoseconds | undefined {
  if (text === '') return undefined
  try {
    const now = Date.now()
    return fromMs(now - parseDuration(text, now))
  } catch (error) {
    throw new AppError('invalid', `s3: version_at: ${messageOf(error)}`)
  }
}
