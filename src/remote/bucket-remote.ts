import { bodyOf, type Body } from '../base/body.ts'
import { AppError, toAppError } from '../base/error.ts'
import { octetStream, typeByName } from '../base/mime.ts'
import { asCanonical, isEntryName, isInside, join, parentOf } from '../base/path.ts'
import type { Json } from '../base/json.ts'
import type { Range } from '../base/range.ts'
import type { Nanoseconds } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { decodePath, type Encoding, encodePath } from './encoding.ts'
import { inBatches } from './listing.ts'
import type { MetadataInfo } from './metadata.ts'
import type { ObjectStore, Page, PageOptions, Place, StoredObject } from './object-store.ts'
import { incoming } from './incoming.ts'
import type { DirEntry, Entry, FileEntry, Listing, PutInfo, Remote, RemoteInfo, Usage } from './remote.ts'

export interface BucketParts {
  readonly store: ObjectStore
  readonly name: string
  /** The backend: `swift`. */
  readonly type: string
  readonly root: string
  readonly description: string
  readonly encoding: Encoding
  readonly hashes: readonly string[]
  /** Buckets are there, or may not be made: put does not look. */
  readonly noCheckBucket?: boolean
  readonly metadata?: MetadataInfo
  /** Listings tell the time of the upload only. */
  readonly slowModTime?: boolean
  /** An empty object whose key ends in `/` stands for each directory that was made, so that it may be empty. */
  readonly markers?: boolean
}

/**
 * A tree of directories over the objects of a store: a key is a path, what comes before its slashes are directories. The first
 * name of a path is the bucket.
 */
export function bucketRemote(parts: BucketParts): Remote {
  const { store } = parts
  const remote = new BucketRemote(parts)
  const lacking = optional.filter((method) => !store[method])
  return Object.assign<Remote, Partial<Remote>>(remote, Object.fromEntries(lacking.map((name) => [name, undefined])))
}

const optional = [
  'copy',
  'setModTime',
  'setTier',
  'about',
  'describe',
  'purge',
  'publicLink',
  'cleanUp',
  'command',
] as const satisfies readonly (keyof ObjectStore & keyof Remote)[]

class BucketRemote implements Remote {
  readonly info: RemoteInfo
  readonly #store: ObjectStore
  readonly #root: string
  readonly #encoding: Encoding
  readonly #markers: boolean
  /** Buckets that are known to be there. */
  readonly #buckets = new Set<string>()
  readonly #checks: boolean

  constructor({ store, encoding, noCheckBucket, markers, slowModTime, ...parts }: BucketParts) {
    this.#store = store
    this.#root = asCanonical(parts.root.replace(/^\/+|\/+$/g, ''))
    this.#encoding = encoding
    this.#markers = markers ?? false
    this.#checks = !noCheckBucket
    const traits: RemoteInfo['traits'] = {
      bucketBased: true,
      ...(markers ? { emptyDirectories: true } : {}),
      ...(slowModTime ? { slowModTime } : {}),
    }
    this.info = { ...parts, precision: 1, traits }
  }

  list(ctx: Context, dir: string): Listing {
    const place = this.#place(dir)
    return inBatches(() => (place.bucket === '' ? this.#allBuckets(ctx) : this.#children(ctx, dir, place)))
  }

  async *listRecursive(ctx: Context, dir: string): AsyncGenerator<Entry> {
    const place = this.#place(dir)
    if (place.bucket !== '') yield* this.#below(ctx, dir, place)
    else
      for await (const [bucket] of this.#allBuckets(ctx)) {
        if (!bucket) continue
        yield bucket
        yield* this.#below(ctx, bucket.path, this.#place(bucket.path))
      }
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    const place = this.#place(path)
    const directory: DirEntry = { kind: 'directory', path, modTime: 0n }
    if (place.bucket === '') return directory
    if (place.key === '') return (await this.#store.hasBucket(ctx, place.bucket)) ? directory : undefined
    const object = await this.#store.find(ctx, place)
    if (object) return fileEntry(path, object)
    return (await this.#isDirectory(ctx, place)) ? directory : undefined
  }

  async open(ctx: Context, file: FileEntry, range?: Range): Promise<Body> {
    return await this.#store.open(ctx, this.#place(file.path), file, range)
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const place = this.#objectPlace(path)
    if (this.#markers) await this.mkdir(ctx, parentOf(path))
    else await this.#ensureBucket(ctx, place.bucket)
    // Stores give the type to whoever reads the object, browsers for one.
    const typed = { ...info, contentType: info.contentType ?? typeByName(path) ?? octetStream }
    return fileEntry(path, await this.#store.put(ctx, place, incoming(body, info, ctx.signal), typed))
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await this.#store.remove(ctx, this.#place(file.path), file)
  }

  /** Makes the bucket, and a marker where there are such; otherwise a directory is there with its first file. */
  async mkdir(ctx: Context, dir: string): Promise<void> {
    const { bucket, key } = this.#place(asCanonical(dir))
    if (bucket === '') return
    await this.#ensureBucket(ctx, bucket)
    if (key === '' || !this.#markers) return
    await this.#refuseFile(ctx, dir)
    const names = key.split('/')
    for (let i = 1; i <= names.length; i++) {
      const place = { bucket, key: `${names.slice(0, i).join('/')}/` }
      if (!(await this.#store.find(ctx, place))) await this.#store.put(ctx, place, bodyOf(), { size: 0 })
    }
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    const { bucket, key } = this.#place(dir)
    if (bucket === '') throw new AppError('not-empty', 'the root cannot be removed')
    const options = { bucket, prefix: prefixOf(key), limit: 2 }
    let marker: StoredObject | undefined
    for await (const { objects, prefixes } of this.#store.pages(ctx, options)) {
      marker ??= objects.find((object) => object.key === options.prefix)
      if (prefixes.length > 0 || objects.some((object) => object.key !== options.prefix))
        throw new AppError('not-empty', `${dir} is not empty`)
    }
    if (key === '') await this.#removeBucket(ctx, bucket)
    else if (marker) await this.#store.remove(ctx, { bucket, key: options.prefix }, fileEntry(dir, marker))
    else if (this.#markers) throw new AppError('not-found', `${dir} does not exist`)
  }

  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const place = this.#objectPlace(to)
    await this.#ensureBucket(ctx, place.bucket)
    const copied = await this.#store.copy?.(ctx, this.#place(file.path), place, file)
    return fileEntry(to, copied as StoredObject)
  }

  /** Empty when the store does not know it: of an object that was put together from parts, say. */
  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    if (!this.info.hashes.includes(kind)) throw new AppError('unsupported', `this storage keeps no ${kind} of files`)
    return file.hashes?.[kind] ?? (await this.#store.find(ctx, this.#place(file.path)))?.hashes?.[kind] ?? ''
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    if (entry.kind === 'directory') throw new AppError('unsupported', 'directories of this storage have no time')
    await this.#store.setModTime?.(ctx, this.#place(entry.path), time, entry)
  }

  async setTier(ctx: Context, file: FileEntry, tier: string): Promise<void> {
    await this.#store.setTier?.(ctx, this.#place(file.path), tier, file)
  }

  async describe(ctx: Context, file: FileEntry): Promise<FileEntry | undefined> {
    const object = await this.#store.describe?.(ctx, this.#place(file.path), file)
    return object && fileEntry(file.path, object)
  }

  /** A bucket goes with what is in it. */
  async purge(ctx: Context, dir: string): Promise<void> {
    const { bucket, key } = this.#place(dir)
    if (bucket === '') throw new AppError('invalid', 'all buckets at once are not purged')
    const found = await this.#store.purge?.(ctx, bucket, prefixOf(key))
    if (key === '') await this.#removeBucket(ctx, bucket)
    else if (!found) throw new AppError('not-found', `${dir} does not exist`)
  }

  async publicLink(ctx: Context, path: string, options: { expire?: number; unlink?: boolean }): Promise<string> {
    const found = await this.stat(ctx, path)
    if (found?.kind !== 'file') throw new AppError('not-found', `${path} is not a file`)
    return (await this.#store.publicLink?.(ctx, this.#place(path), options)) ?? ''
  }

  async cleanUp(ctx: Context): Promise<void> {
    await this.#store.cleanUp?.(ctx, this.#place(''))
  }

  async command(
    ctx: Context,
    name: string,
    args: readonly string[],
    opt: Readonly<Record<string, string>>,
  ): Promise<Json> {
    return (await this.#store.command?.(ctx, { name, args, opt }, (path) => this.#place(asCanonical(path)))) ?? null
  }

  async about(ctx: Context): Promise<Usage> {
    return (await this.#store.about?.(ctx, this.#place('').bucket)) ?? {}
  }

  async close(): Promise<void> {
    this.#store.close()
  }

  async *#children(ctx: Context, dir: string, { bucket, key }: Place): AsyncGenerator<readonly Entry[]> {
    const prefix = prefixOf(key)
    const seen = new Set<string>()
    for await (const page of this.#pages(ctx, dir, { bucket, prefix })) {
      const files = page.objects.flatMap((object) => this.#fileBelow(ctx, { dir, prefix }, object) ?? [])
      const directories = page.prefixes.flatMap((child) => {
        const path = this.#pathBelow(dir, prefix, child.slice(0, -1))
        // A page may begin with the prefix that the one before ended with.
        if (path === undefined || seen.has(path)) return []
        seen.add(path)
        return { kind: 'directory', path, modTime: 0n } as const
      })
      yield [...files, ...directories]
    }
  }

  async *#below(ctx: Context, dir: string, { bucket, key }: Place): AsyncGenerator<Entry> {
    const prefix = prefixOf(key)
    // Keys come in order, so that all of a directory come together.
    let last: string | undefined
    for await (const { objects } of this.#pages(ctx, dir, { bucket, prefix, recursive: true }))
      for (const object of objects) {
        const isMarker = object.key.endsWith('/')
        const path = this.#pathBelow(dir, prefix, isMarker ? object.key.slice(0, -1) : object.key)
        if (path === undefined) continue
        for (const above of directoriesOf(dir, path, isMarker))
          if (last === undefined || !isInside(last, above)) yield { kind: 'directory', path: above, modTime: 0n }
        last = isMarker ? path : parentOf(path)
        if (!isMarker) yield this.#listed(ctx, path, object)
      }
  }

  /** Throws `not-found` when nothing is below a prefix: then there is no such directory. */
  async *#pages(ctx: Context, dir: string, options: PageOptions): AsyncGenerator<Page> {
    let found = options.prefix === ''
    for await (const page of this.#store.pages(ctx, options)) {
      found ||= page.objects.length + page.prefixes.length > 0
      yield page
    }
    if (!found) throw new AppError('not-found', `${dir === '' ? 'the root' : dir} does not exist`)
  }

  #fileBelow(
    ctx: Context,
    { dir, prefix }: { readonly dir: string; readonly prefix: string },
    object: StoredObject,
  ): FileEntry | undefined {
    // The marker of the directory itself.
    if (object.key === prefix) return undefined
    const path = this.#pathBelow(dir, prefix, object.key)
    if (path !== undefined) return this.#listed(ctx, path, object)
    ctx.log.debug('left out: its key is no path', { object: object.key })
    return undefined
  }

  /** A file of a listing, which may lack its own time; whoever wants that of the upload need not ask for it. */
  #listed(ctx: Context, path: string, object: StoredObject): FileEntry {
    const later = this.info.traits.slowModTime && !ctx.get(mainOptions).useServerModTime
    return { ...fileEntry(path, object), ...(later ? { timeOfUpload: true } : {}) }
  }

  #pathBelow(dir: string, prefix: string, key: string): string | undefined {
    const names = decodePath(this.#encoding, key.slice(prefix.length))
    return names.split('/').every(isEntryName) ? join(dir, names) : undefined
  }

  async *#allBuckets(ctx: Context): AsyncGenerator<readonly DirEntry[]> {
    for await (const { name, modTime } of this.#store.buckets(ctx))
      yield [{ kind: 'directory', path: this.#encoding.decodeName(name), modTime }]
  }

  async #isDirectory(ctx: Context, { bucket, key }: Place): Promise<boolean> {
    try {
      for await (const { objects, prefixes } of this.#store.pages(ctx, { bucket, prefix: `${key}/`, limit: 1 }))
        if (objects.length + prefixes.length > 0) return true
      return false
    } catch (error) {
      if (toAppError(error).code === 'not-found') return false
      throw error
    }
  }

  async #removeBucket(ctx: Context, bucket: string): Promise<void> {
    this.#buckets.delete(bucket)
    await this.#store.removeBucket(ctx, bucket)
  }

  async #refuseFile(ctx: Context, dir: string): Promise<void> {
    const found = await this.stat(ctx, dir)
    if (found?.kind === 'file') throw new AppError('not-directory', `${dir} is a file`)
  }

  async #ensureBucket(ctx: Context, bucket: string): Promise<void> {
    if (!this.#checks || this.#buckets.has(bucket)) return
    if (!(await this.#store.hasBucket(ctx, bucket))) await this.#store.makeBucket(ctx, bucket)
    this.#buckets.add(bucket)
  }

  #objectPlace(path: string): Place {
    if (asCanonical(path) === '') throw new AppError('is-directory', 'a file needs a name')
    const place = this.#place(path)
    if (place.key === '')
      throw new AppError('invalid', `${path}: files have to be in a bucket, this is the name of one`)
    return place
  }

  #place(path: string): Place {
    const full = join(this.#root, path)
    const slash = full.indexOf('/')
    const [bucket, key] = slash < 0 ? [full, ''] : [full.slice(0, slash), full.slice(slash + 1)]
    return { bucket: this.#encoding.encodeName(bucket), key: encodePath(this.#encoding, key) }
  }
}

function prefixOf(key: string): string {
  return key === '' ? '' : `${key}/`
}

function fileEntry(path: string, object: StoredObject): FileEntry {
  const { key: _key, ...rest } = object
  return { kind: 'file', path, ...rest }
}

/** The directories between `dir` and `path`, outermost first; `path` among them when it is one itself. */
function directoriesOf(dir: string, path: string, itself: boolean): string[] {
  const names = path.slice(dir === '' ? 0 : dir.length + 1).split('/')
  const last = itself ? names.length : names.length - 1
  return Array.from({ length: last }, (_, i) => join(dir, names.slice(0, i + 1).join('/')))
}
