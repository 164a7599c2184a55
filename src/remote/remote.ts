import type { Body } from '../base/body.ts'
import type { Json } from '../base/json.ts'
import type { Range } from '../base/range.ts'
import type { Nanoseconds } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import type { Metadata, MetadataInfo } from './metadata.ts'

interface EntryBase {
  /** Canonical path inside the remote. */
  readonly path: string
  readonly modTime: Nanoseconds
  readonly metadata?: Metadata
}
export interface FileEntry extends EntryBase {
  readonly kind: 'file'
  /** Bytes, -1 when the remote does not know. */
  readonly size: number
  /** A listing knows when the file was uploaded, which `modTime` is then, but not its own time (see `ownTime`). */
  readonly timeOfUpload?: true
  readonly contentType?: string
  /** An opaque version from the storage (inode and change time, an S3 ETag), without quotes: part of our own ETag. */
  readonly version?: string
  readonly hashes?: Readonly<Record<string, string>>
  readonly id?: string
  readonly tier?: string
}
export interface DirEntry extends EntryBase {
  readonly kind: 'directory'
  readonly items?: number
  readonly id?: string
}
export type Entry = FileEntry | DirEntry

export interface PutInfo {
  readonly size?: number
  readonly modTime?: Nanoseconds
  readonly contentType?: string
  readonly hashes?: Readonly<Record<string, string>>
  /** Finds out a checksum of the source that is not known yet, in hex, `''` if nobody can; it may read all of it. */
  readonly hash?: (kind: string) => Promise<string>
  readonly metadata?: Metadata
  /** Fails with `exists` when the name is taken. */
  readonly ifAbsent?: boolean
  /**
   * False: it is enough that a crash of this program leaves no half file; one of the machine may lose what was written (see
   * `--local-durability`). Otherwise the file is on the disk when `put` resolves.
   */
  readonly durable?: boolean
  /** False: the caller has just seen that there is nothing under this name. */
  readonly replaces?: boolean
}

export type Trait =
  | 'bucketBased'
  | 'caseInsensitive'
  | 'emptyDirectories'
  | 'duplicateFiles'
  | 'partialUploads'
  | 'slowHash'
  | 'slowModTime'
  /** A file of this machine may be found under several paths: links are followed, or folders are laid over each other. */
  | 'manyNames'
  /** `stat` and `open` cost so little that nothing is gained by caching or reading ahead. */
  | 'isLocal'
  /** `open` reads in pieces and ahead of its reader by itself. */
  | 'readsAhead'
  /** What is stored is taken also while it cannot be asked what is there: it waits. */
  | 'keepsUploads'
  /** Local, but on a disk of another machine: many calls at once are worth it. */
  | 'networkDisk'

export interface RemoteInfo {
  /** The name in the configuration, or the text before the `:` of an on-the-fly remote; `local` for plain paths. */
  readonly name: string
  /** The backend: `local`, `s3` ... */
  readonly type: string
  readonly root: string
  /** For people: `Local file system at /srv`. */
  readonly description: string
  readonly hashes: readonly string[]
  /** Precision of modification times in ns; undefined = not supported. */
  readonly precision?: number
  readonly traits: Readonly<Partial<Record<Trait, true>>>
  /** The metadata that it keeps; undefined = none. */
  readonly metadata?: MetadataInfo
}

/** Where a remote is rooted, as a user would write it: `/srv`, `s3:bucket/a`. */
export function rootText({ name, type, root }: RemoteInfo): string {
  return type === 'local' && name === 'local' ? root : `${name}:${root}`
}

/** The entries of a directory. */
export interface Listing extends AsyncIterable<Entry> {
  /** The same, as they are read: many at a time, for whoever wants them all. It is one way or the other, once. */
  readonly batches?: () => AsyncIterable<readonly Entry[]>
}

/** An opened storage. A method that is absent is a feature that is absent. Errors are `AppError`s. */
export interface Remote {
  readonly info: RemoteInfo
  /** The children of a directory, in no particular order. Throws `not-found` when it is missing, `not-directory` for a file. */
  list(ctx: Context, dir: string): Listing
  /** The entry at a path, undefined when there is none. `''` is the root directory. */
  stat(ctx: Context, path: string): Promise<Entry | undefined>
  /**
   * The bytes `[range.start, range.end)` of a file, clamped to its size. Throws `not-found` when it is gone. Bytes come from
   * one version of the file; when they end early the body throws.
   */
  open(ctx: Context, file: FileEntry, range?: Range): Promise<Body>
  /**
   * Creates or replaces a file, parents included. Nothing is visible before all bytes came; short or long sources throw. The
   * end of a body may wait for other uploads of the same name: none may wait for it in turn.
   */
  put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry>
  remove(ctx: Context, file: FileEntry): Promise<void>
  /** Creates a directory and its parents; succeeds when it already exists. */
  mkdir(ctx: Context, dir: string): Promise<void>
  /** Removes an empty directory; throws `not-empty`, `not-found`. */
  rmdir(ctx: Context, dir: string): Promise<void>
  listRecursive?(ctx: Context, dir: string): AsyncIterable<Entry>
  copy?(ctx: Context, file: FileEntry, to: string): Promise<FileEntry>
  move?(ctx: Context, file: FileEntry, to: string): Promise<FileEntry>
  moveDirectory?(ctx: Context, from: string, to: string): Promise<void>
  purge?(ctx: Context, dir: string): Promise<void>
  /** The checksum of a file, one of `info.hashes`, in hex; empty when the storage does not know that of this very file. */
  hash?(ctx: Context, file: FileEntry, kind: string): Promise<string>
  setModTime?(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void>
  /**
   * The file with all that a listing could not tell, as `stat` gives it, undefined when it is gone: for storage that knows it
   * without a request once the file is open.
   */
  describe?(ctx: Context, file: FileEntry): Promise<FileEntry | undefined>
  /** Metadata that costs more than the rest, so that listings and `stat` leave it out; undefined when the entry is gone. */
  metadata?(ctx: Context, entry: Entry): Promise<Metadata | undefined>
  /** Moves a file to another storage class. */
  setTier?(ctx: Context, file: FileEntry, tier: string): Promise<void>
  /** Begins a file that is written in any order; `info.size` is its size, where that is known. `close` it, whatever happens. */
  openWriter?(ctx: Context, path: string, info: PutInfo): Promise<WriterAt>
  about?(ctx: Context): Promise<Usage>
  cleanUp?(ctx: Context): Promise<void>
  publicLink?(ctx: Context, path: string, options: { expire?: number; unlink?: boolean }): Promise<string>
  /**
   * Whether a file that is kept in another form has this content, by the checksum of that form. Undefined = the storage below
   * has none. For one that changes contents: its files have no checksums of their own.
   */
  holds?(ctx: Context, file: FileEntry, content: Body): Promise<boolean | undefined>
  /** The path under which an entry is stored below this remote, for one that changes names. */
  storedPath?(entry: Entry): string
  /**
   * Calls `changed` once when a child of `dir` is added, removed or changed, soon after it happens. Gives the way to stop,
   * or undefined when this directory cannot be watched now.
   */
  watch?(dir: string, changed: () => void): (() => void) | undefined
  /** Polls the storage for changes every `pollMs`; for backends with a change feed. */
  poll?(ctx: Context, pollMs: number, changed: (path: string, kind: Entry['kind']) => void): () => void
  /**
   * The entry at a path without waiting, for storage that can tell within microseconds (a local disk). Undefined = ask `stat`.
   */
  peek?(path: string): FileEntry | undefined
  /**
   * All bytes of a small file without waiting, which are good until the next call. Undefined = ask `open`: it is too large, or
   * has changed, or the disk would keep everybody waiting.
   */
  readNow?(file: FileEntry): Uint8Array | undefined
  /** Stores a small file without waiting, as `put` does. Undefined = ask `put`. Throws what that throws. */
  putNow?(path: string, bytes: Uint8Array, info: PutInfo): FileEntry | undefined
  /** Does what only this kind of storage can do (`Backend.commands`). Throws `unsupported` for a name that it does not know. */
  command?(ctx: Context, name: string, args: readonly string[], opt: Readonly<Record<string, string>>): Promise<Json>
  close?(): Promise<void>
}
/** A file that is being written. Nobody finds it under its name before it is whole; what had the name before stays till then. */
export interface WriterAt {
  /** Done, at once or later, when the bytes are stored; nothing looks at `chunk` any more then. */
  write(at: number, chunk: Uint8Array): Promise<void> | void
  /** Bytes from `at` on, at most `max` and at least one, of those that were written; after `commit` as well. See `Store.read`. */
  read(at: number, max: number, into?: Uint8Array): Promise<Uint8Array>
  /** Gives the file its name, once all of it is stored. Throws `invalid` when bytes of the announced size are missing. */
  commit(): Promise<FileEntry>
  /** Ends reading; a file that has no name yet is thrown away. */
  close(): Promise<void>
}
export interface Usage {
  total?: number
  used?: number
  free?: number
  trashed?: number
  objects?: number
}
/** Every extension of storage has this one shape: retry, pacing, filters, crypt ... */
export type Layer = (inner: Remote) => Remote
