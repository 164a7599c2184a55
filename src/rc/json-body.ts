import type { Body } from '../base/body.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const openers = new Set([0x7b, 0x5b])
const closers = new Set([0x7d, 0x5d])
const blanks = new Set([0x20, 0x09, 0x0a, 0x0d])

/**
 * The text of the first JSON value of a body: what comes behind an object or a list is not waited for, as with rclone. Throws
 * RangeError for more than `max` bytes.
 */
export async function firstJson(body: Body, max: number): Promise<string> {
  const chunks: Uint8Array[] = []
  const scan = new Scan()
  let size = 0
  for await (const chunk of body) {
    const end = scan.end(chunk)
    size += end ?? chunk.length
    if (size > max) throw new RangeError(`more than ${max} bytes`)
    chunks.push(end === undefined ? chunk : chunk.subarray(0, end))
    if (end !== undefined) break
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

/** Looks for the end of an object or a list, byte by byte: all that counts is ASCII. */
class Scan {
  #depth = 0
  #quoted = false
  #escaped = false
  /** It is a number, a word or a text: there is no telling where it ends before the body does. */
  #scalar = false

  /** Where in the chunk the value ends; undefined when it goes on. */
  end(chunk: Uint8Array): number | undefined {
    if (this.#scalar) return undefined
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] as number
      if (this.#quoted) this.#inText(byte)
      else if (openers.has(byte)) this.#depth++
      else if (closers.has(byte)) {
        this.#depth--
        if (this.#depth <= 0) return i + 1
      } else if (this.#depth === 0 && !blanks.has(byte)) {
        this.#scalar = true
        return undefined
      } else this.#quoted = byte === QUOTE
    }
    return undefined
  }

  #inText(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (byte === BACKSLASH) this.#escaped = true
    else if (byte === QUOTE) this.#quoted = false
  }
}
