import type { Entry, FileEntry } from '../../remote/remote.ts'
import type { ChunkNames } from './names.ts'

/** A file with what may be its chunks, as a directory of the wrapped remote has them. */
export interface Group {
  readonly path: string
  /** What has the name of the file: all of it, or its metadata. */
  main: FileEntry | undefined
  /** By transaction (`''` = for good), each with its chunks by index. */
  readonly chunks: Map<string, Map<number, FileEntry>>
}

/** Sorts the entries of a directory: files with what belongs to each, and directories. */
export function grouped(entries: Iterable<Entry>, names: ChunkNames): { groups: Group[]; others: Entry[] } {
  const groups = new Map<string, Group>()
  const others: Entry[] = []
  const groupOf = (path: string): Group => {
    const known = groups.get(path)
    if (known) return known
    const made: Group = { path, main: undefined, chunks: new Map() }
    groups.set(path, made)
    return made
  }
  for (const entry of entries) {
    const chunk = entry.kind === 'file' ? names.parse(entry.path) : undefined
    if (entry.kind !== 'file') others.push(entry)
    else if (!chunk) groupOf(entry.path).main = entry
    else if (chunk.index !== undefined) {
      const { chunks } = groupOf(chunk.main)
      const same = chunks.get(chunk.txn) ?? new Map<number, FileEntry>()
      chunks.set(chunk.txn, same.set(chunk.index, entry))
    }
  }
  return { groups: [...groups.values()], others }
}

/** The chunks in their order; undefined when one is missing. */
export function inOrder(chunks: ReadonlyMap<number, FileEntry> | undefined): readonly FileEntry[] | undefined {
  if (!chunks) return undefined
  const list = Array.from({ length: chunks.size }, (_, index) => chunks.get(index))
  return list.every((chunk) => chunk !== undefined) ? list : undefined
}
