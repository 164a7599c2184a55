import { Piece } from '../http/pushed.ts'
import type { Title } from './stream.ts'

/** Bytes of sound between two blocks of metadata, as Icecast has it. */
export const METAINT = 16_000

/** A block holds at most this many units of 16 bytes. */
const MOST_UNITS = 255
const nothing = new Uint8Array(1)

/**
 * Puts the titles between the bytes of one listener (live.md 3.3): after every `METAINT` bytes of sound a length byte, in units
 * of 16, and the text. The first block always has a text, later ones only when it is another one.
 */
export class IcyTitles {
  #left = METAINT
  #last: string | undefined

  /** True when no block falls into the next bytes: then they can go out as they are. */
  passes(length: number): boolean {
    if (length >= this.#left) return false
    this.#left -= length
    return true
  }

  /** The bytes with the blocks that fall into them. `titleAt` tells what is played so many bytes after the first. */
  weave(bytes: Uint8Array, titleAt: (offset: number) => Title | undefined): Piece {
    const parts: Uint8Array[] = []
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#left)
      parts.push(part)
      at += part.length
      this.#left -= part.length
      if (this.#left > 0) continue
      parts.push(this.#block(titleAt(at)))
      this.#left = METAINT
    }
    return new Piece(parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts))
  }

  #block(title: Title | undefined): Uint8Array {
    const text = titleText(title)
    if (text === this.#last) return nothing
    this.#last = text
    const bytes = Buffer.from(text, 'utf8')
    const units = Math.min(MOST_UNITS, Math.ceil(bytes.length / 16))
    const block = Buffer.alloc(1 + units * 16)
    block[0] = units
    bytes.copy(block, 1)
    return block
  }
}

/** `StreamTitle='…';`. Apostrophes stay as they are: players look for `';`. */
function titleText(title: Title | undefined): string {
  const text = `StreamTitle='${title?.title ?? ''}';`
  return title?.url ? `${text}StreamUrl='${title.url}';` : text
}

/** What a block says: the reverse of `titleText`. Undefined when it says nothing. */
export function readTitle(block: Uint8Array): Title | undefined {
  const text = Buffer.from(block).toString('utf8').replace(/\0+$/, '')
  const title = /StreamTitle='(.*?)';/s.exec(text)?.[1]
  if (title === undefined) return undefined
  return { title, url: /StreamUrl='(.*?)';/s.exec(text)?.[1] ?? '' }
}

/**
 * Takes the titles out of the bytes of another server, which come after every `interval` bytes, and gives them to `found` where
 * they stand.
 */
export async function* withoutTitles(
  body: AsyncIterable<Uint8Array>,
  interval: number,
  found: (title: Title) => void,
): AsyncGenerator<Uint8Array> {
  let left = interval
  let block: Buffer | undefined
  let filled = 0
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length;) {
      if (left > 0) {
        const part = chunk.subarray(at, at + left)
        at += part.length
        left -= part.length
        yield part
      } else if (!block) {
        const units = chunk[at++] as number
        if (units === 0) left = interval
        else block = Buffer.alloc(units * 16)
        filled = 0
      } else {
        const part = chunk.subarray(at, at + block.length - filled)
        block.set(part, filled)
        filled += part.length
        at += part.length
        if (filled < block.length) continue
        const title = readTitle(block)
        if (title) found(title)
        block = undefined
        left = interval
      }
    }
  }
}
