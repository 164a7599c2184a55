/** Small chunks are joined up to about this size before they are handed on. */
const target = 64 * 1024

/** The same bytes in fewer chunks: each one costs a write to the socket. Text is written as UTF-8. Holds at most one chunk back. */
export async function* packed(
  source: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let size = 0
  let text = ''
  const flushText = () => {
    if (text === '') return
    const bytes = Buffer.from(text)
    text = ''
    waiting.push(bytes)
    size += bytes.length
  }
  for await (const chunk of source) {
    if (typeof chunk === 'string') {
      text += chunk
      if (text.length < target) continue
      flushText()
    } else {
      flushText()
      waiting.push(chunk)
      size += chunk.length
    }
    if (size < target) continue
    yield waiting.length === 1 ? (waiting[0] as Uint8Array) : Buffer.concat(waiting, size)
    waiting = []
    size = 0
  }
  flushText()
  if (size > 0) yield Buffer.concat(waiting, size)
}
