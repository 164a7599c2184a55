import { isAscii } from '../../base/ascii.ts'

/** A path for `node:fs`: text, or bytes when it is not valid UTF-8. */
export type OsPath = string | Buffer

/** Stands before two hex digits for a byte that is not UTF-8, as in rclone: the Latin-1 name `gro\xdf` is shown as `gro‛DF`. */
const QUOTE = '‛'
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The name to show for a name on the disk, whose bytes come as Latin-1 text. One name for each byte string, and back. */
export function shownName(raw: string): string {
  if (isAscii(raw)) return raw
  const bytes = Buffer.from(raw, 'latin1')
  try {
    const text = strict.decode(bytes)
    if (!text.includes(QUOTE)) return text
  } catch {
    // not UTF-8: wrong bytes are quoted below
  }
  return quoted(bytes)
}

/** The path on the disk for a shown path; undefined when no name on a disk is shown like that. */
export function diskPath(path: string): OsPath | undefined {
  if (!path.includes(QUOTE)) return path.isWellFormed() ? path : undefined
  const parts: Buffer[] = []
  for (const segment of path.split('/')) {
    const bytes = unquoted(segment)
    // A second spelling of a name would slip past rules that are written for the first.
    if (shownName(bytes.toString('latin1')) !== segment) return undefined
    if (parts.length > 0) parts.push(slash)
    parts.push(bytes)
  }
  const whole = Buffer.concat(parts)
  try {
    return strict.decode(whole)
  } catch {
    return whole
  }
}

/** Joins a directory and a path below it, in text where possible. */
export function joinDisk(dir: OsPath, path: OsPath): OsPath {
  if (path.length === 0) return dir
  if (typeof dir === 'string' && typeof path === 'string') return dir.endsWith('/') ? dir + path : `${dir}/${path}`
  const head = Buffer.from(dir)
  return Buffer.concat([head, head.at(-1) === 0x2f ? Buffer.of() : slash, Buffer.from(path)])
}

/** The path of a name in a directory, whose bytes come as Latin-1 text. */
export function rawPlace(dir: OsPath, raw: string): OsPath {
  return joinDisk(dir, isAscii(raw) ? raw : Buffer.from(raw, 'latin1'))
}

/** The bytes of a path as Latin-1 text: how real paths are compared. */
export function rawText(path: OsPath): string {
  return typeof path === 'string' && isAscii(path) ? path : Buffer.from(path).toString('latin1')
}

const slash = Buffer.from('/')

function quoted(bytes: Buffer): string {
  let out = ''
  for (let at = 0; at < bytes.length;) {
    const length = validLength(bytes, at)
    if (length === 0) {
      out += QUOTE + hex(bytes[at] as number)
      at++
      continue
    }
    const char = bytes.toString('utf8', at, at + length)
    at += length
    // A quote of the name itself is doubled where it could be taken for one of ours.
    out += char === QUOTE && (at < bytes.length ? mistakable(bytes, at) : false) ? QUOTE + QUOTE : char
  }
  return out
}

function mistakable(bytes: Buffer, at: number): boolean {
  const length = validLength(bytes, at)
  if (length === 0) return true
  const next = bytes.toString('utf8', at, at + length + 1)
  return next.startsWith(QUOTE) || /^[0-9A-F]{2}$/.test(next)
}

function unquoted(segment: string): Buffer {
  const parts: Buffer[] = []
  let rest = 0
  for (let at = segment.indexOf(QUOTE); at >= 0; at = segment.indexOf(QUOTE, at)) {
    const code = segment.slice(at + 1, at + 3)
    if (segment[at + 1] === QUOTE) {
      parts.push(Buffer.from(segment.slice(rest, at + 1)))
      at = rest = at + 2
    } else if (/^[89A-F][0-9A-F]$/.test(code)) {
      parts.push(Buffer.from(segment.slice(rest, at)), Buffer.from(code, 'hex'))
      at = rest = at + 3
    } else at++
  }
  parts.push(Buffer.from(segment.slice(rest)))
  return Buffer.concat(parts)
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase()
}

/** The length of the UTF-8 character at `at`, 0 when there is none (RFC 3629: no overlong forms, no surrogates). */
function validLength(bytes: Buffer, at: number): number {
  const first = bytes[at] as number
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length < 2) return length
  try {
    strict.decode(bytes.subarray(at, at + length))
    return at + length <= bytes.length ? length : 0
  } catch {
    return 0
  }
}
