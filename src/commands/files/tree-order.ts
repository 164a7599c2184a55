import { nameOf } from '../../base/path.ts'
import type { Entry } from '../../remote/remote.ts'

export const treeOrders = ['name', 'version', 'size', 'mtime', 'ctime'] as const

export type TreeOrder = (typeof treeOrders)[number]

type Compare = (a: Entry, b: Entry) => number

const byTime: Compare = (a, b) => (a.modTime < b.modTime ? -1 : a.modTime > b.modTime ? 1 : 0)
const sizeOf = (entry: Entry) => (entry.kind === 'file' ? entry.size : -1)

/** How entries of a folder, which come by name, are put in order. Storage has one time of a file: `ctime` is `mtime`. */
const orders: Readonly<Record<TreeOrder, Compare>> = {
  name: (a, b) => (a.path < b.path ? -1 : 1),
  version: (a, b) => byVersion(nameOf(a.path), nameOf(b.path)),
  size: (a, b) => sizeOf(a) - sizeOf(b),
  mtime: byTime,
  ctime: byTime,
}

/** The entries in the order that is wanted; those that are equal in it stay by name. */
export function inTreeOrder(
  entries: readonly Entry[],
  {
    order,
    reverse,
    foldersFirst,
  }: { readonly order: TreeOrder; readonly reverse: boolean; readonly foldersFirst: boolean },
): Entry[] {
  const compare = orders[order]
  const sorted = entries.toSorted(reverse ? (a, b) => compare(b, a) : compare)
  return foldersFirst ? sorted.toSorted((a, b) => Number(a.kind === 'file') - Number(b.kind === 'file')) : sorted
}

/** `v9` before `v10`: runs of digits count as numbers. */
function byVersion(a: string, b: string): number {
  const runs = (name: string): readonly string[] => name.match(/\d+|\D+/g) ?? []
  const [left, right] = [runs(a), runs(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i] as string, right[i] as string]
    if (x === y) continue
    const difference = /^\d/.test(x) && /^\d/.test(y) ? Number(x) - Number(y) : 0
    return difference || (x < y ? -1 : 1)
  }
  return left.length - right.length
}
