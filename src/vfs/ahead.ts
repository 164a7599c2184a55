import type { Body } from '../base/body.ts'

/** Reads up to `limit` bytes ahead of whoever pulls, so that a slow storage and a slow client do not wait for each other. */
export async function* readAhead(body: Body, limit: number): AsyncGenerator<Uint8Array, void> {
  const source = body[Symbol.asyncIterator]()
  const held: Uint8Array[] = []
  let bytes = 0
  let ended = false
  let failure: unknown
  let pumping: Promise<void> | undefined

  async function pump(): Promise<void> {
    try {
      while (bytes < limit) {
        const { done, value } = await source.next()
        if (done) return void (ended = true)
        held.push(value)
        bytes += value.length
        wake?.()
      }
    } catch (error) {
      ended = true
      failure = error
    } finally {
      pumping = undefined
      wake?.()
    }
  }
  let wake: (() => void) | undefined
  try {
    for (;;) {
      if (!ended && !pumping && bytes < limit) pumping = pump()
      const chunk = held.shift()
      if (chunk) {
        bytes -= chunk.length
        yield chunk
      } else if (ended) break
      else await new Promise<void>((resolve) => (wake = resolve))
    }
    if (failure !== undefined) throw failure
  } finally {
    if (!ended) {
      ended = true
      bytes = Infinity
      await source.return?.()
    }
  }
}
