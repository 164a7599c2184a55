import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import type { Headers } from '../../net/client.ts'

/** The keys of one login. */
export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** Absent = they do not run out. */
  readonly expiration?: Date
}

/** A request before it has a signature. */
export interface Unsigned {
  readonly method: string
  /** With the query percent-encoded as `escaped` does. */
  readonly url: URL
  /** The path that version 2 signs: with the bucket first, wherever that stands in the URL. */
  readonly resource: string
  readonly query: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers: Headers
}

/** Signs requests of one login. */
export interface Signer {
  /** The headers with a signature among them. */
  sign(request: Unsigned, region: string): Promise<Headers>
  /** The URL with a signature in its query, good for so many seconds: whoever uses it sends the same headers. */
  presign(request: Unsigned, region: string, seconds: number): Promise<URL>
}

/** Text for the path or the query of a URL: all but unreserved characters are encoded (RFC 3986 section 2.3). */
export function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** A query in the order and form in which it is signed. */
export function queryText(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${escaped(name)}=${escaped(query[name] ?? '')}`)
    .join('&')
}

/** Asks without a login. */
export const anonymous: Signer = {
  sign: ({ headers }) => Promise.resolve(headers),
  presign: ({ url }) => Promise.resolve(url),
}

/** Signature version 4, by AWS's own signer (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html). */
export async function signerV4(keys: () => Promise<Keys>, service = 's3'): Promise<Signer> {
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const signer = new SignatureV4({
    service,
    region: 'us-east-1',
    credentials: async () => ({ ...(await keys()) }),
    sha256: Sha256,
    uriEscapePath: false,
  })
  const plain = ({ method, url, headers, query }: Unsigned) => ({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: { ...query },
    headers: { ...headers, host: url.host },
  })
  return {
    async sign(request, region) {
      return (await signer.sign(plain(request), { signingRegion: region })).headers
    },
    async presign(request, region, seconds) {
      const headers = { ...request.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
      const { query } = await signer.presign(plain({ ...request, headers }), {
        signingRegion: region,
        expiresIn: seconds,
        unsignableHeaders: new Set(['x-amz-content-sha256']),
        unhoistableHeaders: new Set(Object.keys(headers)),
      })
      return withQuery(request.url, query as Record<string, string>)
    },
  }
}

/** SHA-256 of Node for the signer; with a secret the keyed one. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {}
}

function bytesOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === 'string') return secret
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret)
}

/** Parts of a query that version 2 signs. */
const signedQuery = new Set(
  (
    'acl cors delete lifecycle location logging notification partNumber policy restore tagging torrent uploadId uploads ' +
    'versionId versioning versions website response-content-type response-content-language response-expires ' +
    'response-cache-control response-content-disposition response-content-encoding'
  ).split(' '),
)

/** Signature version 2, for stores that know nothing newer (https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html). */
export function signerV2(keys: () => Promise<Keys>): Signer {
  const signature = (secret: string, { method, query, resource, headers }: Unsigned, date: string) => {
    const own = Object.keys(headers).filter((name) => name.startsWith('x-amz-'))
    const parts = Object.keys(query).filter((name) => signedQuery.has(name))
    const sub = parts.sort().map((name) => (query[name] === '' ? name : `${name}=${query[name]}`))
    const text = [
      method,
      headers['content-md5'] ?? '',
      headers['content-type'] ?? '',
      date,
      ...own.sort().map((name) => `${name}:${headers[name]?.trim()}`),
      resource + (sub.length > 0 ? `?${sub.join('&')}` : ''),
    ].join('\n')
    return createHmac('sha1', secret).update(text).digest('base64')
  }
  return {
    async sign(request) {
      const { accessKeyId, secretAccessKey, sessionToken } = await keys()
      const { 'x-amz-content-sha256': _, ...headers } = request.headers
      const token: Headers = sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }
      const all: Headers = { ...headers, ...token, 'x-amz-date': new Date().toUTCString() }
      const signed = signature(secretAccessKey, { ...request, headers: all }, '')
      return { ...all, authorization: `AWS ${accessKeyId}:${signed}` }
    },
    async presign(request, _region, seconds) {
      const { accessKeyId, secretAccessKey, sessionToken } = await keys()
      const { 'x-amz-content-sha256': _, ...headers } = request.headers
      const expires = String(Math.floor(Date.now() / 1000) + seconds)
      const token: Headers = sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }
      const signed = signature(secretAccessKey, { ...request, headers: { ...headers, ...token } }, expires)
      return withQuery(request.url, {
        ...request.query,
        ...token,
        AWSAccessKeyId: accessKeyId,
        Expires: expires,
        Signature: signed,
      })
    },
  }
}

function withQuery(url: URL, query: Readonly<Record<string, string>>): URL {
  const whole = new URL(url)
  whole.search = queryText(query)
  return whole
}
