import type { Body } from '../base/body.ts'
import type { Range } from '../base/range.ts'

export interface ChunkPolicy {
  /** Bytes of the first piece; 0 or less = all in one piece. */
  readonly size: number
  /** Pieces double up to this size; less than 0 = without limit; less than `size` = no doubling. */
  readonly limit: number
  /** Pieces under way at once; below 2 they are read one after the other. */
  readonly streams: number
}

/**
 * Reads a range in pieces, each by a request of its own, so that a seek or a reader that leaves costs at most one piece
 * (serve-http.md 2.2). Nothing is requested before the first byte is pulled.
 */
export async function* readChunks(
  open: (range: Range) => Promise<Body>,
  range: Range,
  policy: ChunkPolicy,
): AsyncGenerator<Uint8Array, void> {
  const pieces = split(range, policy)
  if (policy.streams < 2) {
    for (const piece of pieces) yield* await open(piece)
    return
  }
  const under: Promise<AsyncIterator<Uint8Array>>[] = []
  const begin = async (piece: Range) => warm((await open(piece))[Symbol.asyncIterator]())
  const more = () => {
    const next = pieces.next()
    if (!next.done) under.push(silent(begin(next.value)))
  }
  try {
    for (let i = 0; i < policy.streams; i++) more()
    for (let first = under[0]; first; first = under[0]) {
      yield* rest(await first)
      void under.shift()
      more()
    }
  } finally {
    await Promise.allSettled(under.map(async (source) => (await source).return?.()))
  }
}

/** The pieces of a range, in order. */
export function* split(range: Range, policy: ChunkPolicy): Generator<Range, undefined> {
  if (policy.size <= 0 || range.end === Infinity) return void (yield range)
  const most = policy.streams >= 2 ? policy.size : policy.limit < 0 ? Infinity : Math.max(policy.limit, policy.size)
  for (let start = range.start, size = policy.size; start < range.end;) {
    const end = Math.min(range.end, start + size)
    yield { start, end }
    start = end
    size = Math.min(most, size * 2)
  }
  return undefined
}

/** Asks for the first chunk at once, so that the request is under way while other pieces are read. */
function warm(source: AsyncIterator<Uint8Array>): AsyncIterator<Uint8Array> {
  let first: Promise<IteratorResult<Uint8Array>> | undefined = silent(source.next())
  return {
    next() {
      const result = first ?? source.next()
      first = undefined
      return result
    },
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
  }
}

/** A promise whose failure is looked at later must not end the process until then. */
function silent<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

async function* rest(source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for (let result = await source.next(); !result.done; result = await source.next()) yield result.value
}
