import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** What of Node's parser is used here. It has been so for as long as Node has had streams, but is not documented. */
interface Parser {
  onIncoming?: ((req: IncomingMessage, keepAlive: boolean) => number) | null
}

/** Gets a request without a length, the connection, and the bytes of the body that came together with the head. */
export type Taker = (req: IncomingMessage, socket: Socket, first: Buffer) => void

/**
 * Takes connections away from Node's HTTP/1 parser at the head of a request whose body ends with the connection. To HTTP it
 * has no body, so that the parser would read what follows as the next request; but radio publishers send theirs so
 * (live.md, facts 5 to 6b). `wanted` is asked for every head, also for a later one of a connection.
 *
 * The parser gives a connection away where a protocol is changed; a wanted head is passed on to Node as one that does that.
 * A Node that lacks the place to do so treats such requests like all others.
 */
export class Takeover {
  readonly #wanted: (req: IncomingMessage) => boolean
  readonly #taken = new WeakSet<IncomingMessage>()

  constructor(wanted: (req: IncomingMessage) => boolean) {
    this.#wanted = wanted
  }

  /** For `shouldUpgradeCallback` of the server: nothing else changes the protocol of a connection here. */
  readonly takes = (req: IncomingMessage): boolean => this.#taken.has(req)

  watch(server: Server, take: Taker): void {
    server.on('connection', (socket: Socket & { parser?: Parser | null }) => {
      const { parser } = socket
      const inner = parser?.onIncoming
      if (!parser || typeof inner !== 'function') return
      parser.onIncoming = (req, keepAlive) => {
        if (this.#wanted(req)) {
          this.#taken.add(req)
          ;(req as { upgrade?: boolean }).upgrade = true
        }
        const result = inner.call(parser, req, keepAlive)
        // Of what the parser was told, 2 means: no body, and what follows is none of its business.
        return this.#taken.has(req) ? 2 : result
      }
    })
    server.on('upgrade', (req, socket, first) => take(req, socket as Socket, first))
  }
}

/** True for a head that says nothing of how long its body is, where there is one: all but GET and its kind. */
export function isLengthless({ method, headers }: IncomingMessage): boolean {
  if (method !== 'PUT' && method !== 'POST' && method !== 'SOURCE') return false
  return headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
}
