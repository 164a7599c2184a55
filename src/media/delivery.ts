import { AppError } from '../base/error.ts'
import { fromMs, toHttpDate } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import { evaluate } from '../http/conditional.ts'
import type { HeaderList, HttpRequest, HttpResponse } from '../http/message.ts'
import { directivesOf } from './directives.ts'
import type { LivePlaylist } from './playlists.ts'

/**
 * Answers GET and HEAD of a playlist that grows, held until it has the segment or part that the request names (RFC 8216bis
 * section 6.2.5; live.md 3.4). Throws as `LivePlaylist.reach`, and `invalid` for directives that cannot be read.
 */
export async function deliver(ctx: Context, request: HttpRequest, live: LivePlaylist): Promise<HttpResponse> {
  const directives = live.playlist.ended ? undefined : directivesOf(request.query)
  if (directives === 'bad')
    throw new AppError('invalid', '_HLS_msn and _HLS_part are numbers, and _HLS_part needs _HLS_msn')
  if (directives) await live.reach(directives, ctx.signal)
  const { bytes, etag } = live.text(directives?.skip)
  const modTime = fromMs(live.modified)
  const validators: HeaderList = ['etag', etag, 'last-modified', toHttpDate(modTime)]
  const verdict = evaluate(request, { etag, modTime })
  if (verdict === 'failed') return { status: 412, headers: [] }
  if (verdict === 'not-modified') return { status: 304, headers: validators }
  return { status: 200, headers: ['content-type', 'application/vnd.apple.mpegurl', ...validators], body: bytes }
}
