import { Frames } from './frames.ts'

const AUDIO = 8
const VIDEO = 9
const SCRIPT = 18
const HEAD = 13

/**
 * FLV (Adobe Flash Video File Format 10.1, annex E). The file header, the metadata and the configurations of the decoders are
 * what each listener needs first; a player can begin with a key picture, or of sound alone with any tag.
 */
export class Flv extends Frames {
  readonly strict = true
  /** The latest of each kind, in the order in which they came. */
  readonly #parts = new Map<string, Buffer>()
  #pictures = false

  protected override read(bytes: Buffer, at: number): number {
    if (bytes.length < HEAD) return 0
    if (at === 0) {
      if (bytes.toString('latin1', 0, 3) !== 'FLV') return -bytes.length
      this.#pictures = ((bytes[4] as number) & 1) !== 0
      this.#keep('file', bytes.subarray(0, HEAD))
      return HEAD
    }
    const type = (bytes[0] as number) & 0x1f
    const length = 11 + bytes.readUIntBE(1, 3) + 4
    const part = partOf(type, bytes[11] as number, bytes[12] as number)
    if (part !== undefined) {
      if (bytes.length < length) return 0
      this.#keep(part, bytes.subarray(0, length))
      return length
    }
    if (type === VIDEO) {
      this.#pictures = true
      if ((((bytes[11] as number) >> 4) & 7) === 1) this.sync(at)
    } else if (type === AUDIO && !this.#pictures) this.sync(at)
    this.time = bytes.readUIntBE(4, 3) + (bytes[7] as number) * 2 ** 24
    return length
  }

  #keep(part: string, bytes: Buffer): void {
    this.#parts.set(part, Buffer.from(bytes))
    this.init = Buffer.concat([...this.#parts.values()])
  }
}

/** Which part of the header a tag is, if it is one. */
function partOf(type: number, first: number, second: number): string | undefined {
  if (type === SCRIPT) return 'script'
  if (type === AUDIO) return first >> 4 === 10 && second === 0 ? 'audio' : undefined
  if (type !== VIDEO) return undefined
  const extended = (first & 0x80) !== 0
  return (extended ? (first & 15) === 0 : (first & 15) === 7 && second === 0) ? 'video' : undefined
}
