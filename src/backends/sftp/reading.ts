import { orAbort } from '../../base/abort.ts'
import type { Body } from '../../base/body.ts'
import { onDemand } from '../../base/derive.ts'
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

/** An opened file or directory; closed again when the signal aborts before it is there. */
export async function openHandle(signal: AbortSignal, session: Session, opening: Promise<Handle>): Promise<Handle> {
  try {
    return await orAbort(signal, opening)
  } catch (error) {
    opening.then((handle) => session.close(handle)).catch(() => {})
    throw error
  }
}

/** How the bytes of a file are asked for, or sent. */
export interface Pipeline {
  /** Bytes in one request. */
  readonly chunkSize: number
  /** Requests on their way at once. */
  readonly concurrency: number
}

/** What all SFTP servers take at once, and the default of the option. */
const COMMON = 32 * 1024
/** Larger requests gain nothing, and local files are read in pieces that this divides. */
const LARGEST = 128 * 1024
/** Bytes that are asked for at the start of a file: whoever reads only its head should not make the server send more. */
const FIRST = 128 * 1024

/** As much on its way as the options allow: in fewer and larger requests, where the server tells that it takes these. */
export function pipelineOf({ longest }: Session, options: Pipeline): Pipeline {
  const { chunkSize, concurrency } = options
  if (chunkSize !== COMMON || longest === undefined || longest < COMMON) return options
  const larger = Math.min(longest, LARGEST)
  return {
    chunkSize: larger,
    concurrency: Math.min(concurrency, Math.max(2, Math.floor((chunkSize * concurrency) / larger))),
  }
}

/** The bytes of a range of an open file, in order, many requests ahead of the reader. It can be read once. */
export function pipelined(file: OpenFile, range: Range, pipeline: Pipeline): Body {
  return onDemand(() => read(file, range, pipeline), file.release)
}

async function* read(
  { session, handle, signal, release }: OpenFile,
  { start, end }: Range,
  { chunkSize, concurrency }: Pipeline,
): AsyncGenerator<Uint8Array, void> {
  const coming: Promise<Uint8Array>[] = []
  let asked = start
  let ahead = Math.min(Math.ceil(FIRST / chunkSize), concurrency)
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
