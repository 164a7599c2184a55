/** Small chunks are joined up to about this size before they are handed on. */
const target = 64 * 1024

/** The same bytes in fewer chunks: each one costs a write to the socket. */
export async function* packed(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    waiting.push(chunk)
    size += chunk.length
    if (size < target) continue
    yield waiting.length === 1 ? chunk : Buffer.concat(waiting, size)
    waiting = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(waiting, size)
}
