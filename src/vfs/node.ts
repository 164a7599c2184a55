import type { Body } from '../base/body.ts'
import type { Range } from '../base/range.ts'
import type { Context } from '../core/context.ts'
import type { DirEntry, Entry, FileEntry } from '../remote/remote.ts'

/** A file as the VFS sees it: one version of one entry. */
export interface FileNode {
  readonly kind: 'file'
  readonly entry: FileEntry
  /** The bytes `[start, end)`, clamped to the size; the whole file without a range. Throws `not-found` when it is gone. */
  open(ctx: Context, range?: Range): Promise<Body>
}

/** A directory as the VFS sees it. */
export interface DirNode {
  readonly kind: 'directory'
  readonly entry: DirEntry
  /** All children in no particular order, from the directory cache when it is fresh; undefined when there are more than `max`. */
  entries(ctx: Context, max?: number): Promise<readonly Entry[] | undefined>
  /** The children one by one as the storage gives them, never cached: for directories too large to hold. */
  scan(ctx: Context): AsyncIterable<Entry>
}
export type Node = FileNode | DirNode
