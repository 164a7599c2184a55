import { FileSlice } from './body.ts'
import type { Body } from './body.ts'

/** Gives back what a body holds (an open file, a connection) when nobody is going to read it. */
export async function discard(body: Body | Uint8Array | string | undefined): Promise<void> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return
  if (body instanceof FileSlice) await body.close()
  else await body[Symbol.asyncIterator]().return?.()
}

/**
 * A body that `run` makes out of `source` when the first byte is asked for. A generator that was never started runs no
 * `finally`, so a plain one would keep its source open when the reader leaves early; this one discards the source then. It can
 * be read once.
 */
export function derive(source: Body, run: (source: Body) => Body): Body {
  return onDemand(
    () => run(source),
    () => discard(source),
  )
}

/** A body that `run` makes when the first byte is asked for; `unread` is called instead when nobody asks. It can be read once. */
export function onDemand(run: () => Body, unread: () => Promise<void> | void): Body {
  return {
    [Symbol.asyncIterator]() {
      let running: AsyncIterator<Uint8Array, void> | undefined
      let left = false
      return {
        next() {
          if (left) return Promise.resolve({ done: true, value: undefined })
          running ??= run()[Symbol.asyncIterator]()
          return running.next()
        },
        async return() {
          const first = !left
          left = true
          if (running) await running.return?.()
          else if (first) await unread()
          return { done: true, value: undefined }
        },
      }
    },
  }
}
