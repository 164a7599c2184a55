import { type Nanoseconds, toDate } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import type { PageOptions, Place } from '../../remote/object-store.ts'
import { parseServerTime } from './object.ts'
import { fieldOf, type Listed, type ListedPage, pages } from './pages.ts'
import type { Store } from './store.ts'

/**
 * A listing with old versions: with `versions` each under a name that has its time, with `version_at` those that were the
 * latest then, under their own.
 */
export async function* versionsOf(ctx: Context, store: Store, options: PageOptions): AsyncGenerator<ListedPage> {
  const { versionAt } = store
  // However few are wanted: some of those that are asked for may not be shown.
  const { limit: _, ...all } = options
  let last: string | undefined
  for await (const { objects, prefixes } of pages(ctx, store, { ...all, versions: true })) {
    const shown: Listed[] = []
    for (const object of objects) {
      // Versions of one key come the newest first.
      if (versionAt !== undefined) {
        if (object.key === last || timeOf(object) > versionAt) continue
        last = object.key
      }
      if (object.element.name === 'DeleteMarker') continue
      const { element } = object
      const id = fieldOf(object, 'VersionId')
      if (versionAt === undefined && fieldOf(object, 'IsLatest') === 'true') shown.push(object)
      else if (versionAt === undefined) shown.push({ key: versionName(object.key, timeOf(object)), element, id })
      else shown.push({ key: object.key, element, id })
    }
    yield { objects: shown, prefixes }
  }
}

/** The version that a name with a time is about; undefined when there is none. */
export async function findVersion(ctx: Context, store: Store, { bucket, key }: Place): Promise<Listed | undefined> {
  const base = store.versionAt === undefined ? withoutVersion(key) : key
  if (base === undefined) return undefined
  for await (const { objects } of versionsOf(ctx, store, { bucket, prefix: base })) {
    const found = objects.find((object) => object.key === key)
    if (found) return found
  }
  return undefined
}

/** Where a version of an object is to be asked for: with the latest. */
export function placeOfVersion({ options }: Store, { bucket, key }: Place, id: string | undefined): Place {
  return { bucket, key: id !== undefined && options.versions ? (withoutVersion(key) ?? key) : key }
}

/** The query that names a version; none for the latest. */
export function versionQuery(id: string | undefined): Readonly<Record<string, string>> {
  return id === undefined || id === '' ? {} : { versionId: id }
}

function timeOf(object: Listed): Nanoseconds {
  return parseServerTime(fieldOf(object, 'LastModified'))
}

/** `a-v2001-02-03-040506-123.txt` for the version of `a.txt` of that time: rclone's way (serve-http.md 4.3). */
export function versionName(key: string, time: Nanoseconds): string {
  const [date = '', clock = ''] = toDate(time).toISOString().split('T')
  const stamp = `-v${date}-${clock.slice(0, 8).replaceAll(':', '')}-${clock.slice(9, 12)}`
  const at = extensionAt(key)
  return key.slice(0, at) + stamp + key.slice(at)
}

/** The key without the time of a version; undefined when it has none. */
export function withoutVersion(key: string): string | undefined {
  const at = extensionAt(key)
  const base = key.slice(0, at).replace(/-v\d{4}-\d{2}-\d{2}-\d{6}-\d{3}$/, '')
  return base.length === at ? undefined : base + key.slice(at)
}

function extensionAt(key: string): number {
  const dot = key.lastIndexOf('.')
  return dot > key.lastIndexOf('/') ? dot : key.length
}
