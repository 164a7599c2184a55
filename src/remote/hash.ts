import { createHash, type Hash } from 'node:crypto'
import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'

/** The checksums that Sluice computes by itself, in rclone's order: the first that two sides share is the one compared. */
export const hashKinds: readonly string[] = Object.freeze(['md5', 'sha1', 'crc32', 'sha256', 'sha512'])

/** Eats bytes and gives their checksum in lower-case hex. */
export interface Hasher {
  update(chunk: Uint8Array): void
  digest(): string
}

/** A hasher of one kind. Throws `unsupported` for a kind that is not in `hashKinds`. */
export function hasher(kind: string): Hasher {
  if (kind === 'crc32') return crcHasher()
  if (!hashKinds.includes(kind)) throw new AppError('unsupported', `unknown hash type "${kind}"`)
  const hash: Hash = createHash(kind)
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest('hex') }
}

function crcHasher(): Hasher {
  // Loaded on first use: few ask for it, and it takes a while.
  const { crc32 } = process.getBuiltinModule('node:zlib')
  let value = 0
  return {
    update: (chunk) => void (value = crc32(chunk, value)),
    digest: () => value.toString(16).padStart(8, '0'),
  }
}

/** The checksum of all bytes of a body. */
export async function hashBody(body: Body, kind: string): Promise<string> {
  const hash = hasher(kind)
  for await (const chunk of body) hash.update(chunk)
  return hash.digest()
}

/** The first kind of which a value is known and that can be computed here, with its value. */
export function comparableHash(hashes: Readonly<Record<string, string>> | undefined): [string, string] | undefined {
  if (!hashes) return undefined
  for (const kind of hashKinds) {
    const value = hashes[kind]
    if (value) return [kind, value.toLowerCase()]
  }
  return undefined
}
