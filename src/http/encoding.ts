import { LRUCache } from 'lru-cache'
import { bodyOf } from '../base/body.ts'
import { isCompressible, typeByName } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { changedRequest } from './changed-request.ts'
import { codings, compressBody, compressBytes } from './compress.ts'
import type { Coding, Effort } from './compress.ts'
import { tagsOf } from './conditional.ts'
import { bodyLength, headerOf } from './message.ts'
import type { HeaderList, HttpRequest, HttpResponse, Middleware } from './message.ts'
import { preferredEncoding } from './negotiate.ts'

export interface EncodingSettings {
  readonly effort: Effort | 'off'
  /** Bodies of more bytes are sent as they are (and so stay seekable). A body of unknown size is always compressed. */
  readonly max: number
}

/** Less than this is hardly smaller when compressed. */
const worthIt = 1024
const cacheBytes = 16 * 1024 * 1024

/**
 * Compresses answers for clients that accept it (RFC 9110 sections 8.4 and 12.5.3): 200 to GET and HEAD, of a type that
 * shrinks, not when a Range was asked for. A compressed representation has its own ETag (`"x"` becomes `"x-gzip"`), which
 * If-None-Match and If-Match understand as long as the same coding is negotiated. A handler keeps its answer as it is with
 * `Cache-Control: no-transform`.
 */
export function encoding(settings: (ctx: Context) => EncodingSettings): Middleware {
  const encoder = new Encoder()
  return (next) => (ctx, request) => {
    const { effort, max } = settings(ctx)
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (effort === 'off' || max <= 0 || !reads) return next(ctx, request)
    const coding = encoder.negotiate(request.header('accept-encoding'))
    const response = next(ctx, coding ? withPlainTags(request, coding) : request)
    const job: Job = { request, coding, effort, max }
    return response instanceof Promise ? response.then((r) => encoder.encode(r, job)) : encoder.encode(response, job)
  }
}

interface Job {
  readonly request: HttpRequest
  readonly coding: Coding | undefined
  readonly effort: Effort
  readonly max: number
}

class Encoder {
  /** Accept-Encoding headers seen: a handful of texts that browsers repeat with every request. */
  readonly #negotiated = new LRUCache<string, Coding | 'identity'>({ max: 64 })
  /** Compressed forms of bodies that handlers hold on to (pages, small files), by the identity of the body. */
  readonly #done = new Map<string, LRUCache<Uint8Array, Uint8Array>>()
  readonly #pending = new WeakMap<Uint8Array, Map<string, Promise<Uint8Array>>>()

  negotiate(header: string | undefined): Coding | undefined {
    if (header === undefined) return undefined
    let coding = this.#negotiated.get(header)
    if (coding === undefined) {
      coding = preferredEncoding(header, codings) ?? 'identity'
      if (header.length <= 256) this.#negotiated.set(header, coding)
    }
    return coding === 'identity' ? undefined : coding
  }

  encode(response: HttpResponse, job: Job): HttpResponse | Promise<HttpResponse> {
    const { headers, status } = response
    if (status === 304) return notModified(response, job)
    if ((status !== 200 && status !== 206) || response.asIs) return response
    const type = headerOf(headers, 'content-type')
    if (type === undefined || !isCompressible(type) || headerOf(headers, 'content-encoding') !== undefined)
      return response
    if (headerOf(headers, 'cache-control')?.includes('no-transform')) return response
    addVary(headers)
    const { coding, request } = job
    if (coding === undefined || status === 206 || request.header('range') !== undefined) return response
    const size = sizeOf(response)
    if (size !== undefined && (size < worthIt || size > job.max)) return response
    describe(headers, coding)
    return request.method === 'HEAD' ? this.#head(response, job) : this.#body(response, job, coding)
  }

  /** Headers as for GET; the length is known only when this very body was compressed before. */
  #head(response: HttpResponse, job: Job): HttpResponse {
    const { body } = response
    response.length = body instanceof Uint8Array ? this.#cache(job).get(body)?.length : undefined
    // A body of unknown length, so that nobody takes the plain one's length for that of the compressed one.
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) response.body = bodyOf()
    return response
  }

  #body(response: HttpResponse, job: Job, coding: Coding): HttpResponse | Promise<HttpResponse> {
    const { body } = response
    response.length = undefined
    if (body === undefined) return response
    if (body instanceof Uint8Array) {
      const done = this.#cache(job).get(body)
      if (done) {
        response.body = done
        return response
      }
      return this.#compress(body, job, coding).then((bytes) => ({ ...response, body: bytes }))
    }
    if (typeof body === 'string')
      return compressBytes(Buffer.from(body), coding, job.effort).then((bytes) => ({ ...response, body: bytes }))
    response.body = compressBody(body, coding, job.effort)
    return response
  }

  /** Compresses a body once, however many ask for it at the same time. */
  #compress(body: Uint8Array, job: Job, coding: Coding): Promise<Uint8Array> {
    const key = keyOf(job)
    const pending = this.#pending.get(body) ?? new Map<string, Promise<Uint8Array>>()
    this.#pending.set(body, pending)
    const running = pending.get(key)
    if (running) return running
    const made = compressBytes(body, coding, job.effort).finally(() => pending.delete(key))
    pending.set(key, made)
    return made.then((bytes) => {
      this.#cache(job).set(body, bytes)
      return bytes
    })
  }

  #cache(job: Job): LRUCache<Uint8Array, Uint8Array> {
    const key = keyOf(job)
    let cache = this.#done.get(key)
    if (!cache) {
      // The plain body is kept alive by being the key, so it counts too.
      cache = new LRUCache({ maxSize: cacheBytes, sizeCalculation: (bytes, plain) => bytes.length + plain.length + 1 })
      this.#done.set(key, cache)
    }
    return cache
  }
}

function keyOf(job: Job): string {
  return `${job.coding} ${job.effort}`
}

function sizeOf(response: HttpResponse): number | undefined {
  const { body, length } = response
  return length ?? (body === undefined ? undefined : bodyLength(body))
}

/** Turns the headers of the plain representation into those of the compressed one. */
function describe(headers: HeaderList, coding: Coding): void {
  headers.push('content-encoding', coding)
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i]
    // Byte positions of the plain file mean nothing here: without this a client might glue both together.
    if (name === 'accept-ranges') headers.splice(i, 2)
    else if (name === 'etag') headers[i + 1] = tagFor(headers[i + 1] as string, coding)
  }
}

function tagFor(tag: string, coding: Coding): string {
  return `${tag.slice(0, -1)}-${coding}"`
}

function addVary(headers: HeaderList): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'vary') continue
    const value = headers[i + 1] as string
    if (value !== '*' && !/\baccept-encoding\b/i.test(value)) headers[i + 1] = `${value}, Accept-Encoding`
    return
  }
  headers.push('vary', 'Accept-Encoding')
}

/** A 304 names the representation that the client has, and varies as the 200 would. */
function notModified(response: HttpResponse, { request, coding }: Job): HttpResponse {
  const type = request.directory ? 'text/html' : typeByName(nameOf(request.path))
  const { headers } = response
  const known = new Set(tagsOf(request.header('if-none-match') ?? ''))
  const tag = headerOf(headers, 'etag')
  if (coding !== undefined && tag !== undefined) {
    const own = tagFor(tag, coding)
    if (known.has(own) || known.has(`W/${own}`)) {
      headers[headers.indexOf(tag)] = own
      addVary(headers)
    }
  }
  if (type !== undefined && isCompressible(type)) addVary(headers)
  return response
}

/** The request as a handler sees it that knows nothing of codings: `"x-gzip"` reads `"x"` in If-Match and If-None-Match. */
function withPlainTags(request: HttpRequest, coding: Coding): HttpRequest {
  const suffix = `-${coding}"`
  const match = request.header('if-match')
  const noneMatch = request.header('if-none-match')
  if (!match?.includes(suffix) && !noneMatch?.includes(suffix)) return request
  const plain: Readonly<Record<string, string | undefined>> = {
    'if-match': match?.replaceAll(suffix, '"'),
    'if-none-match': noneMatch?.replaceAll(suffix, '"'),
  }
  return changedRequest(request, { header: (name) => plain[name] ?? request.header(name) })
}
