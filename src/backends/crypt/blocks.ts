import { randomBytes } from 'node:crypto'
import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Range } from '../../base/range.ts'
import { TAG } from './box.ts'
import type { Crew } from './crew.ts'
import { BLOCK, DATA, inRuns, NONCE } from './run.ts'

const MAGIC = Buffer.from('RCLONE\0\0')
/** Bytes before the first block. */
export const HEADER = MAGIC.length + NONCE

/** Opens what `--crypt-pass-bad-blocks` may let through. */
export interface Opening {
  readonly crew: Crew
  /** Blocks that do not open become zeros, and this is told. Absent = they are an error. */
  readonly bad?: ((block: number) => void) | undefined
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
  crew: Crew,
  nonce: Uint8Array = randomBytes(NONCE),
): AsyncGenerator<Uint8Array> {
  yield Buffer.concat([MAGIC, nonce])
  for await (const { bytes } of crew.work(inRuns(body, { kind: 'seal', nonce, first: 0 }))) yield bytes
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
  { crew, bad: tell }: Opening,
  nonce: Uint8Array,
  { start, end }: Range,
): AsyncGenerator<Uint8Array> {
  const first = Math.floor(start / DATA)
  let at = first * DATA
  for await (const { bytes, bad } of crew.work(inRuns(body, { kind: 'open', nonce, first }))) {
    const good = bad[0] === undefined || tell ? bytes.length : bad[0] * DATA - at
    const text = bytes.subarray(Math.max(0, start - at), Math.min(good, end - at))
    if (text.length > 0) yield text
    if (good < bytes.length) throw new AppError('invalid', 'failed to authenticate decrypted block - bad password?')
    for (const block of bad) tell?.(block)
    at += bytes.length
  }
}
