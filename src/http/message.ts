import { type Body, FileSlice } from '../base/body.ts'
import type { CanonicalPath } from '../base/path.ts'
import type { Context } from '../core/context.ts'

/** Who asks, once authenticated. */
export interface User {
  readonly name: string
  readonly by: 'basic' | 'htpasswd' | 'certificate' | 'header' | 'proxy'
  /** The options of the backend that `--auth-proxy` named for this user. */
  readonly backend?: Readonly<Record<string, string>>
}

/** One request, the same for HTTP/1.1 and HTTP/2. */
export interface HttpRequest {
  readonly method: string
  /** The request target's path as sent: percent-encoded, without the query. */
  readonly rawPath: string
  /** Decoded and canonical, below the base URL. */
  readonly path: CanonicalPath
  /** True when the URL path ended in `/` (or is the root): a directory is asked for. */
  readonly directory: boolean
  /** Raw, without `?`; `''` when there is none. */
  readonly query: string
  /** The URL prefix (`--baseurl`) that was taken off `rawPath`: `''` or `/rclone`. */
  readonly base: string
  /** A header's value by lower-case name; several of one name are joined by `, `. */
  header(name: string): string | undefined
  /** Names and values of all headers in turn, as they were sent. Absent where a request does not come from a socket. */
  readonly rawHeaders?: readonly string[]
  /** The request body; empty for GET. Pull it to let the client go on sending. */
  readonly body: Body
  /**
   * The request body in one piece, for one that is small and wanted whole: cheaper than pulling it. Throws RangeError when it
   * has more than `max` bytes. `enough` tells where in a chunk what is wanted ends; the rest is not waited for. Absent where a request does not come from a socket.
   */
  whole?(max: number, enough?: (chunk: Uint8Array) => number | undefined): Promise<Uint8Array>
  /** True while bytes of the body are still to come from the client. Absent where a request does not come from a socket. */
  readonly isBodyPending?: boolean
  /** Declared size of the body in bytes, undefined when chunked or none. */
  readonly contentLength: number | undefined
  /**
   * Set where the head of a PUT or POST says nothing of the body: to HTTP it has none (RFC 9112 section 6.3), but whoever sends it so
   * may mean one that ends with the connection. Nothing that follows is taken for a request.
   */
  readonly lengthless?: boolean | undefined
  readonly peer: Peer
  /** `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`, as access logs write it. */
  readonly protocol: string
  /** Set by the auth middleware. */
  user: User | undefined
}

export interface Peer {
  /** Address of the client; `''` on a unix socket. */
  readonly address: string
  readonly port: number
  readonly secure: boolean
  /** Host header (or `:authority`), checked. */
  readonly host: string
  /** Common name of the verified client certificate. */
  readonly certificate?: string
}

/** Header names and values in turn: `['etag', '"1"', 'vary', 'accept-encoding']`; names in lower case. */
export type HeaderList = string[]

/** A small text or array goes out in one write; a FileSlice is read by position; any other body is pulled chunk by chunk. */
export type ResponseBody = string | Uint8Array | FileSlice | Body

/** Bytes of a body; undefined when they are not known before it is read. */
export function bodyLength(body: ResponseBody): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body instanceof Uint8Array || body instanceof FileSlice ? body.length : undefined
}

export interface HttpResponse {
  status: number
  headers: HeaderList
  /** Absent = no content. For HEAD the body is given all the same when it is free to make; the writer does not send it. */
  body?: ResponseBody | undefined
  /** Bytes of the body when known without reading it. Sets Content-Length, also for HEAD. */
  length?: number | undefined
  /** Compression leaves the body as it is: it is made bit by bit, and each bit is wanted at once. */
  asIs?: boolean
  /** Closes the connection after this response. */
  close?: boolean
  /**
   * Set where `headers` are frozen and kept together with the body. Asked when the very same request comes again: true = the
   * same answer is still right, and has been counted.
   */
  again?: () => boolean
  /** Called once, when the socket has taken the last byte or the client has left. A middleware that sets it calls the one before. */
  done?: (sent: Sent) => void
}

/** How sending a response went. */
export interface Sent {
  /** Bytes of the body that the socket took. */
  readonly bytes: number
  /** False when the client left, or the body failed, before the end. */
  readonly complete: boolean
}

/** Answers a request. Synchronous answers stay synchronous all the way to the socket: the hot path allocates no promise. */
export type Handler = (ctx: Context, request: HttpRequest) => HttpResponse | Promise<HttpResponse>
/** Every extension of HTTP has this one shape: auth, CORS, compression, limits, hooks. */
export type Middleware = (next: Handler) => Handler

/** Wraps `handler` so that the first of `middlewares` sees the request first. */
export function compose(handler: Handler, ...middlewares: readonly Middleware[]): Handler {
  return middlewares.reduceRight((next, middleware) => middleware(next), handler)
}

/** Applies `fn` to a response that may or may not be there yet, without making a promise for one that is. */
export function whenDone(
  response: HttpResponse | Promise<HttpResponse>,
  fn: (response: HttpResponse) => HttpResponse | Promise<HttpResponse>,
): HttpResponse | Promise<HttpResponse> {
  return response instanceof Promise ? response.then(fn) : fn(response)
}

/** The value of a response header by lower-case name. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1]
  return undefined
}
