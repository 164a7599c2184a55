import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Connection } from './connection.ts'
import type { Site } from './exchange.ts'
import type { KeptAnswer } from './kept.ts'

/** After so many answers that may be given again, a connection is taken for one that asks for the same thing again and again. */
const WARM = 2
/** Requests longer than this (bytes) are left to Node. */
const LONGEST = 2048
/** Requests that are answered so before Node gets its turn again: it ends connections that have had too many. */
const MOST = 100_000

const GET = Buffer.from('GET ')
const HEAD_END = Buffer.from('\r\n\r\n')

type Feed = (this: Socket, chunk: Buffer) => void

/**
 * Answers a request that is byte for byte the one before it on its connection, ahead of Node's parser, which costs more than
 * all the rest of such an answer. What the answer was made of says whether it is still right.
 *
 * Node's parser listens to the data of the socket; from the moment that it pays, it is given them from here. It is known to be
 * between two requests after it has made one request of a whole chunk and that one was answered at once; anything else
 * that comes leaves the connection to Node for good.
 */
export class Repeats {
  readonly #connection: Connection
  readonly #site: Site
  readonly #exceeded: (connection: Connection) => boolean
  #seen = 0
  #left = MOST
  /** What the parser is given at this moment. */
  #fed: Buffer | undefined
  #request: Buffer | undefined
  #answer: KeptAnswer | undefined
  #stop: (() => void) | undefined

  constructor(connection: Connection, site: Site, exceeded: (connection: Connection) => boolean) {
    this.#connection = connection
    this.#site = site
    this.#exceeded = exceeded
  }

  /** A request was answered in full, in a way that may be right again. */
  answered(req: IncomingMessage, answer: KeptAnswer): void {
    if (this.#fed === undefined) {
      if (++this.#seen === WARM) this.#watch(req.socket)
    } else if (isHeadOf(this.#fed, req)) {
      this.#request = this.#fed
      this.#answer = answer
    }
  }

  /** Leaves the connection to Node, or to whoever takes it from there. */
  stop(): void {
    this.#stop?.()
  }

  #watch(socket: Socket): void {
    const feeds = socket.listeners('data') as Feed[]
    const take = (chunk: Buffer) => {
      if (this.#isRepeated(socket, chunk)) return
      this.#answer = undefined
      if (this.#left === 0 || !isHead(chunk)) this.stop()
      this.#fed = chunk
      for (const feed of feeds) feed.call(socket, chunk)
      this.#fed = undefined
    }
    this.#stop = () => {
      this.#stop = undefined
      this.#answer = undefined
      for (const feed of feeds) socket.on('data', feed)
      socket.off('data', take)
    }
    // Whoever listens to the data of its own accord has Node hand all of them to the listeners.
    socket.on('data', take)
    for (const feed of feeds) socket.off('data', feed)
  }

  /** Answers what was answered before; false when that is another request or the answer may be another one by now. */
  #isRepeated(socket: Socket, chunk: Buffer): boolean {
    const answer = this.#answer
    if (answer === undefined || this.#left === 0 || !this.#request?.equals(chunk)) return false
    const connection = this.#connection
    if (connection.active > 0 || connection.closing || socket.writableLength > 0 || !socket.writable) return false
    if (this.#site.draining || this.#exceeded(connection)) return false
    const text = this.#site.kept.textOf(answer)
    if (text === undefined || !answer.again()) return false
    this.#left--
    connection.served()
    socket.write(text, 'latin1')
    return true
  }
}

/** True for what looks like the head of one GET and nothing else. */
function isHead(chunk: Buffer): boolean {
  if (chunk.length > LONGEST || chunk.indexOf(HEAD_END) !== chunk.length - HEAD_END.length) return false
  return chunk.subarray(0, GET.length).equals(GET)
}

/** True when the chunk is the head of this request and nothing else: the parser had nothing before it and has nothing left. */
function isHeadOf(chunk: Buffer, { method, url, rawHeaders }: IncomingMessage): boolean {
  if (!isHead(chunk)) return false
  const [first, ...rest] = chunk.toString('latin1').split('\r\n')
  // Two empty ones end the list.
  return first === `${method} ${url} HTTP/1.1` && rest.length === rawHeaders.length / 2 + 2
}
