import type { CanonicalPath } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { FileNode, Node } from '../vfs/node.ts'

/** What the origin serves: a VFS, or several put together. */
export interface Tree {
  /** The node at a path, `''` for the root; undefined when there is none. */
  lookup(ctx: Context, path: CanonicalPath): Promise<Node | undefined>
  /** The same node as long as the file is unchanged, without waiting; undefined when that cannot be told at once. */
  peek(path: CanonicalPath): FileNode | undefined
}
