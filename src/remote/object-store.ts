import type { Body } from '../base/body.ts'
import type { Json } from '../base/json.ts'
import type { Range } from '../base/range.ts'
import type { Nanoseconds } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import type { FileEntry, PutInfo, Usage } from './remote.ts'

/** Where an object lies, in the words of the store. */
export interface Place {
  /** A bucket, or a container. */
  readonly bucket: string
  readonly key: string
}

/** An object as a store describes it. */
export interface StoredObject extends Omit<FileEntry, 'kind' | 'path'> {
  readonly key: string
}

/** Some of the objects that a listing finds, and the prefixes that it did not look below, which end in `/`. */
export interface Page {
  readonly objects: readonly StoredObject[]
  readonly prefixes: readonly string[]
}

export interface PageOptions {
  readonly bucket: string
  /** Keys begin with it: `''`, or it ends in `/`. */
  readonly prefix: string
  /** Everything below the prefix; otherwise what lies deeper is summed up in prefixes. */
  readonly recursive?: boolean
  /** Objects and prefixes that are wanted at most. */
  readonly limit?: number
}

/** What `Remote.command` gets. */
export interface StoreCommand {
  readonly name: string
  readonly args: readonly string[]
  readonly opt: Readonly<Record<string, string>>
}

/**
 * Storage that keeps objects by keys in buckets and knows no directories: what `BucketRemote` makes a tree of. Errors are
 * `AppError`s; what is not there is `not-found` where nothing else is said.
 */
export interface ObjectStore {
  buckets(ctx: Context): AsyncIterable<{ readonly name: string; readonly modTime: Nanoseconds }>
  hasBucket(ctx: Context, bucket: string): Promise<boolean>
  /** Succeeds when it is there already. */
  makeBucket(ctx: Context, bucket: string): Promise<void>
  /** Throws `not-empty` while objects are in it. */
  removeBucket(ctx: Context, bucket: string): Promise<void>
  /** Throws `not-found` when the bucket is missing. */
  pages(ctx: Context, options: PageOptions): AsyncIterable<Page>
  /** Undefined when there is no such object, or no such bucket. */
  find(ctx: Context, place: Place): Promise<StoredObject | undefined>
  open(ctx: Context, place: Place, file: FileEntry, range: Range | undefined): Promise<Body>
  /** Nothing is stored when the body throws. Throws `exists` for `ifAbsent`. */
  put(ctx: Context, place: Place, body: Body, info: PutInfo): Promise<StoredObject>
  remove(ctx: Context, place: Place, file: FileEntry): Promise<void>
  copy?(ctx: Context, from: Place, to: Place, file: FileEntry): Promise<StoredObject>
  setModTime?(ctx: Context, place: Place, time: Nanoseconds, file: FileEntry): Promise<void>
  setTier?(ctx: Context, place: Place, tier: string, file: FileEntry): Promise<void>
  describe?(ctx: Context, place: Place, file: FileEntry): Promise<StoredObject | undefined>
  /** Removes all objects whose keys begin with a prefix. Gives whether there were any. */
  purge?(ctx: Context, bucket: string, prefix: string): Promise<boolean>
  publicLink?(ctx: Context, place: Place, options: { expire?: number; unlink?: boolean }): Promise<string>
  /** Does what `Remote.cleanUp` does below a place. */
  cleanUp?(ctx: Context, root: Place): Promise<void>
  /** `placeOf` tells where a path of the remote is. */
  command?(ctx: Context, command: StoreCommand, placeOf: (path: string) => Place): Promise<Json>
  about?(ctx: Context, bucket: string): Promise<Usage>
  close(): void
}
