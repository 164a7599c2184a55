const QUOTE = 0x22
const BACKSLASH = 0x5c
const openers = new Set([0x7b, 0x5b])
const closers = new Set([0x7d, 0x5d])
const blanks = new Set([0x20, 0x09, 0x0a, 0x0d])

/**
 * Looks for the end of the first JSON value in chunks of bytes: gives where in a chunk an object or a list ends, undefined
 * while it goes on. Where a number or a word ends only the end of the body tells.
 */
export function endOfJson(): (chunk: Uint8Array) => number | undefined {
  const scan = new Scan()
  return (chunk) => scan.end(chunk)
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
