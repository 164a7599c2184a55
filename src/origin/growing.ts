import { bodyOf } from '../base/body.ts'
import { octetStream, typeByName } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import { onePart } from '../http/range.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { WriteHandle } from '../vfs/write.ts'
import { tracked } from './tracked.ts'

export interface GrowingSettings {
  /** The Cache-Control that the answer will get; undefined = none yet. */
  readonly caching: string | undefined
  /** Parts may be asked for. */
  readonly ranges: boolean
}

/** The last position of a file without end, as RFC 8673 writes it. */
const ENDLESS = Number.MAX_SAFE_INTEGER

/**
 * A file that is being written, from its first byte on, as it comes (httpout.md 3.2, live.md 3.5). A range is waited for until
 * its first byte is there. One that ends nowhere gives what is there now (from byte 0 the file), or goes on with the file for
 * those who say that they understand it: `bytes=N-9007199254740991` (RFC 8673), `X-Allow-Open-Partial-Range`, GPAC. Unless `caching` says otherwise, no cache keeps it.
 * Undefined when the upload fails before there is anything to send.
 */
export async function serveGrowing(
  ctx: Context,
  request: HttpRequest,
  handle: WriteHandle,
  settings: GrowingSettings,
): Promise<HttpResponse | undefined> {
  const { path, spool } = handle
  const asked = request.method === 'GET' && settings.ranges ? onePart(request.header('range')) : undefined
  const part = asked && (await partOf(ctx, request, spool, asked))
  if (part === 'outside')
    return textResponse(416, undefined, spool.size === undefined ? [] : ['content-range', `bytes */${spool.size}`])
  const head = growingHead(handle, part, settings)
  // A body without a length: what is to come has no size yet.
  if (request.method === 'HEAD') return head.length === undefined ? { ...head, body: bodyOf() } : head
  const { start, end } = part ?? whole
  await reached(spool, start, ctx.signal)
  if (spool.state === 'failed' && spool.end <= start) return undefined
  const body = spool.follow({ start, end }, { signal: ctx.signal })
  return tracked(ctx, { ...head, asIs: true }, body, ctx.stats.transfer(path, head.length ?? -1))
}

/** The answer but for its body; `length` is undefined while nobody knows it. */
function growingHead(
  { path, contentType, spool: { size } }: WriteHandle,
  part: GrowingPart | undefined,
  { caching, ranges }: GrowingSettings,
) {
  const type = contentType ?? typeByName(nameOf(path)) ?? octetStream
  const headers = ['content-type', type, 'accept-ranges', ranges ? 'bytes' : 'none']
  if (caching === undefined) headers.push('cache-control', 'no-cache')
  const { start, end, shown } = part ?? whole
  const last = Math.min(end, size ?? Infinity)
  if (part) headers.push('content-range', `bytes ${start}-${shown ?? last - 1}/${size ?? '*'}`)
  return { status: part ? 206 : 200, headers, length: Number.isFinite(last) ? last - start : undefined }
}

interface GrowingPart {
  readonly start: number
  readonly end: number
  /** What Content-Range says of the last byte, when it is not `end`. */
  readonly shown?: string
}

const whole: GrowingPart = { start: 0, end: Infinity }

/** The part that is meant, once its first byte is there; undefined = the whole file; `outside` = there is none. */
async function partOf(
  ctx: Context,
  request: HttpRequest,
  spool: WriteHandle['spool'],
  { first, last }: { readonly first?: number; readonly last?: number },
): Promise<GrowingPart | undefined | 'outside'> {
  if (first !== undefined && last !== undefined && last < first) return undefined
  if (first === undefined) return lastBytes(spool.size, last ?? 0)
  await reached(spool, first, ctx.signal)
  if (spool.state !== 'failed' && spool.end <= first && first >= (spool.size ?? 0)) return 'outside'
  if (last !== undefined && last < ENDLESS) return { start: first, end: last + 1 }
  return openPart(request, spool, first, last)
}

/** Waits until the byte at `at` is there, or will never be. */
async function reached(spool: WriteHandle['spool'], at: number, signal: AbortSignal): Promise<void> {
  while (spool.end <= at && spool.state === 'growing' && at < (spool.size ?? Infinity)) await spool.changed(signal)
}

/** A part that goes on to the end of the file, or to that of what is there. */
function openPart(
  request: HttpRequest,
  { size, end }: WriteHandle['spool'],
  start: number,
  last: number | undefined,
): GrowingPart | undefined {
  if (size !== undefined) return { start, end: size }
  if (last !== undefined) return { start, end: Infinity, shown: String(ENDLESS) }
  if (understandsOpenEnds(request)) return { start, end: Infinity, shown: '' }
  // Browsers and ffmpeg ask for everything so; what is there now would be taken for all of it.
  return start === 0 ? undefined : { start, end }
}

/** `bytes=-N` means nothing before the size is known. */
function lastBytes(size: number | undefined, count: number): GrowingPart | 'outside' {
  return size === undefined || count === 0 || size === 0 ? 'outside' : { start: Math.max(0, size - count), end: size }
}

function understandsOpenEnds(request: HttpRequest): boolean {
  return (
    /^(?:1|true|yes)$/i.test(request.header('x-allow-open-partial-range') ?? '') ||
    (request.header('user-agent') ?? '').startsWith('GPAC/')
  )
}
