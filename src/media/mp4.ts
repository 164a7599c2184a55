import { children } from './boxes.ts'
import { firstFlags, NOT_SYNC } from './fragment.ts'
import { Frames } from './frames.ts'

/** Boxes that stand before a fragment and belong to it. */
const before = new Set(['styp', 'sidx', 'prft', 'emsg', 'moof'])

/**
 * Fragmented MP4 and CMAF (ISO 14496-12, 23000-19). `ftyp` and `moov` are the header; a player can begin with a fragment whose
 * first sample needs none before it.
 */
export class Mp4 extends Frames {
  readonly strict = true
  readonly #header: Buffer[] = []
  /** Where the fragment under way begins. */
  #fragment: number | undefined

  protected override read(bytes: Buffer, at: number): number {
    if (bytes.length < 16) return 0
    const short = bytes.readUInt32BE(0)
    const type = bytes.toString('latin1', 4, 8)
    const size = short === 1 ? Number(bytes.readBigUInt64BE(8)) : short
    if (size < 8 || !/^[\w ]{4}$/.test(type)) return -bytes.length
    if (type === 'ftyp' || type === 'moov') {
      if (bytes.length < size) return 0
      if (type === 'ftyp') this.#header.length = 0
      this.#header.push(Buffer.from(bytes.subarray(0, size)))
      if (type === 'moov') this.init = Buffer.concat(this.#header)
    } else if (before.has(type)) {
      if (type === 'moof' && bytes.length < size) return 0
      this.#fragment ??= at
      if (type === 'moof' && beginsWithKey(bytes.subarray(8, size))) this.sync(this.#fragment)
    } else if (type === 'mdat') this.#fragment = undefined
    return size
  }
}

/** False when a track of the fragment says that its first sample needs one before it. */
function beginsWithKey(moof: Uint8Array): boolean {
  for (const { type, body } of children(moof))
    if (type === 'traf' && ((firstFlags(body) ?? 0) & NOT_SYNC) !== 0) return false
  return true
}
