import type { BigIntStats } from 'node:fs'
import { rfc3339Nano } from '../../base/local-time.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Metadata, MetadataInfo, MetadataKey } from '../../remote/metadata.ts'
import { parseTime } from '../../remote/mtime.ts'

const time = (help: string): MetadataKey => ({
  help,
  type: 'RFC 3339',
  example: '2006-01-02T15:04:05.999999999Z07:00',
})

/** The metadata of a disk, by the names that rclone gives it. */
export const localMetadata: MetadataInfo = {
  help: 'Written are the permissions, the times of modification and access, and, where this user may give files away, the owner. Extended attributes are left alone.',
  keys: {
    mode: { help: 'File type and mode', type: 'octal, unix style', example: '0100664' },
    uid: { help: 'User ID of owner', type: 'decimal number', example: '500' },
    gid: { help: 'Group ID of owner', type: 'decimal number', example: '500' },
    rdev: { help: 'Device ID (if special file)', type: 'hexadecimal', example: '1abc', readOnly: true },
    atime: time('Time of last access'),
    mtime: time('Time of last modification'),
    btime: { ...time('Time of file birth (creation)'), readOnly: true },
  },
  directories: true,
}

/** The metadata of what has these stats. A file system that does not know when a file was made leaves `btime` out. */
export function metadataOfStats(stats: BigIntStats): Metadata {
  return {
    atime: rfc3339Nano(stats.atimeNs),
    ...(stats.birthtimeNs > 0n ? { btime: rfc3339Nano(stats.birthtimeNs) } : {}),
    gid: String(stats.gid),
    mode: stats.mode.toString(8),
    mtime: rfc3339Nano(stats.mtimeNs),
    ...(stats.rdev === 0n ? {} : { rdev: stats.rdev.toString(16) }),
    uid: String(stats.uid),
  }
}

/** What of the metadata of a file is written to the disk beside its modification time. */
export interface Attributes {
  /** Permission bits: nothing that comes with a file makes it run as somebody else. */
  readonly mode?: number | undefined
  readonly atime?: Nanoseconds | undefined
  readonly owner?: Owner | undefined
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Reads the metadata of a source. What is not written as it should be counts as absent. */
export function attributesOf(metadata: Metadata = {}): Attributes {
  const mode = numberOf(metadata.mode, 8)
  return {
    mode: mode === undefined ? undefined : mode & 0o777,
    atime: parseTime(metadata.atime),
    owner: ownerOf(numberOf(metadata.uid, 10), numberOf(metadata.gid, 10)),
  }
}

/** A group alone is of no use: it would be that of another machine, with the user of this one. */
function ownerOf(uid: number | undefined, gid = uid): Owner | undefined {
  return uid === undefined || gid === undefined ? undefined : { uid, gid }
}

const digits = { 8: /^[0-7]{1,11}$/, 10: /^\d{1,10}$/ } as const
/** Node takes no larger number, and the last one means "leave it". */
const LARGEST_ID = 2 ** 32 - 2

function numberOf(text: string | undefined, base: keyof typeof digits): number | undefined {
  if (text === undefined || !digits[base].test(text)) return undefined
  const value = Number.parseInt(text, base)
  return value <= LARGEST_ID ? value : undefined
}
