import { isManifest } from '../base/mime.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import type { Handler, HttpRequest, HttpResponse } from '../http/message.ts'
import { serveGrowing } from './growing.ts'
import { changing, uploadHandler, type UploadSettings } from './upload.ts'

export interface WritableSettings extends UploadSettings {
  /** Answers GET and HEAD; absent for a server that only takes. */
  readonly read?: Handler | undefined
  /** What is read is what is written, so that readers may follow uploads. */
  readonly follow: boolean
  /** Parts of files may be asked for. */
  readonly ranges: boolean
  /** The Cache-Control that an answer will get; undefined = none. */
  readonly caching: (request: HttpRequest) => string | undefined
}

/** A tree that takes uploads, and shows them while they come in. */
export function writable(settings: WritableSettings): Handler {
  const { read, follow, tree } = settings
  const upload = uploadHandler(settings)
  const methods = `${read ? 'GET, HEAD, ' : ''}OPTIONS, PUT, POST, PATCH, DELETE`

  return function answerWritable(ctx, request) {
    if (changing.includes(request.method)) return upload(ctx, request)
    if (request.method === 'OPTIONS') return { status: 204, headers: ['allow', methods] }
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (!read || !reads) return textResponse(405, 'Method Not Allowed', ['allow', methods])
    if (!follow || request.directory || !tree.writes.growing(request.path)) return read(ctx, request)
    return growing(ctx, request, read)
  }

  async function growing(ctx: Context, request: HttpRequest, complete: Handler): Promise<HttpResponse> {
    if (isManifest(request.path) && (await tree.remote.stat(ctx, request.path))) return await complete(ctx, request)
    const handle = tree.writes.growing(request.path)
    const response =
      handle &&
      (await serveGrowing(ctx, request, handle, { caching: settings.caching(request), ranges: settings.ranges }))
    // An upload that came to nothing before anybody had a byte of it: what was there before stays.
    return response ?? (await complete(ctx, request))
  }
}
