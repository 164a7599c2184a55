import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import { formatJsonTime, parseJsonTime } from './go-time.ts'

/** What the cache knows of a file, as it stands beside its data (serve-http.md 2.4). */
export interface Metadata {
  readonly modTime: Nanoseconds
  /** When it was last used. */
  readonly aTime: Nanoseconds
  /** Bytes of the whole file. */
  readonly size: number
  /** What of it is there, in order. */
  readonly present: readonly Range[]
  /** The version at the storage that the data is of; `''` for what was never there. */
  readonly fingerprint: string
  /** It waits to be uploaded. */
  readonly dirty: boolean
  /** What an upload said that it is; rclone has no place for it and ignores it. */
  readonly contentType?: string | undefined
}

/** The metadata as rclone writes it. */
export function formatMetadata({ present, contentType, ...more }: Metadata): string {
  const rs = present.map(({ start, end }) => ({ Pos: start, Size: end - start }))
  const json = {
    ModTime: formatJsonTime(more.modTime),
    ATime: formatJsonTime(more.aTime),
    Size: more.size,
    Rs: rs.length === 0 ? null : rs,
    Fingerprint: more.fingerprint,
    Dirty: more.dirty,
    ...(contentType === undefined ? {} : { ContentType: contentType }),
  }
  return `${JSON.stringify(json, undefined, '\t')}\n`
}

/** Reads what `formatMetadata` or rclone wrote; undefined when it is damaged. */
export function parseMetadata(text: string): Metadata | undefined {
  try {
    const json = JSON.parse(text) as Record<string, unknown>
    const { ModTime, ATime, Size, Rs, Fingerprint, Dirty, ContentType } = json
    const [modTime, aTime] = [timeOf(ModTime), timeOf(ATime)]
    const present = rangesOf(Rs ?? [])
    if (modTime === undefined || aTime === undefined || !present || !isCount(Size)) return undefined
    if (typeof Fingerprint !== 'string' || typeof Dirty !== 'boolean') return undefined
    const contentType = typeof ContentType === 'string' ? ContentType : undefined
    return { modTime, aTime, size: Size, present, fingerprint: Fingerprint, dirty: Dirty, contentType }
  } catch {
    return undefined
  }
}

function timeOf(value: unknown): Nanoseconds | undefined {
  return typeof value === 'string' ? parseJsonTime(value) : undefined
}

function rangesOf(value: unknown): readonly Range[] | undefined {
  if (!Array.isArray(value)) return undefined
  const ranges: Range[] = []
  for (const one of value as readonly { Pos?: unknown; Size?: unknown }[]) {
    if (!isCount(one?.Pos) || !isCount(one.Size)) return undefined
    ranges.push({ start: one.Pos, end: one.Pos + one.Size })
  }
  return ranges
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
