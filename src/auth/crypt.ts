import { createHash } from 'node:crypto'

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Rounds between two turns of the event loop: under a millisecond of work. */
const ROUNDS_PER_TURN = 200
/** More rounds than anybody stores; a file that asks for more is refused rather than let burn time. */
const MOST_ROUNDS = 1_000_000

function digest(algorithm: string, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash(algorithm)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function repeated(bytes: Uint8Array, length: number): Buffer {
  return Buffer.alloc(length, bytes)
}

/** Writes 24 bits, given as indexes into `bytes`, in crypt's own base64: least significant six bits first. */
function group(bytes: Uint8Array, indexes: readonly number[], characters: number): string {
  let value = 0
  for (const index of indexes) value = (value << 8) | (index < 0 ? 0 : (bytes[index] ?? 0))
  let out = ''
  for (let i = 0; i < characters; i++, value >>>= 6) out += alphabet[value & 63]
  return out
}

async function turn(round: number): Promise<void> {
  if (round % ROUNDS_PER_TURN === ROUNDS_PER_TURN - 1) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** `$1$salt$` and Apache's `$apr1$salt$`: MD5-crypt, 1000 rounds. Gives the whole hash text. */
export async function md5Crypt(password: string, salt: string, magic: '$1$' | '$apr1$'): Promise<string> {
  const key = Buffer.from(password)
  const mixed = digest('md5', key, salt, key)
  const parts: (Uint8Array | string)[] = [key, magic, salt, repeated(mixed, key.length)]
  for (let n = key.length; n > 0; n >>= 1) parts.push(n & 1 ? Buffer.of(0) : key.subarray(0, 1))
  let final = digest('md5', ...parts)
  for (let i = 0; i < 1000; i++) {
    const odd = i % 2 === 1
    const salted = [...(i % 3 ? [salt] : []), ...(i % 7 ? [key] : [])]
    final = digest('md5', odd ? key : final, ...salted, odd ? final : key)
    await turn(i)
  }
  const order = [
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 5],
  ]
  return `${magic}${salt}$${order.map((indexes) => group(final, indexes, 4)).join('')}${group(final, [-1, -1, 11], 2)}`
}

/** `$5$` (SHA-256) and `$6$` (SHA-512): sha-crypt, 5000 rounds unless the text says otherwise. Gives the whole hash text. */
export async function shaCrypt(password: string, setting: string): Promise<string | undefined> {
  const parsed = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})/.exec(setting)
  if (!parsed) return undefined
  const [, kind, count, salt = ''] = parsed
  const rounds = Math.max(1000, Number(count ?? 5000))
  if (rounds > MOST_ROUNDS) return undefined
  const final = await shaRounds(kind === '5' ? 'sha256' : 'sha512', Buffer.from(password), Buffer.from(salt), rounds)
  return `$${kind}$${count === undefined ? '' : `rounds=${rounds}$`}${salt}$${kind === '5' ? encode256(final) : encode512(final)}`
}

async function shaRounds(algorithm: string, key: Buffer, salt: Buffer, rounds: number): Promise<Buffer> {
  const mixed = digest(algorithm, key, salt, key)
  const parts: Uint8Array[] = [key, salt, repeated(mixed, key.length)]
  for (let n = key.length; n > 0; n >>= 1) parts.push(n & 1 ? mixed : key)
  let final = digest(algorithm, ...parts)
  const p = repeated(digest(algorithm, ...Array.from({ length: key.length }, () => key)), key.length)
  const s = repeated(digest(algorithm, ...Array.from({ length: 16 + (final[0] ?? 0) }, () => salt)), salt.length)
  for (let i = 0; i < rounds; i++) {
    const odd = i % 2 === 1
    const salted = [...(i % 3 ? [s] : []), ...(i % 7 ? [p] : [])]
    final = digest(algorithm, odd ? p : final, ...salted, odd ? final : p)
    await turn(i)
  }
  return final
}

function encode256(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0, [a, b, c] = [0, 10, 20]; i < 10; i++, [a, b, c] = [c + 1, a + 1, b + 1])
    out += group(bytes, [a, b, c], 4)
  return out + group(bytes, [-1, 31, 30], 3)
}

function encode512(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0, [a, b, c] = [0, 21, 42]; i < 21; i++, [a, b, c] = [b + 1, c + 1, a + 1])
    out += group(bytes, [a, b, c], 4)
  return out + group(bytes, [-1, -1, 63], 2)
}
