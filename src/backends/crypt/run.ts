import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { filling } from '../../base/filling.ts'
import { type SecretBox, TAG } from './box.ts'

/** Bytes of the text of a block, but for the last one. */
export const DATA = 64 * 1024
/** Bytes of the block. */
export const BLOCK = TAG + DATA
export const NONCE = 24
/** The most blocks of a run: reads and writes of 1 MiB cost little more than those of 64 KiB. */
const MOST = 16

/** Blocks of one file that lie one behind the other, to be sealed or opened where they are. */
export interface Run {
  readonly kind: 'seal' | 'open'
  /** The blocks; only the last one of a file may be shorter. Before texts to be sealed there is room for all their tags. */
  readonly bytes: Uint8Array
  /** The nonce of the file. */
  readonly nonce: Uint8Array
  /** Which block of the file is the first one. */
  readonly first: number
}

/** What became of a run. */
export interface Done {
  readonly bytes: Uint8Array
  /** Which blocks of the file did not open: they are zeros now. */
  readonly bad: readonly number[]
}

/**
 * Seals or opens all blocks of a run, where they are: what is written ends before what is still to be read, as sealed texts
 * grow into the room before them, and opened ones are shorter.
 */
export function work(box: SecretBox, { kind, bytes, nonce, first }: Run): Done {
  return kind === 'seal' ? seal(box, bytes, nonce, first) : open(box, bytes, nonce, first)
}

function seal(box: SecretBox, bytes: Uint8Array, nonce: Uint8Array, first: number): Done {
  let end = 0
  for (let at = roomIn(bytes), number = first; at < bytes.length; at += DATA, number++) {
    const text = bytes.subarray(at, at + DATA)
    const block = bytes.subarray(end, end + TAG + text.length)
    box.seal(text, numbered(nonce, number), block)
    end += block.length
  }
  return { bytes: bytes.subarray(0, end), bad: [] }
}

function open(box: SecretBox, bytes: Uint8Array, nonce: Uint8Array, first: number): Done {
  const bad: number[] = []
  let end = 0
  for (let at = 0, number = first; at < bytes.length; at += BLOCK, number++) {
    const block = bytes.subarray(at, at + BLOCK)
    const text = bytes.subarray(end, end + block.length - TAG)
    if (!box.open(block, numbered(nonce, number), text)) {
      text.fill(0)
      bad.push(number)
    }
    end += text.length
  }
  return { bytes: bytes.subarray(0, end), bad }
}

/** Bytes for the tags of a run of texts, of which it has as many as if they were sealed. */
function roomIn(bytes: Uint8Array): number {
  return TAG * Math.ceil(bytes.length / BLOCK)
}

/**
 * A body cut into runs. The first is one block, so that a short read is cheap and a long one begins soon; each is twice the
 * one before until they are large. Throws `invalid` for blocks that end within a tag.
 */
export async function* inRuns(body: Body, { kind, nonce, first }: Omit<Run, 'bytes'>): AsyncGenerator<Run> {
  const source = filling(body)
  try {
    for (let blocks = 1; ; first += blocks, blocks = Math.min(2 * blocks, MOST)) {
      const bytes = Buffer.allocUnsafeSlow(blocks * BLOCK)
      const room = kind === 'seal' ? roomIn(bytes) : 0
      const end = room + (await source.fill(bytes.subarray(room)))
      if (end < bytes.length) {
        if (end > room) yield { kind, bytes: last(kind, bytes.subarray(room, end)), nonce, first }
        return
      }
      yield { kind, bytes, nonce, first }
    }
  } finally {
    await source.close()
  }
}

/**
 * The bytes of the last run: a copy, so that whoever keeps a short file does not keep the room for a long one. It is no `Buffer`,
 * as small ones share their memory, which no thread may take.
 */
function last(kind: Run['kind'], bytes: Uint8Array): Uint8Array {
  if (kind === 'open') {
    const rest = bytes.length % BLOCK
    if (rest > 0 && rest <= TAG) throw new AppError('invalid', 'file has truncated block header')
    return new Uint8Array(bytes)
  }
  const room = TAG * Math.ceil(bytes.length / DATA)
  const copy = new Uint8Array(room + bytes.length)
  copy.set(bytes, room)
  return copy
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
