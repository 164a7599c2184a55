import { Frames } from './frames.ts'

interface Frame {
  /** Bytes, header included. */
  readonly length: number
  readonly samples: number
  readonly sampleRate: number
  readonly channels: number
  /** What all frames of a stream have in common. */
  readonly kind: number
}

const rates = [44_100, 48_000, 32_000]
const aacRates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350]
/** kbit/s by index of the header: MPEG-1 layers I, II and III, then MPEG-2 layer I, and its layers II and III. */
const bitRates = [
  [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const

/** The longest header of a frame, bytes. */
const HEADER = 7

/**
 * MPEG audio (ISO 11172-3, 13818-3: MP2, MP3) and AAC in ADTS (ISO 13818-7): frames follow each other, and a player can begin
 * with any of them. A header is believed when another one of its kind follows where its frame ends.
 */
export class MpegAudio extends Frames {
  readonly strict = false
  #kind: number | undefined

  protected override read(bytes: Buffer, at: number): number {
    if (bytes.length < HEADER) return 0
    const frame = frameAt(bytes, 0)
    if (frame && frame.kind === this.#kind) return this.#take(frame, at)
    if (frame && bytes.length < frame.length + HEADER) return 0
    if (frame && frameAt(bytes, frame.length)?.kind === frame.kind) {
      this.#kind = frame.kind
      return this.#take(frame, at)
    }
    return tagLength(bytes) ?? -nextCandidate(bytes)
  }

  #take({ length, samples, sampleRate, channels }: Frame, at: number): number {
    this.sync(at)
    const ms = (samples / sampleRate) * 1000
    this.time = (this.time ?? 0) + ms
    this.audio = { sampleRate, channels, bitRate: Math.round((length * 8000) / ms) }
    return length
  }
}

/** Where a header may be next. */
function nextCandidate(bytes: Buffer): number {
  const next = bytes.indexOf(0xff, 1)
  return next < 0 ? bytes.length : next
}

/** The length of an ID3v2 tag (id3.org, section 3.1), undefined when there is none. */
function tagLength(bytes: Buffer): number | undefined {
  if (bytes.toString('latin1', 0, 3) !== 'ID3') return undefined
  if (bytes.length < 10) return 0
  const size = [6, 7, 8, 9].reduce((sum, i) => sum * 128 + ((bytes[i] as number) & 0x7f), 0)
  return 10 + size
}

function frameAt(bytes: Buffer, at: number): Frame | undefined {
  if (bytes[at] !== 0xff) return undefined
  const second = bytes[at + 1] as number
  if ((second & 0xe0) !== 0xe0) return undefined
  return (second & 0x06) === 0 ? adtsFrame(bytes, at, second) : mpegFrame(bytes, at, second)
}

function mpegFrame(bytes: Buffer, at: number, second: number): Frame | undefined {
  const third = bytes[at + 2] as number
  const version = (second >> 3) & 3 // 3 = MPEG-1, 2 = MPEG-2, 0 = 2.5
  const layer = 4 - ((second >> 1) & 3)
  const index = third >> 4
  const rate = rates[(third >> 2) & 3]
  if (version === 1 || index === 0 || index === 15 || rate === undefined) return undefined
  const first = version === 3
  const table = first ? bitRates[layer - 1] : layer === 1 ? bitRates[3] : bitRates[4]
  const bitRate = (table?.[index - 1] ?? 0) * 1000
  const sampleRate = first ? rate : version === 2 ? rate / 2 : rate / 4
  const samples = layer === 1 ? 384 : layer === 3 && !first ? 576 : 1152
  const padding = (third >> 1) & 1
  const length =
    layer === 1
      ? (Math.floor((12 * bitRate) / sampleRate) + padding) * 4
      : Math.floor(((samples / 8) * bitRate) / sampleRate) + padding
  const channels = (bytes[at + 3] as number) >> 6 === 3 ? 1 : 2
  return { length, samples, sampleRate, channels, kind: (second & 0x1e) * 256 + (third & 0x0c) }
}

function adtsFrame(bytes: Buffer, at: number, second: number): Frame | undefined {
  if ((second & 0xf0) !== 0xf0) return undefined
  const third = bytes[at + 2] as number
  const fourth = bytes[at + 3] as number
  const sampleRate = aacRates[(third >> 2) & 15]
  const length = ((fourth & 3) << 11) | ((bytes[at + 4] as number) << 3) | ((bytes[at + 5] as number) >> 5)
  if (sampleRate === undefined || length < HEADER) return undefined
  const blocks = ((bytes[at + 6] as number) & 3) + 1
  const channels = ((third & 1) << 2) | (fourth >> 6)
  return { length, samples: 1024 * blocks, sampleRate, channels, kind: (second & 0x0e) * 256 + (third & 0xfc) }
}
