import type { CanonicalPath } from '../base/path.ts'
import { changedRequest } from '../http/changed-request.ts'
import { textResponse } from '../http/error.ts'
import { type Handler, headerOf, type HttpRequest, whenDone } from '../http/message.ts'
import { originOptions } from '../origin/options.ts'
import { originHandler } from '../origin/origin.ts'
import { defaultsOf } from '../schema/option.ts'
import type { Vfs } from '../vfs/vfs.ts'
import type { Page } from './handler.ts'

/**
 * The files of a web interface (`--rc-files`): index.html for a directory that has one, else a listing. An interface that makes
 * up its own addresses gets its index.html for them when a person goes there.
 */
export function filesPage(tree: Vfs): Page {
  const options = { ...defaultsOf(originOptions), index: 'index.html', disableZip: true, favicon: false }
  const handler: Handler = originHandler({
    tree: () => tree,
    options,
    listing: { zip: false, modTimes: true },
    seekable: true,
    locked: false,
    async missing(ctx, request) {
      const index = isVisit(request) ? await tree.lookup(ctx, 'index.html' as CanonicalPath) : undefined
      return index?.kind === 'file'
        ? await handler(ctx, changedRequest(request, { path: index.entry.path as CanonicalPath, directory: false }))
        : textResponse(404, '404 page not found')
    },
  })
  return (ctx, request) =>
    whenDone(handler(ctx, request), (response) => {
      const { headers } = response
      // Nobody may put the interface in a frame, to have a person press its buttons unawares.
      if (headerOf(headers, 'content-security-policy') === undefined)
        headers.push('content-security-policy', "frame-ancestors 'none'", 'x-frame-options', 'DENY')
      if (headerOf(headers, 'x-content-type-options') === undefined) headers.push('x-content-type-options', 'nosniff')
      return response
    })
}

/** True when a browser goes to an address, and not when a page asks for a part of itself. */
function isVisit(request: HttpRequest): boolean {
  const mode = request.header('sec-fetch-mode')
  return (mode === undefined || mode === 'navigate') && (request.header('accept')?.includes('text/html') ?? false)
}
