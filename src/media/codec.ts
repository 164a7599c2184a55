import { children, inside } from './boxes.ts'

/** How a track is coded, as manifests say it. */
export interface Codec {
  /** As RFC 6381 has it: `avc1.64001f`; undefined for one that is not known here. */
  readonly codecs: string | undefined
  readonly width?: number
  readonly height?: number
  readonly sampleRate?: number
  readonly channels?: number
}

/** Bytes of a sample entry before the boxes in it (ISO 14496-12 section 12). */
const PICTURE = 78
const SOUND = 28

const hex = (value: number, digits = 2) => value.toString(16).padStart(digits, '0')

/** What the boxes of a sample entry say, by its type. */
const readers: Readonly<Record<string, (type: string, boxes: Uint8Array) => string | undefined>> = {
  avc1: avc,
  avc3: avc,
  hvc1: hevc,
  hev1: hevc,
  av01: av1,
  mp4a: aac,
  Opus: () => 'opus',
  fLaC: () => 'flac',
  'ac-3': () => 'ac-3',
  'ec-3': () => 'ec-3',
}

/** Reads how a track is coded from its `trak` body. Undefined when it does not say. */
export function readCodec(trak: Uint8Array): Codec | undefined {
  const stsd = inside(trak, 'mdia', 'minf', 'stbl', 'stsd')
  const [entry] = stsd ? children(stsd.subarray(8)) : []
  if (!entry) return undefined
  const { type, body } = entry
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const sounds = inside(trak, 'mdia', 'minf', 'smhd') !== undefined
  if (body.length < (sounds ? SOUND : PICTURE)) return undefined
  const boxes = body.subarray(sounds ? SOUND : PICTURE)
  const codecs = readers[type]?.(type, boxes)
  if (sounds) return { codecs, channels: aacChannels(boxes) ?? view.getUint16(16), sampleRate: view.getUint16(24) }
  return { codecs, width: view.getUint16(24), height: view.getUint16(26) }
}

function avc(type: string, boxes: Uint8Array): string | undefined {
  const config = inside(boxes, 'avcC')
  return config && `${type}.${[...config.subarray(1, 4)].map((byte) => hex(byte)).join('')}`
}

/** ISO 14496-15 section E.3. */
function hevc(type: string, boxes: Uint8Array): string | undefined {
  const config = inside(boxes, 'hvcC')
  if (!config || config.length < 13) return undefined
  const view = new DataView(config.buffer, config.byteOffset)
  const head = view.getUint8(1)
  const space = ['', 'A', 'B', 'C'][head >> 6] ?? ''
  let [flags, reversed] = [view.getUint32(2), 0]
  for (let i = 0; i < 32; i++, flags >>>= 1) reversed = (reversed << 1) | (flags & 1)
  const constraints = [...config.subarray(6, 12)]
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop()
  const tier = head & 0x20 ? 'H' : 'L'
  const compatibility = (reversed >>> 0).toString(16)
  const more = constraints.map((byte) => `.${byte.toString(16)}`).join('')
  return `${type}.${space}${head & 0x1f}.${compatibility}.${tier}${view.getUint8(12)}${more}`
}

/** AV1 in ISO files, section 5. */
function av1(type: string, boxes: Uint8Array): string | undefined {
  const config = inside(boxes, 'av1C')
  if (!config || config.length < 4) return undefined
  const [, second = 0, third = 0] = config
  const level = String(second & 0x1f).padStart(2, '0')
  const depth = third & 0x40 ? (third & 0x20 ? '12' : '10') : '08'
  return `${type}.${second >> 5}.${level}${third & 0x80 ? 'H' : 'M'}.${depth}`
}

/** ISO 14496-1 section 7.2.6: the object type, and of AAC the kind of its configuration. */
function aac(_type: string, boxes: Uint8Array): string | undefined {
  const decoder = decoderOf(boxes)
  const kind = decoder?.[0]
  if (!decoder || kind === undefined) return undefined
  const first = audioConfig(decoder)?.[0]
  return kind === AAC ? `mp4a.40.${first === undefined ? 2 : first >> 3}` : `mp4a.${hex(kind)}`
}

/**
 * How many channels AAC has (ISO 14496-3 section 1.6.3): its sample entry may say 2 of any. Undefined for other sound, and where
 * the numbers are written out at length.
 */
function aacChannels(boxes: Uint8Array): number | undefined {
  const decoder = decoderOf(boxes)
  if (decoder?.[0] !== AAC) return undefined
  const [first = 0, second = 0] = audioConfig(decoder) ?? []
  const [object, rate] = [first >> 3, ((first & 7) << 1) | (second >> 7)]
  return object === ESCAPE || object === STEREO_OF_MONO || rate === 15 ? undefined : layouts[(second >> 3) & 15]
}

/** Object type of AAC in an `esds` box; those of audio that stand for a longer number, and for two channels made of one. */
const [AAC, ESCAPE, STEREO_OF_MONO] = [0x40, 31, 29]

/** Channels of each channel configuration. */
const layouts = [undefined, 1, 2, 3, 4, 5, 6, 8, undefined, undefined, undefined, 7, 8, 24, 8]

/** What is said of the decoder in an `esds` box, and in that its configuration. */
function decoderOf(boxes: Uint8Array): Uint8Array | undefined {
  const esds = inside(boxes, 'esds')
  return esds && descriptor(esds.subarray(4), 3, 3, 4)
}

function audioConfig(decoder: Uint8Array): Uint8Array | undefined {
  return descriptor(decoder.subarray(13), 5)
}

/** The body of the descriptor with a tag, which begins here; then, `skip` bytes into it, that of another one. */
function descriptor(bytes: Uint8Array, tag: number, skip?: number, inner?: number): Uint8Array | undefined {
  if (bytes[0] !== tag) return undefined
  let [at, size] = [1, 0]
  for (let more = true; more && at < 5; at++) {
    size = (size << 7) | ((bytes[at] ?? 0) & 0x7f)
    more = ((bytes[at] ?? 0) & 0x80) !== 0
  }
  const body = bytes.subarray(at, at + size)
  return skip === undefined || inner === undefined ? body : descriptor(body.subarray(skip), inner)
}
