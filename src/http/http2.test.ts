import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { missing } from '../../test/peers.ts'
import { collect, FileSlice } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import type { Handler, HttpRequest, Sent } from './message.ts'
import { Raw, serve, statusOf, talk } from './testing-sockets.ts'

const run = promisify(execFile)
const hello: Handler = (_, request) => ({ status: 200, headers: ['x-path', request.path], body: 'hello' })

async function session(t: TestContext, port: number): Promise<ClientHttp2Session> {
  const client = connect(`http://127.0.0.1:${port}`)
  client.on('error', () => {})
  t.after(() => client.destroy())
  await once(client, 'connect')
  return client
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function ask(
  client: ClientHttp2Session,
  headers: Record<string, string>,
  body?: string | AsyncIterable<Buffer>,
): Promise<Answer> {
  const stream = client.request({ ':path': '/', ...headers }, { endStream: body === undefined })
  stream.setEncoding('utf8')
  if (typeof body === 'string') stream.end(body)
  let text = ''
  stream.on('data', (chunk: string) => (text += chunk))
  const [response] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  if (!stream.closed) await once(stream, 'close')
  return { status: response[':status'], headers: response, body: text }
}

test('a request over HTTP/2 looks like any other', async (t) => {
  let seen: HttpRequest | undefined
  const { port } = await serve(t, (ctx, request) => {
    seen = request
    return hello(ctx, request)
  })
  const client = await session(t, port)
  const answer = await ask(client, { ':path': '/a%20b?x=1', ':authority': 'example:1', 'x-a': '1' })
  assert.deepEqual([answer.status, answer.body, answer.headers['x-path']], [200, 'hello', 'a b'])
  assert.equal(answer.headers['content-length'], '5')
  assert.ok(answer.headers.date)
  assert.ok(seen)
  assert.deepEqual(
    [seen.protocol, seen.query, seen.peer.host, seen.header('x-a')],
    ['HTTP/2.0', 'x=1', 'example:1', '1'],
  )
  assert.equal(seen.header(':path'), '/a%20b?x=1')
  assert.equal((await collect(seen.body)).length, 0)
})

test('curl and nghttp agree', { skip: missing('curl', 'nghttp') }, async (t) => {
  const { port } = await serve(t, hello)
  const url = `http://127.0.0.1:${port}/x`
  const curl = await run('curl', ['-s', '--http2-prior-knowledge', '-w', '%{http_version} %{http_code}', url])
  assert.equal(curl.stdout, 'hello2 200')
  assert.equal((await run('nghttp', [url])).stdout, 'hello')
  const http1 = await run('curl', ['-s', '-w', '%{http_version}', url])
  assert.equal(http1.stdout, 'hello1.1')
})

test('the preface may come byte by byte', async (t) => {
  const { port } = await serve(t, hello)
  const raw = new Raw(port)
  raw.socket.setNoDelay()
  for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0') {
    raw.send(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  // A SETTINGS frame of the server.
  await raw.until((text) => text.length >= 9 && text[3] === '\x04')
  raw.socket.destroy()
})

test('HTTP/2 can be turned off', async (t) => {
  const { port } = await serve(t, hello, { http2: 'off' })
  assert.equal(statusOf(await talk(port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')), 400)
})

test('HEAD and 304 have no body, bodies without a length do', async (t) => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('ab')
    yield Buffer.from('cd')
  }
  const { port } = await serve(t, (_, request) =>
    request.path === 'same'
      ? { status: 304, headers: ['etag', '"x"'] }
      : request.path === 'chunks'
        ? {
            status: 200,
            headers: ['connection', 'close', 'keep-alive', 'x', 'transfer-encoding', 'chunked'],
            body: chunks(),
          }
        : { status: 200, headers: [], body: 'hello' },
  )
  const client = await session(t, port)
  const head = await ask(client, { ':method': 'HEAD' })
  assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '5'])
  const same = await ask(client, { ':path': '/same' })
  assert.deepEqual([same.status, same.body, same.headers['content-length']], [304, '', undefined])
  const chunked = await ask(client, { ':path': '/chunks' })
  assert.deepEqual([chunked.status, chunked.body, chunked.headers.connection], [200, 'abcd', undefined])
})

test('a slice of a file comes whole', async (t) => {
  const content = Buffer.alloc(1_500_001, 'abcdefghijk')
  const source = {
    read: (into: Uint8Array, at: number) => Promise.resolve(content.copy(into, 0, at)),
    close: () => Promise.resolve(),
  }
  const { port } = await serve(t, () => ({
    status: 200,
    headers: [],
    body: new FileSlice(source, { start: 1, end: content.length }),
  }))
  const client = await session(t, port)
  const answers = await Promise.all([1, 2, 3].map(() => ask(client, {})))
  for (const { body } of answers) assert.equal(body, content.toString('latin1', 1))
})

test('bodies go up, with 100 Continue for who waits for it', async (t) => {
  const { port } = await serve(t, async (_, request) => ({
    status: 200,
    headers: [],
    body: await collect(request.body),
  }))
  const client = await session(t, port)
  const big = 'x'.repeat(300_000)
  assert.equal((await ask(client, { ':method': 'PUT' }, big)).body, big)
  const stream = client.request({ ':path': '/', ':method': 'PUT', expect: '100-continue', 'content-length': '3' })
  await once(stream, 'continue')
  stream.end('abc')
  const [response] = (await once(stream, 'response')) as [{ ':status': number }]
  assert.equal(response[':status'], 200)
  stream.destroy()
})

test('an upload that is reset is an error, not a short file', async (t) => {
  let failed: ((error: unknown) => void) | undefined
  const failure = new Promise<unknown>((resolve) => (failed = resolve))
  const { port } = await serve(t, async (_, request) => {
    try {
      return { status: 200, headers: [], body: await collect(request.body) }
    } catch (error) {
      failed?.(error)
      throw error
    }
  })
  const client = await session(t, port)
  const stream = client.request({ ':path': '/', ':method': 'PUT' })
  stream.on('error', () => {})
  stream.write('abc', () => stream.close(constants.NGHTTP2_CANCEL))
  const error = await failure
  assert.ok(error instanceof AppError && error.code === 'aborted')
})

test('a client that goes away in the middle of uploads and answers is noticed', async (t) => {
  const outcomes: Promise<unknown>[] = []
  const { port, idle } = await serve(t, (ctx, request) => {
    const work =
      request.method === 'PUT' ? collect(request.body) : once(ctx.signal, 'abort').then(() => 'nobody waits any more')
    outcomes.push(work.then(String, (error: unknown) => (error as AppError).code))
    return work.then(() => ({ status: 200, headers: [] }))
  })
  const client = await session(t, port)
  const upload = client.request({ ':path': '/', ':method': 'PUT' })
  upload.on('error', () => {}).write('a part of it')
  client.request({ ':path': '/' }).on('error', () => {})
  // It has arrived when what was sent behind it has been answered.
  await new Promise((resolve) => client.ping(resolve))
  client.destroy()
  await idle
  assert.deepEqual(new Set(await Promise.all(outcomes)), new Set(['aborted', 'nobody waits any more']))
})

test('an upload that is refused is told to stop', async (t) => {
  const { port } = await serve(t, () => ({ status: 403, headers: [], body: 'no' }))
  const client = await session(t, port)
  const stream = client.request({ ':path': '/', ':method': 'PUT' })
  stream.on('error', () => {})
  stream.write('x'.repeat(30_000))
  const [response] = (await once(stream, 'response')) as [{ ':status': number }]
  assert.equal(response[':status'], 403)
  stream.resume()
  await once(stream, 'close')
  assert.equal(stream.rstCode, constants.NGHTTP2_NO_ERROR)
})

test('an upload that is refused in the middle is not whole to those who read on, and nothing of it stays', async (t) => {
  const outcomes: Promise<string>[] = []
  const server = await serve(t, async (_, request) => {
    const body = request.body[Symbol.asyncIterator]()
    if (request.path === 'busy') await body.next()
    const rest = collect({ [Symbol.asyncIterator]: () => body })
    outcomes.push(
      rest.then(
        () => 'whole',
        (error: unknown) => (error as AppError).code,
      ),
    )
    return { status: 409, headers: [], body: 'no' }
  })
  const client = await session(t, server.port)
  for (const path of ['/busy', '/waits']) {
    const stream = client.request({ ':path': path, ':method': 'PUT' })
    stream.on('error', () => {}).resume()
    stream.write('x'.repeat(60_000))
    await once(stream, 'close')
  }
  assert.deepEqual(await Promise.all(outcomes), ['aborted', 'aborted'])
  client.destroy()
  // It waits for streams that are open still.
  await server.close({ drainMs: 60_000 })
})

test('heads that make no sense are refused', async (t) => {
  const { port } = await serve(t, hello)
  const client = await session(t, port)
  for (const [headers, status] of [
    [{ ':authority': 'a', host: 'b' }, 400],
    [{ ':path': '/../x' }, 400],
    [{ ':scheme': 'ftp' }, 400],
    [{ ':method': 'TRACE' }, 405],
  ] as const)
    assert.equal((await ask(client, headers)).status, status, JSON.stringify(headers))
  assert.equal((await ask(client, { ':method': 'TRACE' })).headers.allow, 'GET, HEAD, OPTIONS')
})

test('the signal aborts when the client resets its stream', async (t) => {
  let done: ((sent: Sent) => void) | undefined
  const over = new Promise<Sent>((resolve) => (done = resolve))
  const { port } = await serve(t, (ctx) => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first')
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    }
    return { status: 200, headers: [], body: endless(), done: (sent) => done?.(sent) }
  })
  const client = await session(t, port)
  const stream = client.request({ ':path': '/' })
  stream.on('error', () => {})
  await once(stream, 'data')
  stream.close(constants.NGHTTP2_CANCEL)
  assert.deepEqual(await over, { bytes: 5, complete: false })
})

test('a body that fails cuts the stream and not the connection', async (t) => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('abc')
    throw new Error('the disk is gone')
  }
  const { port } = await serve(t, (ctx, request) =>
    request.path === 'bad' ? { status: 200, headers: [], body: failing() } : hello(ctx, request),
  )
  const client = await session(t, port)
  const stream = client.request({ ':path': '/bad' })
  stream.resume()
  const [error] = (await once(stream, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ERR_HTTP2_STREAM_ERROR')
  assert.equal((await ask(client, {})).body, 'hello')
})

test('a stream whose client takes nothing is ended', async (t) => {
  let done: ((sent: Sent) => void) | undefined
  const over = new Promise<Sent>((resolve) => (done = resolve))
  const { port } = await serve(
    t,
    () => ({ status: 200, headers: [], body: Buffer.alloc(1_000_000), done: (sent) => done?.(sent) }),
    { writeIdle: 10 },
  )
  const client = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } })
  client.on('error', () => {})
  t.after(() => client.destroy())
  client.request({ ':path': '/' }).on('error', () => {})
  assert.deepEqual(await over, { bytes: 0, complete: false })
})

test('a client that opens and resets streams without end is sent away', async (t) => {
  const { port } = await serve(t, hello)
  const client = await session(t, port)
  const away = once(client, 'goaway')
  for (let i = 0; i < 3000 && !client.destroyed && !client.closed; i++) {
    const stream = client.request({ ':path': '/' })
    stream.on('error', () => {})
    stream.close(constants.NGHTTP2_CANCEL)
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const [code] = (await away) as [number]
  assert.notEqual(code, constants.NGHTTP2_NO_ERROR)
})

test('a client that sends frames that mean nothing is sent away', async (t) => {
  const { port } = await serve(t, hello, { writeIdle: 100 })
  const raw = new Raw(port).send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0')
  const unknown = `\0\x03\xe8\xee\0\0\0\0\0${'x'.repeat(1000)}`
  for (let i = 0; i < 1000 && !raw.closed; i++) {
    raw.send(unknown)
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  // The type of a GOAWAY frame, or the end of the connection.
  await raw.until((text) => raw.closed || text.includes('\x07\0\0\0\0\0'))
  raw.socket.destroy()
})

test('h2load gets every answer', { skip: missing('h2load') }, async (t) => {
  const { port } = await serve(t, hello)
  const { stdout } = await run('h2load', ['-n', '2000', '-c', '4', '-m', '32', `http://127.0.0.1:${port}/`])
  assert.match(stdout, /2000 succeeded, 0 failed/)
})
