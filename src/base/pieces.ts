import type { Body } from './body.ts'

/** The same bytes in pieces of one size, the last one shorter. No bytes give no piece. */
export async function* inPieces(body: Body, size: number): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let held = 0
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - held)
      parts.push(part)
      held += part.length
      at += part.length
      if (held < size) continue
      yield Buffer.concat(parts)
      parts = []
      held = 0
    }
  }
  if (held > 0) yield Buffer.concat(parts)
}

/**
 * Sends pieces, `atOnce` of them at a time; no further one is read before there is room for it. After a failure nothing more
 * is begun; it is thrown when all that was begun has ended.
 */
export async function sendPieces(
  pieces: AsyncIterable<Uint8Array>,
  atOnce: number,
  send: (piece: Uint8Array, index: number) => Promise<unknown>,
): Promise<void> {
  const sending = new Set<Promise<unknown>>()
  const failures: unknown[] = []
  let index = 0
  try {
    for await (const piece of pieces) {
      const sent: Promise<unknown> = send(piece, index++)
        .catch((error: unknown) => failures.push(error))
        .finally(() => sending.delete(sent))
      sending.add(sent)
      if (sending.size >= atOnce) await Promise.race(sending)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(sending)
  }
  if (failures.length > 0) throw failures[0]
}
