import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { md5Crypt, shaCrypt } from './crypt.ts'

/** bcrypt looks at no more bytes than these: a longer password would equal its beginning. */
const BCRYPT_BYTES = 72
/** bcrypt of a higher cost would take minutes. */
const BCRYPT_COST = 16

const bcryptHash = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

/** Whether a password is the one behind a hash of an htpasswd file. Unknown kinds, plain text among them, never match. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  if (hash === '' || password.includes('\0')) return false
  const bcrypt = bcryptHash.exec(hash)
  if (bcrypt) return await verifyBcrypt(hash, Number(bcrypt[1]), password)
  const computed = await compute(hash, password)
  return computed !== undefined && sameText(computed, hash)
}

/** True when the text looks like a hash that `verifyPassword` can check. */
export function isKnownHash(hash: string): boolean {
  return bcryptHash.test(hash) || /^(\$(apr1|1|5|6)\$|\{SHA\}|\{SSHA\})/.test(hash)
}

/** How long a check takes, as a number to compare by: the time of unknown users is that of the slowest kind in a file. */
export function costOf(hash: string): number {
  const bcrypt = bcryptHash.exec(hash)
  // One step of bcrypt's cost doubles it; 5000 rounds of sha-crypt take about as long as cost 7.
  if (bcrypt) return Number(bcrypt[1]) > BCRYPT_COST ? 1 : 2 ** Number(bcrypt[1]) * 40
  const sha = /^\$[56]\$(?:rounds=(\d{1,9})\$)?/.exec(hash)
  if (sha) return Number(sha[1] ?? 5000)
  return /^\$(?:apr1|1)\$/.test(hash) ? 1000 : 1
}

/** A hash that nothing matches and that costs as much to check as `like`: unknown users must not answer faster. */
export function decoyOf(like: string | undefined): string | undefined {
  const bcrypt = like && bcryptHash.exec(like)
  if (bcrypt) return `$2y$${bcrypt[1]}$${'.'.repeat(53)}`
  const settings = like && /^(\$(?:apr1|1|5|6)\$(?:rounds=\d+\$)?)/.exec(like)
  return settings ? `${settings[1]}sluice$-` : undefined
}

async function verifyBcrypt(hash: string, cost: number, password: string): Promise<boolean> {
  if (cost > BCRYPT_COST || cost < 4 || Buffer.byteLength(password) > BCRYPT_BYTES) return false
  const { compare } = await import('@node-rs/bcrypt')
  return await compare(password, hash).catch(() => false)
}

async function compute(hash: string, password: string): Promise<string | undefined> {
  const gpac = /^\$gpac\$([0-9a-f]{64})\$/.exec(hash)
  if (gpac) return gpacHash(sha256(password, '@', Buffer.from(gpac[1] ?? '', 'hex')), gpac[1] ?? '')
  const md5 = /^(\$1\$|\$apr1\$)([^$]{0,8})\$/.exec(hash)
  if (md5) return await md5Crypt(password, md5[2] ?? '', md5[1] as '$1$' | '$apr1$')
  if (/^\$[56]\$/.test(hash)) return await shaCrypt(password, hash)
  if (hash.startsWith('{SHA}')) return `{SHA}${sha1(password).toString('base64')}`
  if (!hash.startsWith('{SSHA}')) return undefined
  const salt = Buffer.from(hash.slice(6), 'base64').subarray(20)
  return `{SSHA}${Buffer.concat([sha1(password, salt), salt]).toString('base64')}`
}

/**
 * The password of a user of GPAC as a hash that `verifyPassword` knows: SHA-256 of the password, `@` and 32 bytes of salt, both
 * in hex. Undefined when either is no such text.
 */
export function gpacHash(digest: string, salt: string): string | undefined {
  const [hash, bytes] = [digest.toLowerCase(), salt.toLowerCase()]
  return /^[0-9a-f]{64}$/.test(hash) && /^[0-9a-f]{64}$/.test(bytes) ? `$gpac$${bytes}$${hash}` : undefined
}

function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function sha1(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Compares two texts in a time that does not depend on where they differ, nor on their lengths. */
export function sameText(a: string, b: string): boolean {
  const key = randomBytes(32)
  const mac = (text: string) => createHmac('sha256', key).update(text).digest()
  return timingSafeEqual(mac(a), mac(b))
}
