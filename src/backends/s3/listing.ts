import { AppError, toAppError } from '../../base/error.ts'
import { join } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import type { DirEntry, Entry, FileEntry } from '../../remote/remote.ts'
import { entryOfListing } from './object.ts'
import { firstPage, type Listed, type Page, pages } from './pages.ts'
import { prefixOf } from './places.ts'
import type { Store } from './store.ts'
import { versionsOf } from './versions.ts'

/** The children of a directory, page by page. Throws `not-found` when there are none, but for a bucket. */
export async function* children(ctx: Context, store: Store, dir: string): AsyncGenerator<readonly Entry[]> {
  const place = store.places.of(dir)
  if (place.bucket === '') {
    yield await allBuckets(ctx, store)
    return
  }
  const prefix = prefixOf(place)
  let found = prefix === ''
  const seen = new Set<string>()
  for await (const page of listed(ctx, store, { bucket: place.bucket, prefix })) {
    found ||= page.objects.length > 0 || page.prefixes.length > 0
    const entries: Entry[] = page.objects.flatMap((object) => fileOf(ctx, store, { dir, prefix }, object) ?? [])
    for (const child of page.prefixes) {
      const path = store.places.below(dir, prefix, child.slice(0, -1))
      // A page may begin with the prefix that the one before ended with.
      if (path === undefined || seen.has(path)) continue
      seen.add(path)
      entries.push(directory(path))
    }
    yield entries
  }
  if (!found) throw missing(dir)
}

/** Everything below a directory, in the order of the store: each directory before what is in it. */
export async function* descendants(ctx: Context, store: Store, dir: string): AsyncGenerator<Entry> {
  const place = store.places.of(dir)
  if (place.bucket === '') {
    for (const bucket of await allBuckets(ctx, store)) {
      yield bucket
      yield* descendants(ctx, store, bucket.path)
    }
    return
  }
  const prefix = prefixOf(place)
  let found = prefix === ''
  let last: readonly string[] = []
  for await (const { objects } of listed(ctx, store, { bucket: place.bucket, prefix, recursive: true }))
    for (const object of objects) {
      found = true
      const isMarker = object.key.endsWith('/')
      const path = store.places.below(dir, prefix, isMarker ? object.key.slice(0, -1) : object.key)
      if (path === undefined) {
        if (object.key !== prefix) leftOut(ctx, object.key)
        continue
      }
      const names = path.slice(dir === '' ? 0 : dir.length + 1).split('/')
      const above = isMarker ? names : names.slice(0, -1)
      yield* newDirectories(dir, above, last)
      last = above
      if (!isMarker) yield entryOf(ctx, store, path, object)
    }
  if (!found) throw missing(dir)
}

/** Whether there is anything in a directory; a bucket may be empty. */
export async function isDirectory(ctx: Context, store: Store, dir: string): Promise<boolean> {
  const place = store.places.of(dir)
  if (place.bucket === '') return true
  if (place.key === '') return await store.buckets.exists(ctx, place.bucket)
  try {
    const { bucket } = place
    const { objects, prefixes } = await firstPage(ctx, store, { bucket, prefix: prefixOf(place), limit: 1 })
    return objects.length + prefixes.length > 0
  } catch (reason) {
    if (toAppError(reason).code === 'not-found') return false
    throw reason
  }
}

function listed(
  ctx: Context,
  store: Store,
  options: { bucket: string; prefix: string; recursive?: boolean },
): AsyncIterable<Page> {
  const versions = store.options.versions || store.versionAt !== undefined
  return versions ? versionsOf(ctx, store, options) : pages(ctx, store, options)
}

async function allBuckets(ctx: Context, store: Store): Promise<DirEntry[]> {
  const buckets = await store.buckets.list(ctx)
  return buckets.map(({ bucket, made }) => ({
    kind: 'directory',
    path: store.places.ofBucket(bucket),
    modTime: made,
  }))
}

function fileOf(
  ctx: Context,
  store: Store,
  { dir, prefix }: { readonly dir: string; readonly prefix: string },
  object: Listed,
): FileEntry | undefined {
  // The marker of the directory itself.
  if (object.key === prefix) return undefined
  const path = store.places.below(dir, prefix, object.key)
  if (path !== undefined) return entryOf(ctx, store, path, object)
  leftOut(ctx, object.key)
  return undefined
}

/** A file of a listing. Its own time is to be asked for later, unless that of the upload is wanted. */
function entryOf(ctx: Context, store: Store, path: string, { element, id }: Listed): FileEntry {
  const entry = entryOfListing(path, element, store.keeping.etagIsMd5)
  const { useServerModTime } = ctx.get(mainOptions)
  return { ...entry, ...(id === undefined ? {} : { id }), ...(useServerModTime ? {} : { timeOfUpload: true as const }) }
}

function* newDirectories(dir: string, names: readonly string[], last: readonly string[]): Generator<DirEntry> {
  let path = dir
  let known = true
  for (const [i, name] of names.entries()) {
    path = join(path, name)
    known &&= last[i] === name
    if (!known) yield directory(path)
  }
}

function directory(path: string): DirEntry {
  return { kind: 'directory', path, modTime: 0n }
}

function leftOut(ctx: Context, key: string): void {
  ctx.log.debug('left out: its key is no path', { object: key })
}

function missing(dir: string): AppError {
  return new AppError('not-found', `${dir === '' ? 'the root' : dir} does not exist`)
}
