import type { Body } from '../base/body.ts'
import type { HttpRequest } from './message.ts'

/** The same request for another place or with other headers, for a handler that knows nothing of the first one. */
export function changedRequest(request: HttpRequest, changes: Changes): HttpRequest {
  const {
    path = request.path,
    directory = request.directory,
    query = request.query,
    base = request.base,
    header = (name) => request.header(name),
    body,
  } = changes
  return {
    method: request.method,
    rawPath: request.rawPath,
    path,
    directory,
    query,
    base,
    header,
    ...(request.rawHeaders ? { rawHeaders: request.rawHeaders } : {}),
    // Asking for the body begins to take it in.
    get body() {
      return body ? body() : request.body
    },
    contentLength: request.contentLength,
    lengthless: request.lengthless,
    peer: request.peer,
    protocol: request.protocol,
    user: request.user,
  }
}

interface Changes extends Partial<Pick<HttpRequest, 'path' | 'directory' | 'query' | 'base' | 'header'>> {
  /** Gives the body when it is asked for. */
  readonly body?: () => Body
}

/** The same request, and how many bytes of its body were read so far. */
export function countedRequest(request: HttpRequest): { readonly request: HttpRequest; readonly bytes: number } {
  let bytes = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of request.body) {
      bytes += chunk.length
      yield chunk
    }
  }
  return {
    request: changedRequest(request, { body: counted }),
    get bytes() {
      return bytes
    },
  }
}
