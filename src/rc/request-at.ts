import type { CanonicalPath } from '../base/path.ts'
import type { HttpRequest } from '../http/message.ts'

/** The same request for another place: how a part of the server is served by what knows nothing of the rest. */
export function requestAt(request: HttpRequest, path: CanonicalPath, directory: boolean): HttpRequest {
  return {
    method: request.method,
    rawPath: request.rawPath,
    path,
    directory,
    query: request.query,
    base: request.base,
    header: (name) => request.header(name),
    get body() {
      return request.body
    },
    contentLength: request.contentLength,
    peer: request.peer,
    protocol: request.protocol,
    user: request.user,
  }
}
