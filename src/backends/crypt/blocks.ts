import { randomBytes } from 'node:crypto'
import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Range } from '../../base/range.ts'

const MAGIC = Buffer.from('RCLONE\0\0')
const NONCE = 24
/** Bytes before the first block. */
export const HEADER = MAGIC.length + NONCE
const TAG = 16
/** Bytes of a block, but for the last one. */
const DATA = 64 * 1024
const BLOCK = TAG + DATA

/** Seals and opens single blocks. */
export interface SecretBox {
  seal(data: Uint8Array, nonce: Uint8Array): Uint8Array
  /** Undefined when the block was not sealed with this key and nonce. */
  open(block: Uint8Array, nonce: Uint8Array): Uint8Array | undefined
}

/** Opens what `--crypt-pass-bad-blocks` may let through. */
export interface Opening {
  readonly box: SecretBox
  /** Blocks that do not open become zeros, and this is told. Absent = they are an error. */
  readonly bad?: ((block: number) => void) | undefined
}

/** XSalsa20-Poly1305 under a key of 32 bytes; the library is loaded on first use. */
export async function secretBox(key: Uint8Array): Promise<SecretBox> {
  const { default: sodium } = await import('libsodium-wrappers')
  await sodium.ready
  return {
    seal: (data, nonce) => sodium.crypto_secretbox_easy(data, nonce, key),
    open(block, nonce) {
      try {
        return sodium.crypto_secretbox_open_easy(block, nonce, key)
      } catch {
        return undefined
      }
    },
  }
}

/** The size of a file of `size` bytes when it is encrypted. */
export function sealedSize(size: number): number {
  return HEADER + size + TAG * Math.ceil(size / DATA)
}

/** The size that a file had before it was encrypted to `size` bytes. Throws `invalid` for a size that none can have. */
export function plainSize(size: number): number {
  if (size < HEADER) throw new AppError('invalid', 'file is too short to be encrypted')
  const whole = Math.floor((size - HEADER) / BLOCK)
  const rest = (size - HEADER) % BLOCK
  if (rest > 0 && rest <= TAG) throw new AppError('invalid', 'file has truncated block header')
  return whole * DATA + Math.max(0, rest - TAG)
}

/** The nonce of an encrypted file, from its first `HEADER` bytes. Throws `invalid` for a file that is not encrypted. */
export function nonceOf(header: Uint8Array): Uint8Array {
  if (header.length < HEADER) throw new AppError('invalid', 'file is too short to be encrypted')
  if (!MAGIC.equals(header.subarray(0, MAGIC.length)))
    throw new AppError('invalid', 'not an encrypted file - bad magic string')
  return Uint8Array.from(header.subarray(MAGIC.length, HEADER))
}

/** Encrypts a body; with the `nonce` of a file as that one was, else with a random one. */
export async function* sealed(
  body: Body,
  box: SecretBox,
  nonce: Uint8Array = randomBytes(NONCE),
): AsyncGenerator<Uint8Array> {
  yield Buffer.concat([MAGIC, nonce])
  let number = 0
  for await (const data of cut(body, DATA)) yield box.seal(data, numbered(nonce, number++))
}

/** Which bytes of an encrypted file hold those of a range of the plain one. */
export function sealedRange({ start, end }: Range): Range {
  const first = Math.floor(start / DATA)
  const past = Number.isFinite(end) ? Math.ceil(end / DATA) : Infinity
  return { start: HEADER + first * BLOCK, end: HEADER + past * BLOCK }
}

/** Decrypts the blocks of `sealedRange(range)` and gives the bytes of the range. Throws `invalid` for one that is damaged. */
export async function* opened(
  body: Body,
  { box, bad }: Opening,
  nonce: Uint8Array,
  { start, end }: Range,
): AsyncGenerator<Uint8Array> {
  let number = Math.floor(start / DATA)
  for await (const block of cut(body, BLOCK)) {
    const at = number * DATA
    const data = box.open(block, numbered(nonce, number)) ?? damaged(block, number, bad)
    number++
    const from = Math.max(0, start - at)
    const to = Math.min(data.length, end - at)
    if (from < to) yield from === 0 && to === data.length ? data : data.subarray(from, to)
  }
}

function damaged(block: Uint8Array, number: number, bad: Opening['bad']): Uint8Array {
  if (block.length <= TAG) throw new AppError('invalid', 'file has truncated block header')
  if (!bad) throw new AppError('invalid', 'failed to authenticate decrypted block - bad password?')
  bad(number)
  return new Uint8Array(block.length - TAG)
}

/** The nonce of a block: that of the file, plus its number, little-endian. */
function numbered(nonce: Uint8Array, number: number): Uint8Array {
  const sum = Uint8Array.from(nonce)
  let carry = number
  for (let i = 0; carry > 0 && i < NONCE; i++) {
    carry += sum[i] ?? 0
    sum[i] = carry % 256
    carry = Math.floor(carry / 256)
  }
  return sum
}

/** The same bytes in pieces of `size`; the last one may be shorter. */
async function* cut(body: Body, size: number): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let length = 0
  for await (let chunk of body) {
    while (length + chunk.length >= size) {
      const taken = size - length
      const piece = length === 0 ? chunk.subarray(0, taken) : Buffer.concat([...waiting, chunk.subarray(0, taken)])
      waiting = []
      length = 0
      chunk = chunk.subarray(taken)
      yield piece
    }
    if (chunk.length === 0) continue
    waiting.push(chunk)
    length += chunk.length
  }
  if (length > 0) yield waiting.length === 1 ? (waiting[0] as Uint8Array) : Buffer.concat(waiting)
}
