import { Frames } from './frames.ts'

const SEGMENT = 0x18538067
const CLUSTER = 0x1f43b675
const SIMPLE_BLOCK = 0xa3
const BLOCK_GROUP = 0xa0
const EBML = 0x1a45dfa3

/**
 * Matroska and WebM (RFC 9559, RFC 8794). All that comes before the first cluster is the header; a player can begin with a
 * cluster whose first block needs no picture before it.
 */
export class Matroska extends Frames {
  readonly strict = true
  #header: Buffer[] | undefined = []
  /** Where the cluster begins whose first block is still to come. */
  #cluster: number | undefined

  protected override read(bytes: Buffer, at: number): number {
    const idLength = lengthOf(bytes[0])
    if (idLength > 4) return -1
    const sizeLength = lengthOf(bytes[idLength])
    const head = idLength + sizeLength
    if (bytes.length <= idLength || bytes.length < head) return 0
    if (sizeLength > 8) return -1
    const id = bytes.readUIntBE(0, idLength)
    if (at === 0 && id !== EBML) return -bytes.length
    if (id === CLUSTER) {
      if (this.#header) this.init = Buffer.concat(this.#header)
      this.#header = undefined
      this.#cluster = at
      return head
    }
    const size = sizeOf(bytes, idLength, sizeLength)
    // Only these two may be of unknown size, and what is in them is looked at anyway.
    const length = id === SEGMENT || size === undefined ? head : head + size
    if (this.#header) {
      if (bytes.length < length) return 0
      this.#header.push(Buffer.from(bytes.subarray(0, length)))
    } else if (this.#cluster !== undefined && (id === SIMPLE_BLOCK || id === BLOCK_GROUP)) {
      if (bytes.length < head + 4) return 0
      this.#block(bytes, id, head)
    }
    return length
  }

  #block(bytes: Buffer, id: number, head: number): void {
    // A track number of one byte, a time of two, then the flags.
    const isKey = id === BLOCK_GROUP || ((bytes[head + 3] as number) & 0x80) !== 0
    if (isKey && this.#cluster !== undefined) this.sync(this.#cluster)
    this.#cluster = undefined
  }
}

/** Bytes of a number of variable length, by its first one; 9 = it is none. */
function lengthOf(first: number | undefined): number {
  return first === undefined ? 1 : Math.clz32(first) - 23
}

/** The size of an element, undefined when it is not known. */
function sizeOf(bytes: Buffer, at: number, length: number): number | undefined {
  let size = (bytes[at] as number) & (0xff >> length)
  let unknown = size === 0xff >> length
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] as number
    unknown &&= byte === 0xff
    size = size * 256 + byte
  }
  return unknown ? undefined : size
}
