import { bodyOf } from '../base/body.ts'
import { octetStream, typeByName } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import type { Range } from '../base/range.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import { onePart } from '../http/range.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { WriteHandle } from '../vfs/write.ts'
import { tracked } from './tracked.ts'

/** Lists of what there is, which are of use only whole: readers keep the version before until the next one is complete. */
const manifest = /\.(?:mpd|m3u8|m3u|ism|ismc|isml|json|xml)$/i

/** True for a file whose readers are never shown a part of the next version. */
export function isManifest(path: string): boolean {
  return manifest.test(path)
}

/**
 * A file that is being written, from its first byte on, as it comes (httpout.md 3.2). A range that ends is waited for; any
 * other one is as good as none, for nobody knows the size yet.
 */
export function serveGrowing(
  ctx: Context,
  request: HttpRequest,
  { path, contentType, spool }: WriteHandle,
): HttpResponse {
  const headers = [
    'content-type',
    contentType ?? typeByName(nameOf(path)) ?? octetStream,
    'cache-control',
    'no-cache',
    'accept-ranges',
    'bytes',
  ]
  const range = closedRange(request.header('range'))
  const { size } = spool
  if (range && size !== undefined && range.start >= size)
    return textResponse(416, undefined, ['content-range', `bytes */${size}`])
  const wanted = range ?? { start: 0, end: Infinity }
  const end = Math.min(wanted.end, size ?? Infinity)
  const length = Number.isFinite(end) ? end - wanted.start : undefined
  if (range) headers.push('content-range', `bytes ${range.start}-${end - 1}/${size ?? '*'}`)
  const head = { status: range ? 206 : 200, headers, length }
  if (request.method === 'HEAD')
    // A body without a length: what is to come has no size yet.
    return length === undefined ? { ...head, body: bodyOf() } : head
  return tracked(ctx, head, spool.follow(wanted, { signal: ctx.signal }), ctx.stats.transfer(path, length ?? -1))
}

/** `bytes=A-B`, the only form that means something before the size is known. */
function closedRange(header: string | undefined): Range | undefined {
  const { first, last } = onePart(header) ?? {}
  return first === undefined || last === undefined || last < first ? undefined : { start: first, end: last + 1 }
}
