import { FileSlice } from './body.ts'
import type { Body } from './body.ts'

/** Gives back what a body holds (an open file, a connection) when nobody is going to read it. */
export async function discard(body: Body | Uint8Array | string | undefined): Promise<void> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return
  if (body instanceof FileSlice) await body.close()
  else await body[Symbol.asyncIterator]().return?.()
}

/**
 * A body that `run` makes out of `source` when the first byte is asked for. A generator that was never started runs no `finally`, so a plain one would keep
 * its source open when the reader leaves early; this one discards the source then. It can be read once.
 */
export function derive(source: Body, run: (source: Body) => Body): Body {
  return {
    [Symbol.asyncIterator]() {
      let running: AsyncIterator<Uint8Array, void> | undefined
      let left = false
      return {
        next() {
          if (left) return Promise.resolve({ done: true, value: undefined })
          running ??= run(source)[Symbol.asyncIterator]()
          return running.next()
        },
        async return() {
          left = true
          await (running ? running.return?.() : discard(source))
          return { done: true, value: undefined }
        },
      }
    },
  }
}
