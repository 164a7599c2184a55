import { Frames } from './frames.ts'

const CONTINUED = 1
const FIRST = 2
const NONE = 0xffff_ffff_ffff_ffffn

/**
 * Ogg (RFC 3533): pages. The pages at the beginning, up to the first one with a position in time, hold what decoders need;
 * after them a player can begin with any page that does not go on with a packet of the one before.
 */
export class Ogg extends Frames {
  readonly strict = true
  #headers: Buffer[] | undefined
  #rate: number | undefined

  protected override read(bytes: Buffer, at: number): number {
    if (bytes.length < 27) return 0
    if (bytes.toString('latin1', 0, 4) !== 'OggS') {
      const next = bytes.indexOf('OggS', 1, 'latin1')
      return next < 0 ? -(bytes.length - 3) : -next
    }
    const segments = bytes[26] as number
    const head = 27 + segments
    if (bytes.length < head) return 0
    const length = bytes.subarray(27, head).reduce((sum, size) => sum + size, head)
    const flags = bytes[5] as number
    const position = bytes.readBigUInt64LE(6)
    if ((flags & FIRST) !== 0 || (this.#headers && (position === 0n || position === NONE))) {
      if (bytes.length < length) return 0
      this.#header(bytes.subarray(0, length), (flags & FIRST) !== 0, head)
      return length
    }
    this.#headers = undefined
    if ((flags & CONTINUED) === 0) this.sync(at)
    if (this.#rate !== undefined && position !== NONE) this.time = (Number(position) / this.#rate) * 1000
    return length
  }

  #header(page: Buffer, first: boolean, head: number): void {
    if (first && !this.#headers) this.#headers = []
    this.#headers?.push(Buffer.from(page))
    this.init = Buffer.concat(this.#headers ?? [])
    if (first) this.#rate ??= rateOf(page.subarray(head))
  }
}

/** Positions per second, by what a stream says of itself at its beginning. */
function rateOf(packet: Buffer): number | undefined {
  if (packet.toString('latin1', 0, 8) === 'OpusHead') return 48_000
  if (packet.toString('latin1', 0, 7) === '\x01vorbis' && packet.length >= 16)
    return packet.readUInt32LE(12) || undefined
  return undefined
}
