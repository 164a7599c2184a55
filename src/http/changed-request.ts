import type { HttpRequest } from './message.ts'

/** The same request for another place or with other headers, for a handler that knows nothing of the first one. */
export function changedRequest(
  request: HttpRequest,
  {
    path = request.path,
    directory = request.directory,
    base = request.base,
    header = (name) => request.header(name),
  }: Changes,
): HttpRequest {
  return {
    method: request.method,
    rawPath: request.rawPath,
    path,
    directory,
    query: request.query,
    base,
    header,
    // Asking for the body begins to take it in.
    get body() {
      return request.body
    },
    contentLength: request.contentLength,
    peer: request.peer,
    protocol: request.protocol,
    user: request.user,
  }
}

type Changes = Partial<Pick<HttpRequest, 'path' | 'directory' | 'base' | 'header'>>
