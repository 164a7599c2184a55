import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { formatFingerprintTime } from './go-time.ts'

/** rclone's order: the first kind that a storage has is part of its fingerprints. */
const kinds = ['md5', 'sha1', 'whirlpool', 'crc32', 'sha256', 'sha512'] as const

/** The kind of checksum that is part of the fingerprints of a storage; undefined = none. */
export function fingerprintHash({ info }: Remote): string | undefined {
  return kinds.find((kind) => info.hashes.includes(kind)) ?? info.hashes[0]
}

/** rclone's number for a kind of checksum; 0 = none. */
export function hashNumber(kind: string | undefined): number {
  const bit = (kinds as readonly (string | undefined)[]).indexOf(kind)
  return bit < 0 ? 0 : 1 << bit
}

/**
 * `size,time,checksum` of one version of a file, the same text that rclone makes: a file whose fingerprint differs has
 * changed. `fast` leaves out what the storage cannot tell without an extra request or reading the file.
 */
export async function fingerprintOf(ctx: Context, remote: Remote, file: FileEntry, fast: boolean): Promise<string> {
  const { precision, traits } = remote.info
  const parts = [String(file.size)]
  if (precision !== undefined && !(fast && traits.slowModTime)) parts.push(formatFingerprintTime(file.modTime))
  const kind = fingerprintHash(remote)
  if (kind !== undefined && !(fast && traits.slowHash)) {
    const hash = await hashOf(ctx, remote, file, kind)
    if (hash !== undefined) parts.push(hash)
  }
  return parts.join(',')
}

/**
 * Whether two fingerprints are of one version, as far as both tell: a checksum that one lacks could not be had at the time.
 */
export function isSameVersion(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other},`) || other.startsWith(`${one},`)
}

/**
 * The file at the storage that the missing parts of an item are in: rclone may have left one that was changed in some places
 * only. Throws `io` when the storage has another version by now.
 */
export async function sourceOf(
  ctx: Context,
  remote: Remote,
  { path, fingerprint }: { readonly path: string; readonly fingerprint: string },
  fast: boolean,
): Promise<FileEntry> {
  const file = await remote.stat(ctx, path)
  if (file?.kind === 'file' && (await fingerprintOf(ctx, remote, file, fast)) === fingerprint) return file
  throw new AppError('io', `${path}: parts of it are neither in the cache nor at the storage any more`)
}

/** A checksum that cannot be had is left out, as rclone does. */
async function hashOf(ctx: Context, remote: Remote, file: FileEntry, kind: string): Promise<string | undefined> {
  const known = file.hashes?.[kind]
  if (known !== undefined) return known
  try {
    return (await remote.hash?.(ctx, file, kind)) ?? ''
  } catch {
    return undefined
  }
}
