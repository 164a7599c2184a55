import type { Nanoseconds } from '../../base/time.ts'
import type { StoredObject } from '../../remote/object-store.ts'
import type { FileEntry } from '../../remote/remote.ts'
import type { S3Client } from './client.ts'
import type { Keeping } from './keeping.ts'
import type { Conditions } from './only-new.ts'
import type { S3Options } from './options.ts'
import type { Quirks } from './providers.ts'

/** What the parts of one S3 remote share. */
export interface Store {
  readonly client: S3Client
  readonly options: S3Options
  readonly quirks: Quirks
  readonly keeping: Keeping
  readonly conditions: Conditions
  /** What the headers of a download told of files of listings. */
  readonly downloaded: WeakMap<FileEntry, StoredObject>
  /** The time of `version_at`. */
  readonly versionAt: Nanoseconds | undefined
}
