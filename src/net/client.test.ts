import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as https from 'node:https'
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { bodyOf, collect } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { createLogger } from '../core/log.ts'
import { mainOptions } from '../core/options.ts'
import { testContext } from '../core/testing.ts'
import { defaultsOf } from '../schema/option.ts'
import { certificate } from '../../test/certificate.ts'
import { OptionSet } from '../schema/options.ts'
import { missing } from '../../test/peers.ts'
import { HttpClient, parseHeaders, type ClientParts } from './client.ts'
import { leave } from './response-body.ts'
import { netOptions, type NetOptions } from './options.ts'
import { statusError } from './status.ts'

const ctx = testContext()

function client(t: TestContext, change: Partial<NetOptions> = {}, parts: Partial<ClientParts> = {}): HttpClient {
  const made = new HttpClient({
    options: { ...defaultsOf(netOptions), ...change },
    connectTimeout: 5000,
    timeout: 5000,
    env: {},
    ...parts,
  })
  t.after(() => made.close())
  return made
}

async function listen(t: TestContext, server: Server): Promise<URL> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => void sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

function serve(t: TestContext, handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<URL> {
  return listen(t, createServer(handler))
}

/** Answers each connection with the same bytes, then closes it. */
function answering(t: TestContext, bytes: string): Promise<URL> {
  return listen(
    t,
    createTcp((socket) => void socket.once('data', () => socket.end(bytes))),
  )
}

const text = async (body: AsyncIterable<Uint8Array>) => Buffer.from(await collect(body)).toString()

function failsWith(code: string, retry: AppError['retry'], pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof AppError)
    assert.deepEqual([error.code, error.retry], [code, retry], error.message)
    assert.match(error.message, pattern)
    return true
  }
}

test('asks for bytes as they are, keeps connections, and sends its headers', async (t) => {
  let connections = 0
  const seen: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => {
    seen.push(request.headers)
    response.setHeader('content-encoding', 'gzip').end(`plain ${request.url}`)
  }).on('connection', () => connections++)
  const url = await listen(t, server)
  url.username = 'us%40er'
  url.password = 'p:w'
  const http = client(t, { userAgent: 'tester', header: ['X-One: 1'], headerDownload: ['x-down: 2'] })
  for (let i = 0; i < 3; i++) {
    const { status, body } = await http.request(ctx, { method: 'GET', url: new URL(`a?${i}`, url) })
    assert.equal(status, 200)
    assert.equal(await text(body), `plain /a?${i}`)
  }
  assert.equal(connections, 1)
  const [first] = seen
  assert.equal(first?.['accept-encoding'], 'identity')
  assert.equal(first?.['user-agent'], 'tester')
  assert.equal(first?.['x-one'], '1')
  assert.equal(first?.['x-down'], '2')
  assert.equal(first?.authorization, `Basic ${Buffer.from('us@er:p:w').toString('base64')}`)
})

test('--dump headers shows what is sent and answered, without what lets somebody in', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.writeHead(302, { location: '/signed?x=1', 'set-cookie': 'a=b', 'x-shown': 'yes' }).end()
  })
  const dumped = async (dump: string[]) => {
    const options = new OptionSet([mainOptions])
    options.set(mainOptions, 'dump', dump, 'flag')
    let log = ''
    const logger = createLogger({ level: 'notice', parts: new Set(), write: (line) => (log += line) })
    const asked = new URL('a?sig=secret1&b=2', url)
    asked.password = 'secret2'
    const request = { method: 'GET', url: asked }
    await leave((await client(t).request(testContext({ options, log: logger }), request)).body)
    return log
  }
  assert.equal(await dumped([]), '')
  const heads = await dumped(['headers'])
  for (const shown of [
    /> GET http:\/\/127\.0\.0\.1:\d+\/a\?sig=XXXX&b=2/,
    /authorization: XXXX/,
    /< 302 /,
    /x-shown: yes/,
  ])
    assert.match(heads, shown)
  assert.doesNotMatch(heads, /secret|signed|a=b/)
  assert.match(await dumped(['auth']), /authorization: Basic /)
})

test('sends a body with its length, or in chunks', async (t) => {
  const url = await serve(t, (request, response) => {
    void collect(request).then((bytes) =>
      response.end(`${request.headers['content-length']} ${request.headers['transfer-encoding']} ${bytes.length}`),
    )
  })
  const http = client(t)
  const big = new Uint8Array(3_000_000)
  const known = await http.request(ctx, { method: 'PUT', url, body: bodyOf(big), length: big.length })
  assert.equal(await text(known.body), '3000000 undefined 3000000')
  const unknown = await http.request(ctx, { method: 'PUT', url, body: bodyOf(big, 'x') })
  assert.equal(await text(unknown.body), 'undefined chunked 3000001')
})

test('an upload whose source fails is cut off, and its error is the one thrown', async (t) => {
  let ended = false
  const url = await serve(t, (request) => void request.on('end', () => (ended = true)).resume())
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('abc')
    throw new AppError('invalid', 'source broke')
  }
  await assert.rejects(client(t).request(ctx, { method: 'PUT', url, body: broken() }), /source broke/)
  assert.equal(ended, false)
})

test('an answer that ends early throws and may be tried again', async (t) => {
  for (const head of ['content-length: 10\r\n\r\nabc', 'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n']) {
    const url = await answering(t, `HTTP/1.1 200 OK\r\n${head}`)
    const { body } = await client(t).request(ctx, { method: 'GET', url })
    await assert.rejects(collect(body), (error: unknown) => error instanceof AppError && error.retry === 'now')
  }
})

test('a head that is too large is refused', async (t) => {
  const url = await answering(t, `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\ncontent-length: 0\r\n\r\n`)
  await assert.rejects(client(t).request(ctx, { method: 'GET', url }), failsWith('io', false, /overflow/i))
})

test('a server that says nothing is given up, and may be tried again', async (t) => {
  const silent = await serve(t, () => {})
  await assert.rejects(
    client(t, {}, { timeout: 50 }).request(ctx, { method: 'GET', url: silent }),
    failsWith('io', 'now', /sent nothing/),
  )
  const stalling = await serve(t, (_request, response) => void response.write('abc'))
  const { body } = await client(t, {}, { timeout: 50 }).request(ctx, { method: 'GET', url: stalling })
  await assert.rejects(collect(body), (error: unknown) => error instanceof AppError && error.retry === 'now')
})

test('a reader that takes its time is not a server that says nothing', async (t) => {
  const url = await serve(t, (_request, response) => void response.end(new Uint8Array(2_000_000)))
  const { body } = await client(t, {}, { timeout: 100 }).request(ctx, { method: 'GET', url })
  let size = 0
  for await (const chunk of body) {
    if (size === 0) await new Promise((resolve) => setTimeout(resolve, 250))
    size += chunk.length
  }
  assert.equal(size, 2_000_000)
})

test('nobody listens: io, to be tried again', async (t) => {
  const server = createTcp()
  const url = await listen(t, server)
  server.close()
  await once(server, 'close')
  await assert.rejects(client(t).request(ctx, { method: 'GET', url }), failsWith('io', 'now', /ECONNREFUSED/))
})

test('a server that speaks no TLS: said in the words of OpenSSL that are for people', async (t) => {
  const url = await answering(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')
  url.protocol = 'https:'
  const said = new RegExp(`^${url.host}: SSL routines: [a-z ]+$`)
  await assert.rejects(client(t).request(ctx, { method: 'GET', url }), failsWith('io', false, said))
})

test('an abort ends a request that waits, and a body that is read', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/body') response.write('abc')
  })
  const http = client(t)
  for (const path of ['none', 'body']) {
    const stop = new AbortController()
    const answer = http.request(ctx.with({ signal: stop.signal }), { method: 'GET', url: new URL(path, url) })
    const bytes = path === 'body' ? answer.then(({ body }) => collect(body)) : answer
    setTimeout(() => stop.abort(), 20)
    await assert.rejects(bytes, failsWith('aborted', false, /stopped/))
  }
})

test('a look at a large file leaves its connection for the next request', async (t) => {
  let connections = 0
  const server = createServer((_, response) => response.writeHead(200, { 'content-length': 5_000_000 }).end())
  server.on('connection', () => connections++)
  const url = await listen(t, server)
  const http = client(t)
  for (let i = 0; i < 5; i++) await leave((await http.request(ctx, { method: 'HEAD', url })).body)
  assert.equal(connections, 1)
})

test('bodies that are left, read or not, leave no connection behind', async (t) => {
  const open = new Set<Socket>()
  const server = createServer((request, response) =>
    response.end(request.url === '/big' ? new Uint8Array(5_000_000) : 'small'),
  ).on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  const url = await listen(t, server)
  const http = client(t)
  for (let i = 0; i < 20; i++) {
    await leave((await http.request(ctx, { method: 'GET', url: new URL('big', url) })).body)
    for await (const chunk of (await http.request(ctx, { method: 'GET', url: new URL('big', url) })).body)
      if (chunk.length > 0) break
    await leave((await http.request(ctx, { method: 'GET', url })).body)
  }
  const deadline = Date.now() + 2000
  while (open.size > 1 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(open.size <= 1, `${open.size} connections`)
})

test('redirects are followed ten times, and take no secret to another host', async (t) => {
  const seen: (string | undefined)[] = []
  const other = await serve(t, (request, response) => {
    seen.push(`${request.headers.authorization} ${String(request.headers['x-token'])} ${request.headers.range}`)
    response.end('other')
  })
  const url = await serve(t, (request, response) => {
    const [, to = ''] = /^\/(.*)$/.exec(request.url ?? '') ?? []
    if (to === 'away') response.writeHead(302, { location: other.href }).end()
    else if (to === 'loop') response.writeHead(301, { location: '/loop' }).end()
    else if (to === 'ftp') response.writeHead(301, { location: 'ftp://127.0.0.1/x' }).end()
    else if (to === 'here') response.writeHead(307, { location: 'there?x=1' }).end('moved')
    else response.end(`${request.url} ${request.headers.authorization}`)
  })
  url.username = 'me'
  const http = client(t)
  const get = (path: string, headers = {}) =>
    http.request(ctx, { method: 'GET', url: new URL(path, url), follow: true, headers })
  assert.match(await text((await get('here')).body), /^\/there\?x=1 Basic /)
  assert.equal((await get('here')).url.pathname, '/there')
  assert.equal(await text((await get('away', { 'x-token': 's', range: 'bytes=0-1' })).body), 'other')
  assert.deepEqual(seen, ['undefined undefined bytes=0-1'])
  await assert.rejects(get('loop'), failsWith('io', false, /more than 10/))
  await assert.rejects(get('ftp'), failsWith('invalid', false, /not http/))
  assert.equal((await http.request(ctx, { method: 'GET', url: new URL('loop', url) })).status, 301)
})

test(
  'TLS is checked, by own authorities too, and never left for plain http',
  { skip: missing('openssl') },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
    t.after(() => rmSync(dir, { recursive: true }))
    const { key, cert } = certificate(dir, 'test')
    const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      if (request.url === '/down') response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
      else response.end('safe')
    })
    const url = await listen(t, server)
    url.protocol = 'https:'
    await assert.rejects(client(t).request(ctx, { method: 'GET', url }), failsWith('io', false, /self-signed/))
    const trusting = client(t, { caCert: [cert] })
    assert.equal(await text((await trusting.request(ctx, { method: 'GET', url })).body), 'safe')
    const careless = client(t, { noCheckCertificate: true })
    assert.equal(await text((await careless.request(ctx, { method: 'GET', url })).body), 'safe')
    await assert.rejects(
      trusting.request(ctx, { method: 'GET', url: new URL('down', url), follow: true }),
      failsWith('io', false, /from https to http/),
    )
    assert.throws(() => client(t, { clientCert: cert }), /need both/)
    assert.throws(() => client(t, { caCert: [join(dir, 'none')] }), /can't read/)
  },
)

test('a proxy is used unless the host is excepted', async (t) => {
  const direct = await serve(t, (_request, response) => void response.end('direct'))
  const proxy = await serve(t, (request, response) => void response.end(`by proxy: ${request.url}`))
  const env = { HTTP_PROXY: proxy.href, NO_PROXY: '' }
  const by = async (http: HttpClient) => await text((await http.request(ctx, { method: 'GET', url: direct })).body)
  assert.equal(await by(client(t, {}, { env })), `by proxy: ${direct.href}`)
  assert.equal(await by(client(t, {}, { env: { ...env, NO_PROXY: '127.0.0.1' } })), 'direct')
  assert.equal(await by(client(t, { httpProxy: proxy.href })), `by proxy: ${direct.href}`)
  assert.equal(await by(client(t)), 'direct')
})

test('a status that is an error says what and whether to try again', async (t) => {
  const table: [number, string, AppError['retry']][] = [
    [401, 'denied', false],
    [404, 'not-found', false],
    [416, 'range', false],
    [500, 'io', 'now'],
    [503, 'rate-limited', { afterMs: 2000 }],
    [418, 'io', false],
  ]
  const url = await serve(t, (request, response) => {
    const status = Number(request.url?.slice(1))
    response.writeHead(status, status === 503 ? { 'retry-after': '2' } : {}).end('no')
  })
  for (const [status, code, retry] of table)
    await assert.rejects(
      client(t).fetch(ctx, { method: 'GET', url: new URL(String(status), url) }),
      failsWith(code, retry, new RegExp(`${status}`)),
    )
  assert.equal(
    (statusError(429, 'x', 'Sat, 03 Feb 2001 04:05:16 GMT', 981_173_106_000).retry as { afterMs: number }).afterMs,
    10_000,
  )
  assert.equal((statusError(429, 'x', '999999').retry as { afterMs: number }).afterMs, 60_000)
  assert.equal(statusError(429, 'x', 'soon').retry, 'now')
})

test('headers are "Name: value"', () => {
  assert.deepEqual(parseHeaders(['X-A: 1: 2 ', 'b:c']), { 'x-a': '1: 2', b: 'c' })
  for (const wrong of ['no colon', 'bad name: x', ': x', 'x: a\nb'])
    assert.throws(() => parseHeaders([wrong]), /is not "Name: value"/)
})
