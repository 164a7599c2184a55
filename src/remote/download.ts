import type { Body } from '../base/body.ts'
import { derive } from '../base/derive.ts'
import { AppError } from '../base/error.ts'
import { nameOf } from '../base/path.ts'
import type { Range } from '../base/range.ts'
import { fromMs, type Nanoseconds } from '../base/time.ts'
import type { ClientResponse, Headers } from '../net/client.ts'
import { leave } from '../net/response-body.ts'
import { statusError } from '../net/status.ts'
import type { FileEntry } from './remote.ts'

/**
 * The bytes of a file that a web server holds: `get` asks for it with the headers that it is given. Size, version (the text of
 * an ETag) and time of the entry are compared with the answer as far as both have them. Throws `not-found` for another version,
 * `io` when the server sends another range or too little.
 */
export async function download(
  file: FileEntry,
  range: Range | undefined,
  get: (headers: Headers) => Promise<ClientResponse>,
): Promise<Body> {
  const { start, end: asked } = range ?? { start: 0, end: Infinity }
  const end = file.size < 0 ? asked : Math.min(asked, file.size)
  const partial = start > 0 || end !== (file.size < 0 ? Infinity : file.size)
  if (start >= end && partial) return none()
  const response = await get(partial ? { range: `bytes=${start}-${end === Infinity ? '' : end - 1}` } : {})
  if (response.status === 416 && file.size < 0) {
    await leave(response.body)
    return none()
  }
  const problem = problemOf(file, start, response)
  if (problem) {
    await leave(response.body)
    throw problem
  }
  const skip = response.status === 206 ? 0 : start
  return derive(response.body, (body) => part(body, skip, end - start))
}

/** The bytes that a header tells; -1 when it does not. */
export function lengthOf(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : -1
}

/** The time that a header tells. */
export function timeOf(text: string | undefined): Nanoseconds | undefined {
  const ms = text === undefined ? NaN : Date.parse(text)
  return Number.isNaN(ms) ? undefined : fromMs(ms)
}

/** The text of a strong ETag; a weak one does not promise the same bytes (RFC 9110 section 8.8.1). */
export function strongTag(etag: string | undefined): string | undefined {
  return /^"([^"]*)"$/.exec(etag ?? '')?.[1]
}

/** The text of an ETag, weak or not: another text is another version, the same one may be the same. */
export function opaqueTag(etag: string | undefined): string | undefined {
  return /^(?:W\/)?"([^"]*)"$/.exec(etag ?? '')?.[1]
}

function problemOf(file: FileEntry, start: number, response: ClientResponse): AppError | undefined {
  const { status, headers } = response
  if (status === 412) return gone(file)
  if (status >= 300) return statusError(status, file.path, headers['retry-after'])
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
  if (status === 206 && Number(from) !== start) return new AppError('io', `${file.path}: the server sent another range`)
  const size = status === 206 ? lengthOf(total) : lengthOf(headers['content-length'])
  const tag = opaqueTag(headers.etag)
  const time = timeOf(headers['last-modified'])
  const same =
    (file.size < 0 || size < 0 || size === file.size) &&
    (file.version === undefined || tag === undefined || tag === file.version) &&
    (file.modTime === 0n || time === undefined || time === file.modTime)
  return same ? undefined : gone(file)
}

function gone(file: FileEntry): AppError {
  return new AppError('not-found', `${nameOf(file.path)} has changed since it was looked up`, { retry: 'now' })
}

/** `length` bytes of a body behind the first `skip`. Throws when fewer come than were promised; Infinity promises none. */
export async function* part(
  body: Body,
  skip: number,
  length: number,
  promised = length !== Infinity,
): AsyncGenerator<Uint8Array, void> {
  let left = length
  for await (const chunk of body) {
    // Looked at here and not after the last byte: reading up to the end of the answer keeps its connection.
    if (left <= 0) break
    const piece = chunk.subarray(skip, skip + left)
    skip = Math.max(0, skip - chunk.length)
    left -= piece.length
    if (piece.length > 0) yield piece
  }
  if (left > 0 && promised) throw new AppError('io', 'the answer ended early', { retry: 'now' })
}

async function* none(): AsyncGenerator<Uint8Array> {}
