import type { Body } from './body.ts'

/** A body of its own for one of several readers. */
export interface Branch {
  readonly body: Body
  /** This reader wants no more, or never began: the others do not wait for it. */
  leave(): void
}

/**
 * Branches of one body, all with the same chunks. The next chunk is asked for when every reader has had the one before, so
 * that nothing piles up.
 */
export function fanOut(body: Body, readers: number): readonly Branch[] {
  const source = body[Symbol.asyncIterator]()
  const left = new Set<number>()
  const waiting = new Map<number, () => void>()
  let step: ReturnType<typeof source.next> | undefined

  function next(): ReturnType<typeof source.next> {
    step ??= source.next()
    step.catch(() => {})
    return step
  }

  /** When everybody who is still there has come back, the source is asked for more. */
  function advance(): void {
    if (waiting.size < readers - left.size) return
    step = undefined
    if (left.size === readers) source.return?.().catch(() => {})
    const all = [...waiting.values()]
    waiting.clear()
    for (const resume of all) resume()
  }

  function leave(reader: number): void {
    if (left.has(reader)) return
    left.add(reader)
    advance()
  }

  async function* read(reader: number): AsyncGenerator<Uint8Array> {
    try {
      while (!left.has(reader)) {
        const { done, value } = await next()
        if (done) return
        yield value
        await new Promise<void>((resume) => {
          waiting.set(reader, resume)
          advance()
        })
      }
    } finally {
      leave(reader)
    }
  }

  return Array.from({ length: readers }, (_, reader) => ({ body: read(reader), leave: () => leave(reader) }))
}
