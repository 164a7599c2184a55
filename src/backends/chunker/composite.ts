import type { Body } from '../../base/body.ts'
import type { Range } from '../../base/range.ts'
import type { FileEntry } from '../../remote/remote.ts'

/** A file in chunks, by its parts in the wrapped remote. */
export interface Composite {
  readonly path: string
  /** The metadata, where there is some. */
  readonly main: FileEntry | undefined
  readonly chunks: readonly FileEntry[]
  /** The transaction in the names of the chunks, `''` when there is none. */
  readonly txn: string
}

/** Bytes of all chunks. */
export function sizeOf({ chunks }: Pick<Composite, 'chunks'>): number {
  return chunks.reduce((sum, { size }) => sum + size, 0)
}

/** A range of a chunk. */
export interface Part {
  readonly chunk: FileEntry
  readonly range: Range
}

/** What of the chunks makes up a range of the file. */
export function partsOf({ chunks }: Composite, { start, end }: Range): Part[] {
  const parts: Part[] = []
  let at = 0
  for (const chunk of chunks) {
    const range = { start: Math.max(0, start - at), end: Math.min(chunk.size, end - at) }
    if (range.start < range.end) parts.push({ chunk, range })
    at += chunk.size
  }
  return parts
}

/** The bytes of a part that is open, and of those behind it; each is opened when it is its turn. */
export async function* chained(
  first: Body,
  rest: readonly Part[],
  open: (part: Part) => Promise<Body>,
): AsyncGenerator<Uint8Array, void> {
  yield* first
  for (const part of rest) yield* await open(part)
}
