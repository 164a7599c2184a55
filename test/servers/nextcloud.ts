import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Node {
  readonly children?: Map<string, Node>
  readonly bytes: Buffer
  modTime: number
  readonly tag: string
  /** Of a folder for chunks: where they were announced to go, and how large that will be. */
  readonly upload?: { destination: string; length: string | undefined }
}

/** A fake Nextcloud, and what it was asked: `PUT /remote.php/dav/...`, in order. */
export interface Nextcloud {
  /** The files of its user: `http://127.0.0.1:12345/remote.php/dav/files/ann/`. */
  readonly url: string
  readonly requests: string[]
  readonly stop: () => Promise<void>
}

const PLACES = /^\/remote\.php\/dav\/(files|uploads)\/ann(?:\/(.*?))?\/?$/

/**
 * What Nextcloud has over a plain WebDAV server, as its developer manual tells it: times by header and property, checksums, and
 * version 2 of its upload in chunks, whose rules it checks. Login `ann`, `secret`.
 */
export async function nextcloud(): Promise<Nextcloud> {
  const store = new Store()
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer(store, request, response).catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/remote.php/dav/files/ann/`,
    requests,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A tree of files and one of uploads, by the names that are in the path. */
class Store {
  readonly #roots = { files: directory(), uploads: directory() }

  get(path: readonly string[]): Node | undefined {
    return path.reduce<Node | undefined>((at, name) => at?.children?.get(name), {
      ...directory(),
      children: this.#top(),
    })
  }

  /** Puts a node in its place. False when its parent is missing. */
  set(path: readonly string[], node: Node): boolean {
    const parent = this.get(path.slice(0, -1))?.children
    parent?.set(path.at(-1) ?? '', node)
    return parent !== undefined
  }

  remove(path: readonly string[]): boolean {
    return this.get(path.slice(0, -1))?.children?.delete(path.at(-1) ?? '') ?? false
  }

  #top(): Map<string, Node> {
    return new Map<string, Node>(Object.entries(this.#roots))
  }
}

function directory(upload?: Node['upload']): Node {
  return { children: new Map(), bytes: Buffer.alloc(0), modTime: now(), tag: '', ...(upload ? { upload } : {}) }
}

function file(bytes: Buffer, modTime: string | undefined): Node {
  const time = modTime === undefined ? now() : Number(modTime)
  return {
    bytes,
    modTime: time,
    tag: createHash('md5').update(bytes).update(String(process.hrtime.bigint())).digest('hex'),
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}

function namesOf(url: string | undefined): string[] | undefined {
  const [, tree, rest] = PLACES.exec(new URL(url ?? '', 'http://host').pathname) ?? []
  if (tree === undefined) return undefined
  return [tree, ...(rest ? rest.split('/').map(decodeURIComponent) : [])]
}

/** A request that was read whole, about a place of the store. */
interface Call {
  readonly store: Store
  readonly names: string[]
  /** What is there now. */
  readonly node: Node | undefined
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: Buffer
  readonly header: (name: string) => string | undefined
}

async function answer(store: Store, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const names = namesOf(request.url)
  const status = (code: number) => void response.writeHead(code, { 'content-length': 0 }).end()
  if (request.headers.authorization !== `Basic ${btoa('ann:secret')}`) return status(401)
  if (!names || names.some((name) => Buffer.byteLength(name) > 250)) return status(404)
  const call = {
    store,
    names,
    request,
    response,
    node: store.get(names),
    body: Buffer.concat(chunks),
    header: (name: string) => request.headers[name] as string | undefined,
  }
  const code = methods[request.method ?? '']?.(call) ?? 501
  if (!response.headersSent) status(code)
}

/** Gives the status, unless it has answered itself. */
const methods: Readonly<Record<string, (call: Call) => number>> = {
  PROPFIND({ node, request, response }) {
    if (!node) return 404
    response.writeHead(207, { 'content-type': 'application/xml' }).end(multistatus(request, node))
    return 207
  },
  GET({ node, header, response }) {
    if (!node || node.children) return node ? 501 : 404
    sendFile(node, header('range'), response)
    return 200
  },
  MKCOL({ store, names, node, header }) {
    if (node) return 405
    const destination = header('destination')
    if (names[0] === 'uploads' && destination === undefined) return 400
    const upload = destination === undefined ? undefined : { destination, length: header('oc-total-length') }
    return store.set(names, directory(upload)) ? 201 : 409
  },
  PUT({ store, names, node, header, body }) {
    if (node?.children) return 409
    if (names[0] === 'uploads' && !isChunk(store, names, header('destination'))) return 400
    const checksum = header('oc-checksum')
    if (checksum && checksum !== `SHA1:${sha1(body)}`) return 400
    if (!store.set(names, file(body, header('x-oc-mtime')))) return 409
    return node ? 204 : 201
  },
  PROPPATCH({ node, body, response }) {
    const seconds = /<lastmodified>(\d+)<\/lastmodified>/.exec(body.toString())?.[1]
    if (!node || seconds === undefined) return 404
    node.modTime = Number(seconds)
    response.writeHead(207).end('<d:multistatus xmlns:d="DAV:"/>')
    return 207
  },
  DELETE: ({ store, names }) => (store.remove(names) ? 204 : 404),
  MOVE: ({ store, names, request }) => transfer(store, names, request),
  COPY: ({ store, names, request }) => transfer(store, names, request),
}

/** Whether a name is one of version 2, and the chunk says where it belongs, as it must. */
function isChunk(store: Store, names: string[], destination: string | undefined): boolean {
  const folder = store.get(names.slice(0, -1))?.upload
  const number = /^\d{5}$/.test(names.at(-1) ?? '') ? Number(names.at(-1)) : 0
  return folder?.destination === destination && number >= 1 && number <= 10_000
}

function transfer(store: Store, from: string[], request: IncomingMessage): number {
  const to = namesOf(request.headers.destination as string | undefined)
  const assembled = from[0] === 'uploads' ? assemble(store, from, request) : store.get(from)
  if (!assembled || !to) return 404
  if (typeof assembled === 'number') return assembled
  const old = store.get(to)
  if (old && request.headers.overwrite === 'F') return 412
  if (!store.set(to, request.method === 'COPY' ? file(assembled.bytes, undefined) : assembled)) return 409
  if (request.method === 'MOVE') store.remove(from[0] === 'uploads' ? from.slice(0, -1) : from)
  return old ? 204 : 201
}

/** The file that the chunks of a folder make, in the order of their names. */
function assemble(store: Store, from: string[], { headers }: IncomingMessage): Node | number {
  const folder = store.get(from.slice(0, -1))
  if (from.at(-1) !== '.file' || !folder?.children || folder.upload?.destination !== headers.destination) return 400
  const chunks = [...folder.children].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { bytes }]) => bytes)
  const whole = Buffer.concat(chunks)
  const expected = folder.upload?.length
  if (expected !== undefined && Number(expected) !== whole.length) return 400
  return file(whole, headers['x-oc-mtime'] as string | undefined)
}

function multistatus({ url = '', headers }: IncomingMessage, node: Node): string {
  const path = new URL(url, 'http://host').pathname.replace(/\/$/, '')
  const children = headers.depth === '1' ? [...(node.children ?? [])] : []
  const all = [
    describe(path, node),
    ...children.map(([name, child]) => describe(`${path}/${encodeURIComponent(name)}`, child)),
  ]
  return `<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">${all.join('')}</d:multistatus>`
}

function describe(path: string, { children, bytes, modTime, tag }: Node): string {
  const own = children
    ? '<d:resourcetype><d:collection/></d:resourcetype><d:quota-available-bytes>-3</d:quota-available-bytes><d:quota-used-bytes>7</d:quota-used-bytes>'
    : `<d:resourcetype/><d:getcontentlength>${bytes.length}</d:getcontentlength><d:getetag>"${tag}"</d:getetag>
<oc:checksums><oc:checksum>SHA1:${sha1(bytes)} MD5:00 ADLER32:0</oc:checksum></oc:checksums>`
  return `<d:response><d:href>${path}${children ? '/' : ''}</d:href><d:propstat><d:prop>${own}
<d:getlastmodified>${new Date(modTime * 1000).toUTCString()}</d:getlastmodified></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
<d:propstat><d:prop><oc:permissions/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>`
}

function sendFile(node: Node, range: string | undefined, response: ServerResponse): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
  const start = Number(first ?? 0)
  const end = last ? Number(last) + 1 : node.bytes.length
  const part = node.bytes.subarray(start, end)
  response.writeHead(first === undefined ? 200 : 206, {
    'content-length': part.length,
    etag: `"${node.tag}"`,
    'last-modified': new Date(node.modTime * 1000).toUTCString(),
    ...(first === undefined
      ? {}
      : { 'content-range': `bytes ${start}-${start + part.length - 1}/${node.bytes.length}` }),
  })
  response.end(part)
}

function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex')
}
