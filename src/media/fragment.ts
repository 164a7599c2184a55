import { children, inside } from './boxes.ts'

/** Set in the flags of a sample that depends on another one (`sample_is_non_sync_sample`). */
export const NOT_SYNC = 0x0001_0000

/** What a track says about its samples before there are any (`moov`). */
export interface TrackInfo {
  /** `video`, `audio` or another handler. */
  readonly kind: string
  readonly timescale: number
  /** Of a sample, in units of the timescale (`trex`); 0 = not said. */
  readonly defaultDuration: number
  readonly defaultFlags: number
}

/** The samples of one fragment (`moof`), as far as their fragment tells. */
export interface Fragment {
  /** Decode time of the first sample, in units of the timescale. */
  readonly time: number
  /** Length of all samples that say theirs; how many leave it to the track. */
  readonly ticks: number
  readonly bare: number
  /** Flags of the first sample; undefined = those of the track. */
  readonly flags: number | undefined
}

/** Reads the first video track of a `moov` body, or the first track. Undefined when there is none. */
export function readInit(moov: Uint8Array): TrackInfo | undefined {
  const tracks = [...children(moov)].filter(({ type }) => type === 'trak').flatMap(({ body }) => trackOf(body) ?? [])
  const track = tracks.find(({ kind }) => kind === 'video') ?? tracks[0]
  if (!track) return undefined
  const trexes = [...children(inside(moov, 'mvex') ?? new Uint8Array())].filter(({ type }) => type === 'trex')
  const trex = trexes.map(({ body }) => viewOf(body)).find((view) => uint32(view, 4) === track.id)
  const { kind, timescale } = track
  return {
    kind,
    timescale,
    defaultDuration: trex ? uint32(trex, 12) : 0,
    defaultFlags: trex ? uint32(trex, 20) : 0,
  }
}

function trackOf(trak: Uint8Array): { id: number; kind: string; timescale: number } | undefined {
  const [tkhd, mdhd, hdlr] = [inside(trak, 'tkhd'), inside(trak, 'mdia', 'mdhd'), inside(trak, 'mdia', 'hdlr')]
  if (!tkhd || !mdhd || !hdlr) return undefined
  const id = uint32(viewOf(tkhd), tkhd[0] === 1 ? 20 : 12)
  const timescale = uint32(viewOf(mdhd), mdhd[0] === 1 ? 20 : 12)
  const handler = String.fromCharCode(...hdlr.subarray(8, 12))
  const kind = { vide: 'video', soun: 'audio' }[handler] ?? handler
  return timescale > 0 ? { id, kind, timescale } : undefined
}

/** Reads a `moof` body: its first track, which is the only one of CMAF (ISO 23000-19). Undefined when it is none. */
export function readFragment(moof: Uint8Array): Fragment | undefined {
  const traf = inside(moof, 'traf')
  const tfhd = traf && inside(traf, 'tfhd')
  const tfdt = traf && inside(traf, 'tfdt')
  if (!traf || !tfhd || !tfdt) return undefined
  const view = viewOf(tfdt)
  const time = tfdt[0] === 1 && tfdt.length >= 12 ? Number(view.getBigUint64(4)) : uint32(view, 4)
  const defaults = headOf(tfhd)
  let [ticks, bare] = [0, 0]
  for (const { type, body } of children(traf)) {
    if (type !== 'trun') continue
    const run = runOf(body, defaults.duration)
    ticks += run.ticks
    bare += run.bare
  }
  return { time, ticks, bare, flags: firstFlags(traf) }
}

/** Flags of the first sample of a `traf` body; undefined = those of the track, or it has no samples. */
export function firstFlags(traf: Uint8Array): number | undefined {
  const [tfhd, trun] = [inside(traf, 'tfhd'), inside(traf, 'trun')]
  const defaults = tfhd && headOf(tfhd).flags
  if (!trun) return undefined
  const view = viewOf(trun)
  const has = uint32(view, 0) & 0xffffff
  const at = 8 + (has & 0x1 ? 4 : 0)
  if (has & 0x4) return uint32(view, at)
  return has & 0x400 ? uint32(view, at + (has & 0x100 ? 4 : 0) + (has & 0x200 ? 4 : 0)) : defaults
}

/** The defaults of a `tfhd`; undefined = those of the track. */
function headOf(tfhd: Uint8Array): { readonly duration: number | undefined; readonly flags: number | undefined } {
  const view = viewOf(tfhd)
  const has = uint32(view, 0) & 0xffffff
  let at = 8 + (has & 0x1 ? 8 : 0) + (has & 0x2 ? 4 : 0)
  const take = (bit: number) => (has & bit ? uint32(view, (at += 4) - 4) : undefined)
  const duration = take(0x8)
  take(0x10)
  return { duration, flags: take(0x20) }
}

function runOf(trun: Uint8Array, duration: number | undefined): Pick<Fragment, 'ticks' | 'bare'> {
  const view = viewOf(trun)
  const has = uint32(view, 0) & 0xffffff
  const count = uint32(view, 4)
  let at = 8 + (has & 0x1 ? 4 : 0) + (has & 0x4 ? 4 : 0)
  const size = [0x100, 0x200, 0x400, 0x800].filter((bit) => has & bit).length * 4
  let ticks = 0
  if (has & 0x100) for (let i = 0; i < count && at < trun.length; i++, at += size) ticks += uint32(view, at)
  else if (duration !== undefined) ticks = duration * count
  else return { ticks: 0, bare: count }
  return { ticks, bare: 0 }
}

/** Length of a fragment in seconds. */
export function fragmentSeconds({ ticks, bare }: Fragment, { timescale, defaultDuration }: TrackInfo): number {
  return (ticks + bare * defaultDuration) / timescale
}

/** Whether a player can begin with a fragment: its first sample depends on no other (`sample_is_non_sync_sample` is not set). */
export function isIndependent({ flags }: Fragment, track: TrackInfo): boolean {
  return ((flags ?? track.defaultFlags) & NOT_SYNC) === 0
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** A number at a place; 0 when the box ends before. */
function uint32(view: DataView, at: number): number {
  return at + 4 <= view.byteLength ? view.getUint32(at) : 0
}
