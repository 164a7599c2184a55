import type { FileSlice } from '../base/body.ts'
import { LARGE, SMALL, type Buffers } from './buffers.ts'

/** Where the bytes of a response go: an exchange whose head has been sent. */
export interface Sink {
  /** The client has left: nothing more can be written. */
  readonly gone: boolean
  /** Largest chunk that makes sense here, bytes. */
  readonly chunk: number
  /**
   * Resolves with the time it took (ms) once the socket has taken the chunk, so that its memory may be used again. When the
   * client leaves it resolves as well, but the memory is then still in use: look at `gone`.
   */
  write(chunk: Uint8Array): Promise<number>
}

/** A client whose write takes longer than this (ms) is slow: it gets small buffers and nothing is read ahead for it. */
const SLOW_MS = 50
/** A chunk is at most this part of what the client has taken so far: one that stalls at once holds one small buffer. */
const EARNED = 128

/**
 * Writes what follows `first`, which holds the first `count` bytes of the slice: while the socket takes one buffer, the next
 * one is read. Buffers grow with what the client has taken and shrink when it slows down. Gives the count of bytes that the
 * socket took; it is short when the client left. Throws when reading fails. Does not close the slice.
 */
export async function pump(
  sink: Sink,
  slice: FileSlice,
  first: { readonly buffer: Buffer; readonly count: number },
  pool: Buffers,
): Promise<number> {
  let taken = 0
  let ms = 0
  let filled: Filled | undefined = first
  let position = slice.start
  while (filled) {
    const { buffer, count }: Filled = filled
    position += count
    const size = chunkSize(sink, slice, taken)
    const ahead: Promise<Filled | undefined> | undefined =
      ms < SLOW_MS && size > SMALL ? fill(slice, position, pool.take(size), pool) : undefined
    // The write may be under way for long: a failure to read must not go unhandled meanwhile.
    ahead?.catch(() => {})
    ms = await sink.write(count === buffer.length ? buffer : buffer.subarray(0, count))
    if (sink.gone) {
      pool.drop(buffer)
      const unused = await ahead?.catch(() => undefined)
      if (unused) pool.give(unused.buffer)
      return taken
    }
    pool.give(buffer)
    taken += count
    filled = await (ahead ??
      fill(slice, position, pool.take(ms < SLOW_MS ? chunkSize(sink, slice, taken) : SMALL), pool))
  }
  return taken
}

export interface Filled {
  readonly buffer: Buffer
  readonly count: number
}

/** Reads the slice at `position` into `buffer`, which goes back to the pool when that fails or nothing is left to read. */
export async function fill(
  slice: FileSlice,
  position: number,
  buffer: Buffer,
  pool: Buffers,
): Promise<Filled | undefined> {
  const left = slice.end - position
  if (left <= 0) {
    pool.give(buffer)
    return undefined
  }
  try {
    return { buffer, count: await slice.read(left < buffer.length ? buffer.subarray(0, left) : buffer, position) }
  } catch (reason) {
    // The read may still be writing into it.
    pool.drop(buffer)
    throw reason
  }
}

function chunkSize(sink: Sink, slice: FileSlice, taken: number): number {
  const most = Math.min(LARGE, sink.chunk, slice.chunk, taken / EARNED)
  let size = SMALL
  while (size * 2 <= most) size *= 2
  return size
}
