import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { directivesOf } from './directives.ts'
import { sendList } from './list-text.ts'
import type { LivePlaylist } from './playlists.ts'

/** The type of HLS playlists. */
export const playlistType = 'application/vnd.apple.mpegurl'

/**
 * Answers GET and HEAD of a playlist that grows, held until it has the segment or part that the request names (RFC 8216bis
 * section 6.2.5; live.md 3.4). Throws as `LivePlaylist.reach`, and `invalid` for directives that cannot be read.
 */
export async function deliver(ctx: Context, request: HttpRequest, live: LivePlaylist): Promise<HttpResponse> {
  const directives = live.playlist.ended ? undefined : directivesOf(request.query)
  if (directives === 'bad')
    throw new AppError('invalid', '_HLS_msn and _HLS_part are numbers, and _HLS_part needs _HLS_msn')
  if (directives) await live.reach(directives, ctx.signal)
  return sendList(request, live.text(directives?.skip), { type: playlistType, modified: live.modified })
}
