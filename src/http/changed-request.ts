import type { Body } from '../base/body.ts'
import type { HttpRequest, Peer, User } from './message.ts'

type Changed = 'method' | 'rawPath' | 'path' | 'directory' | 'query' | 'base' | 'contentLength'

interface Changes extends Partial<Pick<HttpRequest, Changed>> {
  readonly header?: (name: string) => string | undefined
  /** Gives the body when it is asked for. */
  readonly body?: () => Body
}

/** The same request for another place or with other headers, for a handler that knows nothing of the first one. */
export function changedRequest(request: HttpRequest, changes: Changes): HttpRequest {
  return new ChangedRequest(request, changes)
}

/** A class, as each object literal with a getter would cost the memory of a shape (see TransferPass of core/bandwidth.ts). */
class ChangedRequest implements HttpRequest {
  readonly method: string
  readonly rawPath: string
  readonly path: HttpRequest['path']
  readonly directory: boolean
  readonly query: string
  readonly base: string
  readonly contentLength: number | undefined
  readonly lengthless: boolean | undefined
  readonly peer: Peer
  readonly protocol: string
  user: User | undefined
  readonly #request: HttpRequest
  readonly #changes: Changes

  constructor(request: HttpRequest, changes: Changes) {
    this.#request = request
    this.#changes = changes
    this.method = changes.method ?? request.method
    this.rawPath = changes.rawPath ?? request.rawPath
    this.path = changes.path ?? request.path
    this.directory = changes.directory ?? request.directory
    this.query = changes.query ?? request.query
    this.base = changes.base ?? request.base
    // Undefined is a length as well: one that nobody knows.
    this.contentLength = 'contentLength' in changes ? changes.contentLength : request.contentLength
    this.lengthless = request.lengthless
    this.peer = request.peer
    this.protocol = request.protocol
    this.user = request.user
  }

  header(name: string): string | undefined {
    return this.#changes.header ? this.#changes.header(name) : this.#request.header(name)
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders ?? []
  }

  get isBodyPending(): boolean {
    return this.#request.isBodyPending ?? false
  }

  /** Asking for the body begins to take it in. */
  get body(): Body {
    return this.#changes.body ? this.#changes.body() : this.#request.body
  }
}

/** The same request, and how many bytes of its body were read so far. */
export function countedRequest(request: HttpRequest): { readonly request: HttpRequest; readonly bytes: () => number } {
  let bytes = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of request.body) {
      bytes += chunk.length
      yield chunk
    }
  }
  return { request: changedRequest(request, { body: counted }), bytes: () => bytes }
}
