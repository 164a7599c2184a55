import { AppError } from '../base/error.ts'
import { box, words } from './box-bytes.ts'
import { type Box, Boxes, children, inside } from './boxes.ts'
import { type Codec, readCodec } from './codec.ts'
import { type Fragment, fragmentSeconds, isIndependent, readFragment, readInit, type TrackInfo } from './fragment.ts'

/** A track of a stream. */
export interface SplitTrack extends TrackInfo {
  readonly number: number
  readonly codec: Codec | undefined
  /** What its files begin with: `ftyp` and `moov` of this track alone. */
  readonly init: Buffer
}

/** A fragment of one track, which can be played behind its `init`. */
export interface SplitFragment {
  readonly track: SplitTrack
  /** Decode time of its first sample, in units of the timescale. */
  readonly time: number
  /** In the same units. */
  readonly length: number
  readonly independent: boolean
  /** Its bytes when it begins at another time: see `time`. */
  readonly at: (time: number) => Buffer
}

/** What has been found in a stream. */
export type Found =
  | { readonly tracks: readonly SplitTrack[] }
  | { readonly fragment: SplitFragment }
  /** The stream says that it ends here (`mfra`; DASH-IF Live Media Ingest, interface 1). */
  | { readonly end: true }

/** The largest fragment, bytes. */
const LARGEST = 32 * 1024 * 1024
/** Where Smooth Streaming has the time of a fragment, which has no `tfdt`. */
const TFXD = '6d1d9b0542d544e680e2141daff757b2'
const ftyp = box('ftyp', Buffer.from('iso6\0\0\0\0iso6cmfcmp41', 'latin1'))

/**
 * Takes a fragmented MP4 stream apart: each track becomes one of CMAF (ISO 23000-19), with fragments of its own that say their
 * time, whatever way of Smooth Streaming or of older files they were written in.
 */
export class TrackSplitter {
  readonly #boxes: Boxes
  readonly #tracks = new Map<number, SplitTrack>()
  readonly #ends = new Map<number, number>()
  #found: Found[] = []
  #moof: Box | undefined
  /** What stands before the next fragment and belongs to it. */
  #before: Buffer[] = []
  #begun = false
  #sequence = 0

  constructor() {
    const wanted = new Set(['moov', 'prft', 'emsg', 'moof', 'mdat'])
    this.#boxes = new Boxes(wanted, (found) => this.#box(found), LARGEST)
  }

  /** True when this is no MP4 at all. */
  get broken(): boolean {
    return this.#boxes.broken
  }

  /** True for fragments of which nobody has said what they are. */
  get headless(): boolean {
    return this.#begun && this.#tracks.size === 0
  }

  /** Takes the next bytes, and gives what is whole with them. Throws `too-large`. */
  take(chunk: Uint8Array): readonly Found[] {
    this.#found = []
    this.#boxes.take(chunk)
    return this.#found
  }

  #box(found: Box): void {
    const { type, body } = found
    if (type === 'moov' && body) this.#head(body)
    else if ((type === 'prft' || type === 'emsg') && body) this.#before.push(box(type, body))
    else if (type === 'moof') {
      this.#moof = found
      this.#begun = true
    } else if (type === 'mdat' && this.#moof) {
      for (const one of children(this.#moof.body ?? new Uint8Array()))
        if (one.type === 'traf') this.#fragment(one.body, this.#moof.start, found)
      this.#moof = undefined
    } else if (type === 'mfra') this.#found.push({ end: true })
  }

  #head(moov: Uint8Array): void {
    this.#tracks.clear()
    const all = [...children(moov)]
    const shared = all.filter(({ type }) => type === 'mvhd' || type === 'pssh').map((one) => box(one.type, one.body))
    const trexes = [...children(inside(moov, 'mvex') ?? new Uint8Array())].filter(({ type }) => type === 'trex')
    for (const { type, body } of all) {
      const number = type === 'trak' ? numberOf(body) : undefined
      if (number === undefined) continue
      const trex = trexes.find((one) => viewOf(one.body).getUint32(4) === number)?.body ?? words(0, number, 1, 0, 0, 0)
      const own = Buffer.concat([...shared, box('trak', emptied(body)), box('mvex', box('trex', trex))])
      const info = readInit(own)
      if (!info) continue
      this.#tracks.set(number, {
        ...info,
        number,
        codec: readCodec(body),
        init: Buffer.concat([ftyp, box('moov', own)]),
      })
    }
    this.#found.push({ tracks: [...this.#tracks.values()] })
  }

  #fragment(traf: Uint8Array, moofStart: number, mdat: Box): void {
    const runs = runsOf(traf, moofStart)
    const track = runs && this.#tracks.get(runs.track)
    if (!runs || !track) return
    if (!mdat.body) throw new AppError('too-large', 'a fragment has more than 32 MiB: send shorter ones')
    const from = mdat.end - mdat.body.length
    const data = runs.truns.map(({ start, sizes }) => {
      const size = sizes.own ?? sizes.count * (runs.size ?? sizeOf(track))
      return (
        mdat.body?.subarray(start === undefined ? 0 : start - from, (start ?? from) - from + size) ?? new Uint8Array()
      )
    })
    const sequence = ++this.#sequence
    const before = this.#before
    this.#before = []
    const bytesAt = (time: number) => Buffer.concat([...before, fragmentBytes({ runs, data, time, sequence })])
    const known = timeOf(traf) ?? this.#ends.get(track.number) ?? 0
    const moof = inside(fragmentBytes({ runs, data, time: known, sequence }), 'moof')
    const fragment: Fragment | undefined = moof && readFragment(moof)
    if (!fragment) return
    const length = Math.round(fragmentSeconds(fragment, track) * track.timescale)
    this.#ends.set(track.number, known + length)
    this.#found.push({
      fragment: { track, time: known, length, independent: isIndependent(fragment, track), at: bytesAt },
    })
  }
}

interface Runs {
  readonly track: number
  /** Body of the `tfhd` without the place of the data. */
  readonly tfhd: Buffer
  /** Bytes of a sample; undefined = as the track says. */
  readonly size: number | undefined
  readonly truns: readonly {
    /** Where in the stream its data begins; undefined = at the beginning of the box. */
    readonly start: number | undefined
    /** Flags, count and samples, without the place of the data. */
    readonly flags: number
    readonly rest: Uint8Array
    /** Bytes of all samples, or how many there are. */
    readonly sizes: { readonly own: number | undefined; readonly count: number }
  }[]
}

/** What a `traf` says of its samples and where they are (ISO 14496-12 sections 8.8.7, 8.8.8). */
function runsOf(traf: Uint8Array, moofStart: number): Runs | undefined {
  const tfhd = inside(traf, 'tfhd')
  if (!tfhd || tfhd.length < 8) return undefined
  const view = viewOf(tfhd)
  const has = view.getUint32(0) & 0xffffff
  const base = has & 0x1 ? Number(view.getBigUint64(8)) : moofStart
  const fields = tfhd.subarray(8 + (has & 0x1 ? 8 : 0))
  const sizeAt = (has & 0x2 ? 4 : 0) + (has & 0x8 ? 4 : 0)
  const size = has & 0x10 && fields.length >= sizeAt + 4 ? viewOf(fields).getUint32(sizeAt) : undefined
  const truns: Runs['truns'][number][] = []
  let next: number | undefined
  for (const { type, body } of children(traf)) {
    if (type !== 'trun' || body.length < 8) continue
    const run = viewOf(body)
    const flags = run.getUint32(0)
    const count = run.getUint32(4)
    const start: number | undefined = flags & 0x1 ? base + run.getInt32(8) : next
    const own = flags & 0x200 ? sampleBytes(run, flags, count) : undefined
    truns.push({ start, flags, rest: body.subarray(flags & 0x1 ? 12 : 8), sizes: { own, count } })
    next = start === undefined ? undefined : start + (own ?? count * (size ?? 0))
  }
  const head = words((has & ~0x1) | 0x02_0000, view.getUint32(4))
  return { track: view.getUint32(4), tfhd: Buffer.concat([head, fields]), size, truns }
}

/** Bytes of the samples of a `trun` that says the size of each. */
function sampleBytes(run: DataView, flags: number, count: number): number {
  const each = [0x100, 0x200, 0x400, 0x800].filter((bit) => flags & bit).length * 4
  const first = 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0) + (flags & 0x100 ? 4 : 0)
  let sum = 0
  for (let i = 0, at = first; i < count && at + 4 <= run.byteLength; i++, at += each) sum += run.getUint32(at)
  return sum
}

interface Written {
  readonly runs: Runs
  readonly data: readonly Uint8Array[]
  readonly time: number
  readonly sequence: number
}

/** A `moof` with one track, and its `mdat`. */
function fragmentBytes({ runs, data, time, sequence }: Written): Buffer {
  const moofWith = (first: number) => {
    let at = first
    const truns = runs.truns.map(({ flags, rest, sizes: { count } }, i) => {
      const trun = box('trun', words(flags | 0x1, count, at), rest)
      at += data[i]?.length ?? 0
      return trun
    })
    const tfdt = box('tfdt', words(0x0100_0000, BigInt(Math.max(0, time))))
    return box('moof', box('mfhd', words(0, sequence)), box('traf', box('tfhd', runs.tfhd), tfdt, ...truns))
  }
  return Buffer.concat([moofWith(moofWith(0).length + 8), box('mdat', ...data)])
}

/** The time of a fragment: that of ISO files, or of Smooth Streaming. */
function timeOf(traf: Uint8Array): number | undefined {
  const tfdt = inside(traf, 'tfdt')
  if (tfdt && tfdt.length >= 8) return tfdt[0] === 1 ? Number(viewOf(tfdt).getBigInt64(4)) : viewOf(tfdt).getUint32(4)
  for (const { type, body } of children(traf)) {
    if (type !== 'uuid' || Buffer.from(body.subarray(0, 16)).toString('hex') !== TFXD || body.length < 24) continue
    return body[16] === 1 ? Number(viewOf(body).getBigInt64(20)) : viewOf(body).getUint32(20)
  }
  return undefined
}

const noSamples = words(0, 0)
const containers = new Set(['mdia', 'minf', 'stbl'])
const emptyTables: Readonly<Record<string, Buffer>> = {
  stts: noSamples,
  stsc: noSamples,
  stsz: words(0, 0, 0),
  stco: noSamples,
}
const tables = new Set([...Object.keys(emptyTables), 'co64', 'stz2', 'ctts', 'stss', 'sdtp', 'sbgp', 'subs'])

/** The body of a `trak`, or of what is in it, without the samples that a header may have of its own: they are not in the fragments. */
function emptied(body: Uint8Array, inTables = false): Buffer {
  const kept = [...children(body)].flatMap((one) => {
    if (inTables && tables.has(one.type)) return []
    return [box(one.type, containers.has(one.type) ? emptied(one.body, one.type === 'stbl') : one.body)]
  })
  const empty = inTables ? Object.entries(emptyTables).map(([type, table]) => box(type, table)) : []
  return Buffer.concat([...kept, ...empty])
}

function numberOf(trak: Uint8Array): number | undefined {
  const tkhd = inside(trak, 'tkhd')
  return tkhd && tkhd.length >= 24 ? viewOf(tkhd).getUint32(tkhd[0] === 1 ? 20 : 12) : undefined
}

/** Bytes of a sample when its fragment does not say them (`trex`). */
function sizeOf({ init }: SplitTrack): number {
  const trex = inside(init, 'moov', 'mvex', 'trex')
  return trex && trex.length >= 20 ? viewOf(trex).getUint32(16) : 0
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
