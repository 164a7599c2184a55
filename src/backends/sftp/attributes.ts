import type { Field, PacketReader } from './packet.ts'

/** What a server tells of a file, as far as it does. */
export interface Attributes {
  /** Bytes. */
  readonly size?: number
  /** Type and permission bits of `st_mode`. */
  readonly mode?: number
  /** Seconds since 1970. */
  readonly atime?: number
  readonly mtime?: number
}

// draft-ietf-secsh-filexfer-02 section 5
const SIZE = 1
const OWNER = 2
const PERMISSIONS = 4
const TIMES = 8
const EXTENDED = 0x80000000

const TYPE_MASK = 0o170000
const types: Readonly<Record<number, FileType>> = { 0o040000: 'directory', 0o100000: 'file', 0o120000: 'link' }

export type FileType = 'file' | 'directory' | 'link' | 'other'

/** What kind of file it is; one of which nothing is said counts as a file. */
export function typeOf({ mode }: Attributes): FileType {
  if (mode === undefined || (mode & TYPE_MASK) === 0) return 'file'
  return types[mode & TYPE_MASK] ?? 'other'
}

export function readAttributes(packet: PacketReader): Attributes {
  const flags = packet.uint32()
  const size = flags & SIZE ? Number(packet.uint64()) : undefined
  if (flags & OWNER) {
    packet.uint32()
    packet.uint32()
  }
  const mode = flags & PERMISSIONS ? packet.uint32() : undefined
  const [atime, mtime] = flags & TIMES ? [packet.uint32(), packet.uint32()] : []
  if (flags & EXTENDED)
    for (let left = packet.uint32(); left > 0; left--) {
      packet.bytes()
      packet.bytes()
    }
  return {
    ...(size === undefined ? {} : { size }),
    ...(mode === undefined ? {} : { mode }),
    ...(atime === undefined || mtime === undefined ? {} : { atime, mtime }),
  }
}

/** The fields for what is to be set; of the mode only the permissions go out. */
export function attributeFields({ size, mode, atime, mtime }: Attributes): Field[] {
  const times = atime !== undefined && mtime !== undefined
  const flags = (size === undefined ? 0 : SIZE) | (mode === undefined ? 0 : PERMISSIONS) | (times ? TIMES : 0)
  return [
    flags,
    ...(size === undefined ? [] : [BigInt(size)]),
    ...(mode === undefined ? [] : [mode & 0o7777]),
    ...(times ? [atime, mtime] : []),
  ]
}
