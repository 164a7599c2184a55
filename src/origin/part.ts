import { bodyOf, type Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { onePart } from '../http/range.ts'
import type { HttpRequest } from '../http/message.ts'

/** Where the body of an upload goes in its file. */
export interface Part {
  /** First byte. */
  readonly start: number
  /** Byte behind the last one; undefined = as far as the body goes. */
  readonly end: number | undefined
  /** Size of the whole file afterwards, when it was said. */
  readonly total: number | undefined
}

/** True for an upload that is a part of its file. */
export function isPart(request: HttpRequest): boolean {
  return request.header('content-range') !== undefined || request.header('range') !== undefined
}

/**
 * The place that an upload names: by `Content-Range` (RFC 9110 section 14.5), or by `Range` as GPAC sends it. Undefined = the
 * whole file. `size` is that of the file now. Throws `invalid` when it can't be read, and when the body has another length.
 */
export function partOf(request: HttpRequest, size: number): Part | undefined {
  const part = contentRange(request.header('content-range')) ?? range(request.header('range'), size)
  const { contentLength } = request
  if (part?.end !== undefined && contentLength !== undefined && contentLength !== part.end - part.start)
    throw new AppError('invalid', `the body has ${contentLength} bytes, the range ${part.end - part.start}`)
  return part
}

function contentRange(header: string | undefined): Part | undefined {
  if (header === undefined) return undefined
  const [, start, end, total] = /^\s*bytes\s+(\d{1,15})-(\d{1,15})?\/(\d{1,15}|\*)\s*$/i.exec(header) ?? []
  if (start === undefined) throw unreadable('Content-Range', header)
  return checked({
    start: Number(start),
    end: end === undefined ? undefined : Number(end) + 1,
    total: total === '*' || total === undefined ? undefined : Number(total),
  })
}

function range(header: string | undefined, size: number): Part | undefined {
  if (header === undefined) return undefined
  const part = onePart(header)
  if (!part) throw unreadable('Range', header)
  const { first, last } = part
  if (first === undefined) return checked({ start: size - (last ?? 0), end: size, total: undefined })
  return checked({ start: first, end: last === undefined ? undefined : last + 1, total: undefined })
}

function checked(part: Part): Part {
  const { start, end = Infinity, total = Infinity } = part
  if (start < 0 || end <= start || (end !== Infinity && end > total))
    throw new AppError('invalid', 'the range of an upload must have at least one byte, and lie inside the file')
  return part
}

function unreadable(name: string, header: string): AppError {
  return new AppError(
    'invalid',
    `${name} ${JSON.stringify(header)} names no place in a file: use bytes 0-99/200 or bytes=0-99`,
  )
}

/** The whole file with the body of an upload in its place: what was before it, zeros up to it, the body, what was behind it. */
export async function* patched(
  part: Part,
  body: Body,
  old: { readonly size: number; open(start: number, end: number): Body },
): AsyncGenerator<Uint8Array> {
  if (part.start > 0 && old.size > 0) yield* old.open(0, Math.min(part.start, old.size))
  if (part.start > old.size) yield* zeros(part.start - old.size)
  let at = part.start
  for await (const chunk of body) {
    at += chunk.length
    if (at > (part.end ?? Infinity))
      throw new AppError('invalid', `the body has more bytes than its range: ${at - part.start} came`)
    yield chunk
  }
  if (part.end !== undefined && at < part.end)
    throw new AppError(
      'invalid',
      `the body has fewer bytes than its range: ${at - part.start} of ${part.end - part.start} came`,
    )
  if (at < old.size) yield* old.open(at, old.size)
}

const ZEROS = 64 * 1024

async function* zeros(count: number): AsyncGenerator<Uint8Array> {
  for (let left = count; left > 0; left -= ZEROS) yield* bodyOf(new Uint8Array(Math.min(left, ZEROS)))
}
