import { orAbort } from '../../base/abort.ts'
import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Range } from '../../base/range.ts'
import type { Handle, Session } from './session.ts'

export interface OpenFile {
  readonly session: Session
  readonly handle: Handle
  readonly signal: AbortSignal
  /** Gives the file and its connection back. */
  readonly release: () => void
}

export interface Pipeline {
  /** Bytes in one request. */
  readonly chunkSize: number
  /** Requests on their way at once. */
  readonly concurrency: number
}

/** Requests on their way at the start of a file: whoever reads only its head should not make the server send it all. */
const FIRST = 4

/** The bytes of a range of an open file, in order, many requests ahead of the reader. It can be read once. */
export function pipelined(file: OpenFile, range: Range, pipeline: Pipeline): Body {
  return {
    [Symbol.asyncIterator]() {
      let running: AsyncGenerator<Uint8Array, void> | undefined
      let left = false
      return {
        next() {
          if (left) return Promise.resolve({ done: true, value: undefined })
          running ??= read(file, range, pipeline)
          return running.next()
        },
        async return() {
          if (!left && !running) file.release()
          left = true
          await running?.return()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

async function* read(
  { session, handle, signal, release }: OpenFile,
  { start, end }: Range,
  { chunkSize, concurrency }: Pipeline,
): AsyncGenerator<Uint8Array, void> {
  const coming: Promise<Uint8Array>[] = []
  let asked = start
  let ahead = Math.min(FIRST, concurrency)
  try {
    for (let at = start; at < end;) {
      for (; asked < end && coming.length < ahead; asked += chunkSize) {
        const piece = exactly(session, handle, asked, Math.min(chunkSize, end - asked))
        piece.catch(() => {})
        coming.push(piece)
      }
      const bytes = await orAbort(signal, coming.shift() as Promise<Uint8Array>)
      at += bytes.length
      ahead = Math.min(ahead + 1, concurrency)
      yield bytes
    }
  } finally {
    release()
  }
}

/** All bytes of a place: servers may give fewer than they were asked for. */
async function exactly(session: Session, handle: Handle, at: number, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for (let count = 0; count < length;) {
    const piece = await session.read(handle, at + count, length - count)
    if (!piece || piece.length === 0)
      throw new AppError('io', `the file ended at byte ${at + count}, more was expected`, { retry: false })
    pieces.push(piece)
    count += piece.length
  }
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
}
