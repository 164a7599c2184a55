import { setImmediate as otherWork } from 'node:timers/promises'
import type { FileSlice } from '../base/body.ts'
import { LARGE, SMALL, TINY, type Buffers } from './buffers.ts'

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
  /** Has `send` write to the socket itself; gives what it gives, or undefined when that cannot be now. */
  direct(send: (descriptor: number) => number | undefined): number | undefined
}

/** A client whose write takes longer than this (ms) is slow: it gets small buffers and nothing is read ahead for it. */
const SLOW_MS = 50
/** A chunk is at most this part of what the client has taken so far: one that stalls at once holds one small buffer. */
const EARNED = 128
/** Bytes that the system sends by itself before others get their turn. */
const BURST = 2 * 1024 * 1024

/**
 * Writes what follows `first`, which holds the first `count` bytes of the slice. Where the system can send the file by itself,
 * it does as long as the socket takes all; what is written then is a small buffer, whose wait tells when the socket takes
 * more. Elsewhere, while the socket takes one buffer, the next one is read; buffers grow with what the client has taken and
 * shrink when it slows down. Gives the count of bytes that the socket took; it is short when the client left. Throws when
 * reading fails. Does not close the slice.
 */
export async function pump(
  sink: Sink,
  slice: FileSlice,
  first: { readonly buffer: Buffer; readonly count: number },
  pool: Buffers,
): Promise<number> {
  let taken = 0
  let ms = 0
  let sent: number | undefined
  let filled: Filled | undefined = first
  let position = slice.start
  while (filled) {
    const { buffer, count }: Filled = filled
    position += count
    const size = chunkSize(sink, slice, taken)
    const ahead: Promise<Filled | undefined> | undefined =
      ms < SLOW_MS && size > SMALL && sent === undefined ? fill(slice, position, pool.take(size), pool) : undefined
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
    sent = ahead ? undefined : await burst(sink, slice, position)
    position += sent ?? 0
    taken += sent ?? 0
    // The system that sends nothing to a client that has just taken something may be unable to send this file.
    const next = sent ? TINY : ms < SLOW_MS ? chunkSize(sink, slice, taken) : SMALL
    filled = await (ahead ?? fill(slice, position, pool.take(next), pool))
  }
  return taken
}

/**
 * Has the system send what follows `position`, until the socket takes no more or others must have their turn. Gives the
 * count; undefined when that cannot be.
 */
async function burst(sink: Sink, slice: FileSlice, position: number): Promise<number | undefined> {
  let sent = 0
  while (sent < BURST && position + sent < slice.end) {
    const count = sink.direct((descriptor) => slice.sendTo(descriptor, position + sent))
    if (!count) return sent > 0 ? sent : count
    sent += count
    const slowed = slice.passed(count)
    // What is slowed down is written next: only a write tells the socket that its client is no idle one.
    if (slowed) return await slowed.then(() => sent)
  }
  await otherWork()
  return sent
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
