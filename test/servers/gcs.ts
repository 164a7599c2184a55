import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Stored {
  readonly bytes: Buffer
  readonly generation: string
  readonly updated: string
  /** What the client said of it. */
  readonly resource: Record<string, unknown>
}

interface Session {
  readonly bucket: string
  readonly resource: Record<string, unknown>
  readonly query: URLSearchParams
  bytes: Buffer
}

/** A fake of Google Cloud Storage, and what it was asked. */
export interface Gcs {
  /** `http://127.0.0.1:12345/`. */
  readonly url: string
  readonly requests: string[]
  /** Called for each piece of a resumable upload: how many of its bytes are kept before the connection breaks; undefined = all. */
  onPiece: ((piece: number) => number | undefined) | undefined
  readonly stop: () => Promise<void>
}

/** Bytes that one call of a rewrite copies, so that large objects take several. */
const REWRITE = 512 * 1024

/**
 * The part of Google's JSON API that storage needs, after its reference: buckets, listings in pages, media with ranges and
 * generations, uploads in one and in several requests, rewrites, preconditions. Whether it is right, Google's own client tells
 * (`gcs.test.ts`).
 */
export async function gcs(): Promise<Gcs> {
  const store = new Store()
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer(request, response).catch((error: unknown) => {
      if (error instanceof Refusal)
        send(response, error.status, { error: { code: error.status, message: error.message } })
      else response.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const gcs: Gcs = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    onPiece: undefined,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return gcs

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', gcs.url)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const call = { request, response, url, body: Buffer.concat(chunks), store, gcs }
    if (url.pathname.startsWith('/upload/storage/v1/')) return upload(call)
    const names = url.pathname
      .replace(/^\/storage\/v1\//, '')
      .split('/')
      .map(decodeURIComponent)
    const [, bucket, , key, ...rest] = names
    if (bucket === undefined) return buckets(call)
    if (key !== undefined && rest[0] === 'rewriteTo') return rewrite(call, { bucket, key }, rest)
    if (key !== undefined) return object(call, { bucket, key })
    return names.length > 2 ? list(call, bucket) : oneBucket(call, bucket)
  }
}

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly body: Buffer
  readonly store: Store
  readonly gcs: Gcs
}

class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

class Store {
  readonly buckets = new Map<string, Map<string, Stored>>()
  readonly sessions = new Map<string, Session>()
  #generation = 1_700_000_000_000_000

  bucket(name: string): Map<string, Stored> {
    const found = this.buckets.get(name)
    if (!found) throw new Refusal(404, 'The specified bucket does not exist.')
    return found
  }

  object(bucket: string, key: string): Stored {
    const found = this.bucket(bucket).get(key)
    if (!found) throw new Refusal(404, `No such object: ${bucket}/${key}`)
    return found
  }

  put(bucket: string, resource: Record<string, unknown>, bytes: Buffer, query: URLSearchParams): object {
    const key = (resource.name as string | undefined) ?? query.get('name') ?? ''
    if (key === '' || Buffer.byteLength(key) > 1024) throw new Refusal(400, 'Invalid object name')
    if (query.get('ifGenerationMatch') === '0' && this.bucket(bucket).has(key))
      throw new Refusal(412, 'At least one of the pre-conditions you specified did not hold.')
    const md5 = createHash('md5').update(bytes).digest('base64')
    if (resource.md5Hash !== undefined && resource.md5Hash !== md5)
      throw new Refusal(400, 'Provided MD5 hash is wrong.')
    const stored = { bytes, generation: String(this.#generation++), updated: new Date().toISOString(), resource }
    this.bucket(bucket).set(key, stored)
    return described(bucket, key, stored)
  }
}

function described(bucket: string, name: string, { bytes, generation, updated, resource }: Stored): object {
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    storageClass: 'STANDARD',
    contentType: 'application/octet-stream',
    ...resource,
    bucket,
    name,
    generation,
    updated,
    metageneration: '1',
    timeCreated: updated,
    size: String(bytes.length),
    md5Hash: createHash('md5').update(bytes).digest('base64'),
  }
}

function send(response: ServerResponse, status: number, json: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json))
}

function jsonOf(body: Buffer): Record<string, unknown> {
  return body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>)
}

function buckets({ request, response, url, body, store }: Call): void {
  if (!url.searchParams.get('project')) throw new Refusal(400, 'Required parameter: project')
  if (request.method !== 'POST')
    return send(response, 200, {
      items: [...store.buckets.keys()].map((name) => ({ name, timeCreated: '2020-01-01T00:00:00Z' })),
    })
  const name = jsonOf(body).name as string
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(name)) throw new Refusal(400, 'Invalid bucket name')
  if (store.buckets.has(name)) throw new Refusal(409, 'You already own this bucket.')
  store.buckets.set(name, new Map())
  return send(response, 200, { kind: 'storage#bucket', id: name, name })
}

function oneBucket({ request, response, store }: Call, name: string): void {
  const objects = store.bucket(name)
  if (request.method !== 'DELETE') return send(response, 200, { kind: 'storage#bucket', id: name, name })
  if (objects.size > 0) throw new Refusal(409, 'The bucket you tried to delete is not empty.')
  store.buckets.delete(name)
  response.writeHead(204).end()
  return undefined
}

/** Objects and prefixes in the order of their names, some at a time. */
function list({ response, url, store }: Call, bucket: string): void {
  const { searchParams: query } = url
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter')]
  const rows = new Map<string, Stored | undefined>()
  for (const [key, stored] of store.bucket(bucket)) {
    if (!key.startsWith(prefix)) continue
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1
    if (end < 0) rows.set(key, stored)
    else rows.set(key.slice(0, end + 1), undefined)
  }
  const sorted = [...rows].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const from = Number(query.get('pageToken') ?? 0)
  // Small pages, so that every listing has several.
  const page = sorted.slice(from, from + Math.min(10, Number(query.get('maxResults') ?? 10)))
  const end = from + page.length
  send(response, 200, {
    items: page.flatMap(([key, stored]) => (stored ? [described(bucket, key, stored)] : [])),
    prefixes: page.flatMap(([key, stored]) => (stored ? [] : [key])),
    ...(end < sorted.length ? { nextPageToken: String(end) } : {}),
  })
}

function object(call: Call, { bucket, key }: { bucket: string; key: string }): void {
  const { request, response, url, body, store } = call
  const stored = store.object(bucket, key)
  if (request.method === 'DELETE') {
    store.bucket(bucket).delete(key)
    response.writeHead(204).end()
    return
  }
  if (request.method === 'PATCH') {
    const change = jsonOf(body)
    const metadata = { ...(stored.resource.metadata as object), ...(change.metadata as object) }
    const changed = { ...stored, resource: { ...stored.resource, ...change, metadata } }
    store.bucket(bucket).set(key, changed)
    send(response, 200, described(bucket, key, changed))
  } else if (url.searchParams.get('alt') === 'media') media(call, stored)
  else send(response, 200, described(bucket, key, stored))
}

function media({ request, response, url }: Call, { bytes, generation, resource }: Stored): void {
  const wanted = url.searchParams.get('generation')
  if (wanted !== null && wanted !== generation) throw new Refusal(404, 'No such object')
  const { length } = bytes
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const start = Number(first ?? 0)
  if (first !== undefined && start >= length) throw new Refusal(416, 'The requested range cannot be satisfied.')
  const part = bytes.subarray(start, last ? Number(last) + 1 : length)
  response.writeHead(first === undefined ? 200 : 206, {
    'content-type': (resource.contentType as string | undefined) ?? 'application/octet-stream',
    'content-length': part.length,
    etag: `"${randomUUID()}"`,
    'x-goog-generation': generation,
    'x-goog-hash': `md5=${createHash('md5').update(bytes).digest('base64')}`,
    ...(first === undefined ? {} : { 'content-range': `bytes ${start}-${start + part.length - 1}/${length}` }),
  })
  response.end(part)
}

function rewrite(call: Call, from: { bucket: string; key: string }, [, , bucket = '', , key = '']: string[]): void {
  const { response, url, body, store } = call
  const source = store.object(from.bucket, from.key)
  const copied = Number(url.searchParams.get('rewriteToken') ?? 0) + REWRITE
  const { length } = source.bytes
  if (copied < length)
    return send(response, 200, {
      done: false,
      rewriteToken: String(copied),
      totalBytesRewritten: String(copied),
      objectSize: String(length),
    })
  const resource = { ...source.resource, ...jsonOf(body), name: key }
  const made = store.put(bucket, resource, source.bytes, url.searchParams)
  return send(response, 200, { kind: 'storage#rewriteResponse', done: true, resource: made })
}

function upload(call: Call): void {
  const { request, response, url, body, store } = call
  const { searchParams: query } = url
  const bucket = decodeURIComponent(/\/b\/([^/]+)\/o$/.exec(url.pathname)?.[1] ?? '')
  const session = query.get('upload_id')
  if (session !== null) return piece(call, session)
  store.bucket(bucket)
  if (query.get('uploadType') === 'multipart') {
    const [resource, bytes] = parts(request.headers['content-type'] ?? '', body)
    return send(response, 200, store.put(bucket, resource, bytes, query))
  }
  const id = randomUUID()
  store.sessions.set(id, { bucket, resource: jsonOf(body), query, bytes: Buffer.alloc(0) })
  const location = `http://${request.headers.host}/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?uploadType=resumable&upload_id=${id}`
  return send(response, 200, {}, { location })
}

/** A piece of a resumable upload, or the question how much has come. */
function piece({ request, response, body, store, gcs }: Call, id: string): void {
  const session = store.sessions.get(id)
  if (!session) throw new Refusal(410, 'The upload is over.')
  if (request.method === 'DELETE') {
    store.sessions.delete(id)
    response.writeHead(499).end()
    return
  }
  const [, start, end, total] =
    /^bytes (?:\*|(\d+)-(\d+|\*))\/(\d+|\*)$/.exec(request.headers['content-range'] ?? '') ?? []
  if (start !== undefined) {
    const length = end === '*' ? body.length : Number(end) - Number(start) + 1
    if (Number(start) !== session.bytes.length || length !== body.length) throw new Refusal(400, 'Invalid range')
    if (end !== '*' && total === '*' && body.length % (256 * 1024) !== 0)
      throw new Refusal(400, 'Not a multiple of 256 KiB')
    const kept = gcs.onPiece?.(body.length)
    session.bytes = Buffer.concat([session.bytes, body.subarray(0, kept ?? body.length)])
    if (kept !== undefined) return void response.destroy()
  }
  // `0-*` is all that there is, however much that is.
  if (end === '*' || (total !== '*' && session.bytes.length === Number(total))) {
    store.sessions.delete(id)
    return send(response, 200, store.put(session.bucket, session.resource, session.bytes, session.query))
  }
  const range = session.bytes.length === 0 ? {} : { range: `bytes=0-${session.bytes.length - 1}` }
  response.writeHead(308, { 'content-length': 0, ...range }).end()
  return undefined
}

/** The description and the bytes of a multipart upload. */
function parts(contentType: string, body: Buffer): [Record<string, unknown>, Buffer] {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1] ?? ''
  const text = body.toString('latin1')
  const pieces = text.split(`--${boundary}`).slice(1, -1)
  const contents = pieces.map((each) => each.slice(each.indexOf('\r\n\r\n') + 4, -2))
  const [json = '{}', bytes = ''] = contents
  return [JSON.parse(Buffer.from(json, 'latin1').toString()) as Record<string, unknown>, Buffer.from(bytes, 'latin1')]
}
