import { type Body, bodyOf } from '../base/body.ts'
import { derive } from '../base/derive.ts'
import type { Range } from '../base/range.ts'
import type { Context } from '../core/context.ts'
import { comparableHash, hasher } from '../remote/hash.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { readAhead } from './ahead.ts'
import { readChunks, split } from './chunks.ts'
import type { VfsOptions } from './options.ts'

export interface ReadSettings {
  readonly options: Pick<VfsOptions, 'chunkSize' | 'chunkSizeLimit' | 'chunkStreams' | 'noChecksum'>
  /** Bytes to read ahead (`--buffer-size`). */
  readonly bufferSize: number
}

/** The bytes of a file: straight from a local disk or a cache, in pieces and ahead of the reader from anything farther away. */
export async function openFile(
  ctx: Context,
  remote: Remote,
  file: FileEntry,
  range: Range | undefined,
  settings: ReadSettings,
): Promise<Body> {
  const { isLocal, readsAhead } = remote.info.traits
  if (isLocal || readsAhead || file.size < 0) return await remote.open(ctx, file, range)
  const wanted = { start: range?.start ?? 0, end: Math.min(range?.end ?? Infinity, file.size) }
  const { chunkSize, chunkSizeLimit, chunkStreams, noChecksum } = settings.options
  if (wanted.end <= wanted.start) return bodyOf()
  const policy = { size: chunkSize, limit: chunkSizeLimit, streams: chunkStreams }
  const whole = wanted.start === 0 && wanted.end === file.size
  const known = whole && !noChecksum ? comparableHash(file.hashes) : undefined
  // Opened before anything is answered, so that a file that is gone is an error and not a cut transfer.
  const [piece = wanted] = split(wanted, policy)
  return derive(await remote.open(ctx, file, piece), (first) => {
    const open = async (next: Range) => (next.start === wanted.start ? first : await remote.open(ctx, file, next))
    const chunks = readChunks(open, wanted, policy)
    const body = known ? verified(ctx, file, chunks, known) : chunks
    return settings.bufferSize > 0 ? readAhead(body, settings.bufferSize) : body
  })
}

/** Compares the checksum once all bytes have passed. They are sent by then, so a difference is an error in the log. */
async function* verified(
  ctx: Context,
  file: FileEntry,
  body: Body,
  [kind, value]: readonly [kind: string, value: string],
): AsyncGenerator<Uint8Array, void> {
  const hash = hasher(kind)
  for await (const chunk of body) {
    hash.update(chunk)
    yield chunk
  }
  const actual = hash.digest()
  if (actual !== value)
    ctx.log.error(`corrupted on transfer: ${kind} hashes differ: ${actual} was read, ${value} is stored`, {
      object: file.path,
    })
}
