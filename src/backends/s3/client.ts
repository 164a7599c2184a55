import { createHash } from 'node:crypto'
import { type Body, bodyOf } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { retry, retryPolicy } from '../../layers/retry.ts'
import { type ClientResponse, type Headers, HttpClient } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { parseXml, type XmlElement } from '../../net/xml.ts'
import { endpointOf, type Endpoint } from './endpoint.ts'
import { errorOf, problemOf } from './errors.ts'
import type { S3Options } from './options.ts'
import { escaped, queryText, type Signer, type Unsigned } from './sign.ts'

/** One request to the store. */
export interface Call {
  readonly method: string
  /** `''` = the store as a whole. */
  readonly bucket: string
  /** As it is stored; `''` or absent = the bucket. */
  readonly key?: string
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers?: Headers
  /** Bytes, which may be sent again, or a body of a known length, which may not. */
  readonly body?: Uint8Array | Streamed
}

/** A body that can be read once. */
export interface Streamed {
  readonly body: Body
  /** In bytes. */
  readonly length: number
}

const EMPTY_SHA256 = createHash('sha256').digest('hex')
const UNSIGNED = 'UNSIGNED-PAYLOAD'

/** Sends signed requests, each to the region where its bucket is. */
export class S3Client {
  readonly #http: HttpClient
  readonly #signer: Signer
  readonly #endpoint: Endpoint
  readonly #requesterPays: boolean
  /** The regions of buckets that were found to be elsewhere. */
  readonly #regions = new Map<string, string>()

  constructor(http: HttpClient, signer: Signer, options: S3Options) {
    this.#http = http
    this.#signer = signer
    this.#endpoint = endpointOf(options)
    this.#requesterPays = options.requesterPays
  }

  /**
   * The answer to a request, once its head is there; throws what the store says is wrong. A bucket in another region is found
   * there; only a body that can be read once has to know the way (`findRegion`).
   */
  async send(ctx: Context, call: Call): Promise<ClientResponse> {
    for (let again = false; ; again = true) {
      const region = this.regionOf(call.bucket)
      const response = await this.#request(ctx, call, region)
      if (response.status < 300) return response
      const problem = await problemOf(response, described(call))
      if (again || !mayBeRepeated(call) || !elsewhere.has(response.status)) throw problem.error
      const actual = problem.region ?? (call.method === 'HEAD' ? await this.#askRegion(ctx, call.bucket) : undefined)
      if (actual === undefined || actual === region) throw problem.error
      this.#regions.set(call.bucket, actual)
    }
  }

  /**
   * Does what may be done again while that may help: in work of several requests, which the layers around a remote cannot repeat
   * one by one. What fails all the same is not to be tried again by those.
   */
  async again<T>(ctx: Context, work: () => Promise<T>): Promise<T> {
    try {
      return await retry(ctx, retryPolicy(ctx), work)
    } catch (reason) {
      const { code, message } = toAppError(reason)
      throw new AppError(code, message, { cause: reason })
    }
  }

  /** Sends a request whose answer says nothing but that it was done, again while that may help; gives its headers. */
  async run(ctx: Context, call: Call): Promise<Headers> {
    return await this.again(ctx, async () => {
      const { headers, body } = await this.send(ctx, call)
      await leave(body)
      return headers
    })
  }

  /** The document that answers a request, again while that may help. An error in it is thrown, whatever the status says. */
  async document(ctx: Context, call: Call): Promise<XmlElement> {
    return await this.again(ctx, async () => {
      const { body } = await this.send(ctx, call)
      const document = await parseXml(body)
      if (document.name === 'Error') throw errorOf(document, described(call))
      return document
    })
  }

  /** An URL that gives access without keys for so many seconds. */
  async presign(call: Call, seconds: number): Promise<URL> {
    const region = this.regionOf(call.bucket)
    return await this.#signer.presign(this.#unsigned(call, region), region, seconds)
  }

  /** Sends a request that has its signature in its URL. */
  async sendPresigned(ctx: Context, call: Call): Promise<ClientResponse> {
    const url = await this.presign(call, PRESIGNED_SECONDS)
    const response = await this.#http.request(ctx, {
      method: call.method,
      url,
      headers: call.headers ?? {},
      ...sent(call),
    })
    if (response.status < 300) return response
    throw (await problemOf(response, described(call))).error
  }

  /** Gets bytes from somewhere else, without a signature. */
  async download(ctx: Context, url: URL, headers: Headers): Promise<ClientResponse> {
    const response = await this.#http.request(ctx, { method: 'GET', url, headers, follow: true })
    if (response.status < 300) return response
    throw (await problemOf(response, url.pathname)).error
  }

  /** Finds out where a bucket is, for requests that cannot be repeated. */
  async findRegion(ctx: Context, bucket: string): Promise<void> {
    if (!this.#endpoint.regional || this.#regions.has(bucket)) return
    const headers = await this.run(ctx, { method: 'HEAD', bucket })
    this.#regions.set(bucket, headers['x-amz-bucket-region'] ?? this.regionOf(bucket))
  }

  regionOf(bucket: string): string {
    return this.#regions.get(bucket) ?? this.#endpoint.regionOf(bucket) ?? this.#endpoint.region
  }

  close(): void {
    this.#http.close()
  }

  /** Where a bucket is, by an error that has a document, which the answer to HEAD has not. */
  async #askRegion(ctx: Context, bucket: string): Promise<string | undefined> {
    const call: Call = { method: 'GET', bucket, query: { location: '' } }
    const response = await this.#request(ctx, call, this.regionOf(bucket))
    return (await problemOf(response, described(call))).region
  }

  async #request(ctx: Context, call: Call, region: string): Promise<ClientResponse> {
    const unsigned = this.#unsigned(call, region)
    const headers = await this.#signer.sign(unsigned, region)
    return await this.#http.request(ctx, { method: call.method, url: unsigned.url, headers, ...sent(call) })
  }

  #unsigned({ method, bucket, key = '', query = {}, headers = {}, body }: Call, region: string): Unsigned {
    const bucketItself = key === '' && isEmpty(query) && (method === 'PUT' || method === 'DELETE')
    const { url, inHost } = this.#endpoint.urlOf({ bucket, bucketItself }, region)
    const path = [...(bucket === '' || inHost ? [] : [bucket]), ...(key === '' ? [] : key.split('/'))]
    // An URL would lead elsewhere, out of the bucket even.
    if (path.some((name) => name === '.' || name === '..'))
      throw new AppError('not-found', `${bucket}/${key} cannot be asked for: "." and ".." are no names`)
    const own = path.map(escaped).join('/')
    url.pathname += own
    url.search = queryText(query)
    const pays: Headers = this.#requesterPays ? { 'x-amz-request-payer': 'requester' } : {}
    const hash = { 'x-amz-content-sha256': this.#payloadHash(url, body) }
    const resource = `/${inHost ? `${escaped(bucket)}/` : ''}${own}`
    return { method, url, resource, query, headers: { ...headers, ...pays, ...hash } }
  }

  #payloadHash(url: URL, body: Call['body']): string {
    if (body === undefined) return EMPTY_SHA256
    return body instanceof Uint8Array && url.protocol !== 'https:'
      ? createHash('sha256').update(body).digest('hex')
      : UNSIGNED
  }
}

/** The statuses of answers to a request that was signed for the wrong region, or sent to it. */
const elsewhere: ReadonlySet<number> = new Set([301, 307, 400])

const PRESIGNED_SECONDS = 3600

function isEmpty(query: NonNullable<Call['query']>): boolean {
  return Object.keys(query).length === 0
}

function mayBeRepeated({ body }: Call): boolean {
  return body === undefined || body instanceof Uint8Array
}

function sent({ body }: Call): { body?: Body; length?: number } {
  if (body === undefined) return {}
  return body instanceof Uint8Array ? { body: bodyOf(body), length: body.length } : body
}

/** What a request is about, for people. */
function described({ method, bucket, key = '' }: Call): string {
  const place = bucket === '' ? 'the list of buckets' : key === '' ? `bucket ${bucket}` : `${bucket}/${key}`
  return `${method} ${place}`
}

/** Bytes as base64 MD5, as the header Content-MD5 wants them. */
export function md5Header(bytes: Uint8Array): Headers {
  return { 'content-md5': createHash('md5').update(bytes).digest('base64') }
}
