import { Frames } from './frames.ts'

const NOT_SYNC = 0x0001_0000
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

/** The boxes within a box. */
function* boxes(bytes: Buffer): Generator<{ readonly type: string; readonly content: Buffer }> {
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at)
    if (size < 8 || at + size > bytes.length) return
    yield { type: bytes.toString('latin1', at + 4, at + 8), content: bytes.subarray(at + 8, at + size) }
    at += size
  }
}

/** False when a track of the fragment says that its first sample needs one before it. */
function beginsWithKey(moof: Buffer): boolean {
  for (const { type, content } of boxes(moof)) if (type === 'traf' && !trackBeginsWithKey(content)) return false
  return true
}

function trackBeginsWithKey(traf: Buffer): boolean {
  let flags = 0
  for (const { type, content } of boxes(traf)) {
    if (content.length < 8) continue
    const given = content.readUInt32BE(0) & 0xff_ffff
    if (type === 'tfhd' && (given & 0x20) !== 0) {
      const at =
        8 + ((given & 1) !== 0 ? 8 : 0) + [2, 8, 0x10].reduce((sum, bit) => sum + ((given & bit) !== 0 ? 4 : 0), 0)
      if (at + 4 <= content.length) flags = content.readUInt32BE(at)
    }
    if (type !== 'trun') continue
    let at = 8 + ((given & 1) !== 0 ? 4 : 0)
    if ((given & 4) === 0) {
      if ((given & 0x400) === 0) return (flags & NOT_SYNC) === 0
      at += ((given & 0x100) !== 0 ? 4 : 0) + ((given & 0x200) !== 0 ? 4 : 0)
    }
    return at + 4 > content.length || (content.readUInt32BE(at) & NOT_SYNC) === 0
  }
  return true
}
