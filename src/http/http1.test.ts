import assert from 'node:assert/strict'
import { connect } from 'node:net'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { bodyOf, collect, FileSlice } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import type { Handler, HttpRequest, HttpResponse, Sent } from './message.ts'
import { bodyOfAnswer, get, Raw, serve, statusOf, talk } from './testing-sockets.ts'

const hello: Handler = () => ({ status: 200, headers: ['content-type', 'text/plain'], body: 'hello' })
const echo: Handler = async (_, request) => ({ status: 200, headers: [], body: await collect(request.body) })

test('a request reaches the handler as it was sent', async (t) => {
  let seen: HttpRequest | undefined
  const { port } = await serve(t, (_, request) => {
    seen = request
    return { status: 204, headers: [] }
  })
  await talk(port, 'GET /a%20b/?x=1 HTTP/1.1\r\nHost: example:1\r\nX-A: 1\r\nx-a: 2\r\nConnection: close\r\n\r\n')
  assert.ok(seen)
  assert.equal(seen.method, 'GET')
  assert.equal(seen.rawPath, '/a%20b/')
  assert.equal(seen.path, 'a b')
  assert.ok(seen.directory)
  assert.equal(seen.query, 'x=1')
  assert.equal(seen.protocol, 'HTTP/1.1')
  assert.equal(seen.header('x-a'), '1, 2')
  for (const absent of ['x-b', 'constructor', '__proto__']) assert.equal(seen.header(absent), undefined)
  assert.equal(seen.contentLength, undefined)
  assert.equal((await collect(seen.body)).length, 0)
  assert.deepEqual({ ...seen.peer, port: 0 }, { address: '127.0.0.1', port: 0, secure: false, host: 'example:1' })
})

test('responses are framed by their length, or in chunks when nobody knows it', async (t) => {
  const responses: Record<string, () => HttpResponse> = {
    text: () => ({ status: 200, headers: [], body: 'grün' }),
    bytes: () => ({ status: 200, headers: ['content-length', '99'], body: Buffer.from('abc') }),
    none: () => ({ status: 201, headers: [] }),
    empty: () => ({ status: 204, headers: [] }),
    same: () => ({ status: 304, headers: ['etag', '"x"'], body: 'x', length: 1 }),
    known: () => ({ status: 200, headers: [], body: bodyOf('ab', 'cd'), length: 4 }),
    chunked: () => ({ status: 200, headers: [], body: bodyOf('ab', '', 'cd') }),
  }
  const { port } = await serve(t, (_, request) => responses[request.path]?.() ?? { status: 404, headers: [] })
  const answers = new Map<string, string>()
  for (const path of Object.keys(responses)) answers.set(path, await talk(port, get(`/${path}`)))
  const has = (path: string, pattern: RegExp) => assert.match(answers.get(path) ?? '', pattern, path)
  has('text', /content-length: 5\r\n[^]*\r\n\r\ngr\xc3\xbcn$/)
  has('bytes', /^(?![^]*99)[^]*content-length: 3\r\n[^]*\r\n\r\nabc$/)
  has('none', /content-length: 0\r\n/)
  has('empty', /^HTTP\/1.1 204 (?![^]*content-length)/i)
  has('same', /^HTTP\/1.1 304 (?![^]*content-length)[^]*\r\n\r\n$/i)
  has('known', /content-length: 4\r\n[^]*\r\n\r\nabcd$/)
  has('chunked', /Transfer-Encoding: chunked\r\n[^]*\r\n0\r\n\r\n$/)
  assert.equal(statusOf(await talk(port, 'GET /chunked HTTP/1.0\r\n\r\n')), 200)
})

test('HEAD has the headers of GET and no body, and gives the body back', async (t) => {
  let closed = 0
  const source = { read: () => Promise.resolve(0), close: () => Promise.resolve(void closed++) }
  const { port } = await serve(t, (_, request) =>
    request.path === 'file'
      ? { status: 200, headers: [], body: new FileSlice(source, { start: 5, end: 12 }) }
      : { status: 200, headers: [], body: 'hello' },
  )
  assert.match(await talk(port, get('/').replace('GET', 'HEAD')), /content-length: 5\r\n[^]*\r\n\r\n$/)
  assert.match(await talk(port, get('/file').replace('GET', 'HEAD')), /content-length: 7\r\n[^]*\r\n\r\n$/)
  assert.equal(closed, 1)
})

test('a slice of a file comes whole, whatever its size', async (t) => {
  const content = Buffer.alloc(3_000_001, 'abcdefghijk')
  let open = 0
  const { port } = await serve(t, (_, request) => {
    const [start = 0, end = 0] = request.path.split('-').map(Number)
    open++
    const source = {
      // Never more than 100 KB at a time: short reads are part of life.
      read: (into: Uint8Array, at: number) =>
        Promise.resolve(content.copy(into, 0, at, Math.min(at + 100_000, at + into.length))),
      close: () => Promise.resolve(void open--),
    }
    return { status: 206, headers: [], body: new FileSlice(source, { start, end }), length: end - start }
  })
  for (const [start, end] of [
    [0, 0],
    [3, 4],
    [0, 65536],
    [10, 65547],
    [0, content.length],
    [1_000_000, 2_900_000],
  ] as const) {
    const text = await talk(port, get(`/${start}-${end}`))
    assert.equal(statusOf(text), 206)
    assert.ok(Buffer.from(bodyOfAnswer(text), 'latin1').equals(content.subarray(start, end)), `${start}-${end}`)
  }
  assert.equal(open, 0)
})

test('what a handler throws is an answer without a stack', async (t) => {
  const server = await serve(t, (_, request) => {
    if (request.path === 'sync') throw new Error('secret /etc/x')
    if (request.path === 'missing') return Promise.reject(new AppError('not-found', 'gone'))
    return Promise.reject(new Error('async /etc/x'))
  })
  for (const path of ['/sync', '/async']) {
    const text = await talk(server.port, get(path))
    assert.equal(statusOf(text), 500)
    assert.equal(bodyOfAnswer(text), 'Internal Server Error\n')
  }
  assert.equal(statusOf(await talk(server.port, get('/missing'))), 404)
  assert.deepEqual(server.lines, ['error: sync: secret /etc/x', 'error: async: async /etc/x'])
})

test('a body that fails at once is an error response, one that fails later cuts the connection', async (t) => {
  async function* failing(chunks: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < chunks; i++) yield Buffer.from('abc')
    throw new Error('the disk is gone')
  }
  const sent: Sent[] = []
  const server = await serve(t, (_, request) => ({
    status: 200,
    headers: [],
    body: failing(Number(request.path)),
    ...(request.query === 'length' && { length: 100 }),
    done: (s) => void sent.push(s),
  }))
  assert.equal(statusOf(await talk(server.port, get('/0'))), 500)
  const chunked = await talk(server.port, get('/2'))
  assert.match(chunked, /^HTTP\/1.1 200 [^]*abc/)
  assert.doesNotMatch(chunked, /\r\n0\r\n\r\n$/)
  const counted = await talk(server.port, get('/2?length'))
  assert.match(counted, /content-length: 100\r\n[^]*\r\n\r\n(abc){0,2}$/)
  assert.deepEqual(
    sent.map((s) => s.complete),
    [true, false, false],
  )
})

test('a body that ends short or goes on too long is never a clean wrong one', async (t) => {
  const server = await serve(t, (_, request) => ({
    status: 200,
    headers: [],
    body: bodyOf('abc', 'def'),
    length: Number(request.path),
  }))
  assert.match(await talk(server.port, get('/9')), /content-length: 9\r\n[^]*\r\n\r\n(abcdef)?$/)
  assert.match(await talk(server.port, get('/4')), /content-length: 4\r\n[^]*\r\n\r\nabcd$/)
  assert.deepEqual(server.lines, [
    'error: 9: sending broke off: body ended after 6 of 9 bytes',
    'error: 4: body is longer than the 4 bytes announced: cut',
  ])
})

test('a header that cannot be sent is an error of ours, not a broken line', async (t) => {
  const { port } = await serve(t, () => ({ status: 200, headers: ['x-name', 'a\r\nSet-Cookie: b'], body: 'x' }))
  const text = await talk(port, get('/'))
  assert.equal(statusOf(text), 500)
  assert.doesNotMatch(text, /Set-Cookie/)
})

test('the signal aborts when the client leaves, and the body is given back', async (t) => {
  let gone: (() => void) | undefined
  const left = new Promise<void>((resolve) => (gone = resolve))
  const done = new Promise<Sent>((resolve) => {
    void serve(t, (ctx) => {
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('first')
        await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
      }
      ctx.signal.addEventListener('abort', () => gone?.())
      return { status: 200, headers: [], body: endless(), done: resolve }
    }).then(async ({ port }) => {
      const raw = new Raw(port).send(get('/'))
      await raw.until((text) => text.includes('first'))
      raw.socket.destroy()
    })
  })
  await left
  assert.deepEqual(await done, { bytes: 5, complete: false })
})

test('the signal aborts with that of the server', async (t) => {
  const stop = new AbortController()
  const { port } = await serve(
    t,
    (ctx) => {
      setImmediate(() => stop.abort(new AppError('aborted', 'closing')))
      return new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    },
    { signal: stop.signal },
  )
  assert.equal(statusOf(await talk(port, get('/'))), 503)
})

test('requests in a row are answered in order', async (t) => {
  const { port } = await serve(t, async (_, request) => {
    if (request.path === '0') await new Promise((resolve) => setImmediate(resolve))
    return { status: 200, headers: [], body: `<${request.path}>` }
  })
  const requests = Array.from({ length: 50 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`)
  const raw = new Raw(port).send(requests.join(''))
  const text = await raw.until((text) => text.includes('<49>'))
  assert.deepEqual(
    text.match(/<\d+>/g),
    Array.from({ length: 50 }, (_, i) => `<${i}>`),
  )
  raw.socket.destroy()
})

test('a request body arrives, however it is framed', async (t) => {
  const { port } = await serve(t, async (_, request) => {
    const body = Buffer.from(await collect(request.body)).toString()
    return { status: 200, headers: [], body: `${request.contentLength} ${body}` }
  })
  const put = 'PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
  assert.equal(bodyOfAnswer(await talk(port, `${put}Content-Length: 5\r\n\r\nhello`)), '5 hello')
  assert.equal(bodyOfAnswer(await talk(port, `${put}Content-Length: 0\r\n\r\n`)), '0 ')
  const chunks = '3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nTrailer: x\r\n\r\n'
  assert.equal(bodyOfAnswer(await talk(port, `${put}Transfer-Encoding: chunked\r\n\r\n${chunks}`)), 'undefined hello')
})

test('100 Continue is sent when the body is asked for, and not before', async (t) => {
  const { port } = await serve(t, async (_, request) => {
    if (request.path === 'no') return { status: 403, headers: [], body: 'no' }
    return { status: 200, headers: [], body: await collect(request.body) }
  })
  const head = (path: string) => `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`
  const refused = await talk(port, head('/no'))
  assert.match(refused, /^HTTP\/1.1 403 [^]*connection: close/)
  const raw = new Raw(port).send(head('/yes'))
  await raw.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n')
  raw.send('abc')
  await raw.until((text) => text.endsWith('abc'))
  raw.socket.destroy()
  assert.equal(statusOf(await talk(port, get('/', 'Expect: magic'))), 417)
})

test('an unread body is dropped when it is short, and ends the connection when it is not', async (t) => {
  const { port } = await serve(t, (_, request) => ({
    status: request.path === 'bad' ? 400 : 200,
    headers: [],
    body: 'ok',
  }))
  const raw = new Raw(port).send(
    'GET /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: x\r\n\r\n',
  )
  await raw.until((text) => text.split('HTTP/1.1 200').length === 3)
  raw.socket.destroy()
  const bad = await talk(
    port,
    'PUT /bad HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n',
  )
  assert.match(bad, /^HTTP\/1.1 400 [^]*connection: close/)
  assert.equal(bad.split('HTTP/1.1').length, 2)
})

test('a client that sends a large body gets to read why it is refused', async (t) => {
  const { port } = await serve(t, () => ({ status: 413, headers: [], body: 'too large' }))
  const raw = new Raw(port).send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n')
  for (let i = 0; i < 30; i++) raw.send('x'.repeat(100_000))
  assert.match(await raw.end(), /^HTTP\/1.1 413 [^]*too large$/)
  raw.socket.destroy()
})

test('who still reads a body when it is answered is let go, so that the rest of it is dropped', async (t) => {
  const reading: Promise<unknown>[] = []
  const { port } = await serve(t, (_, request) => {
    reading.push(collect(request.body).catch((error: unknown) => error))
    return { status: 409, headers: [], body: 'there already' }
  })
  const raw = new Raw(port).send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\nabc')
  await raw.until((text) => text.endsWith('there already'))
  assert.equal(((await reading[0]) as AppError).code, 'aborted')
  for (let i = 0; i < 29; i++) raw.send('x'.repeat(100_000))
  raw.socket.end('x'.repeat(99_997))
  await raw.until(() => raw.closed)
  assert.equal(raw.socket.errored, null)
})

test('a body that stops or drips ends with 408', async (t) => {
  const { port } = await serve(t, echo, {
    bodyIdle: 50,
  })
  const raw = new Raw(port).send('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc')
  assert.match(await raw.end(), /^HTTP\/1.1 408 /)
})

test('a body that the client breaks off is an error, not a short file', async (t) => {
  const failed = new Promise<unknown>((resolve) => {
    void serve(t, async (_, request) => {
      try {
        return { status: 200, headers: [], body: await collect(request.body) }
      } catch (error) {
        resolve(error)
        throw error
      }
    }).then(({ port }) => {
      const raw = new Raw(port).send('PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
      raw.socket.end()
    })
  })
  const error = await failed
  assert.ok(error instanceof AppError)
  assert.equal(error.code, 'aborted')
})

test('what comes of a body behind the answer that refuses it is not taken', async (t) => {
  const ended: string[] = []
  const kept: Handler = async (_, request) => {
    const outcome = await collect(request.body).then(
      (bytes) => `whole: ${bytes.length}`,
      (error: unknown) => (error as AppError).code,
    )
    ended.push(outcome)
    return { status: 200, headers: [] }
  }
  const { port } = await serve(t, kept, { serverReadTimeout: 200 })
  const head = 'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'
  for (const [more, status] of [
    ['', 408],
    ['zz\r\n', 400],
  ] as const) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    t.after(() => socket.destroy())
    socket.write(head + more)
    const text = String(await collect(socket))
    assert.equal(statusOf(text), status)
    assert.equal(text.split('HTTP/1.1 ').length, 2)
    socket.write('3\r\ndef\r\n0\r\n\r\n')
  }
  assert.deepEqual(ended, ['aborted', 'aborted'])
})

test('heads that are not HTTP are refused and the connection ends', async (t) => {
  const { port } = await serve(t, (ctx, request) => (request.method === 'PUT' ? echo : hello)(ctx, request))
  const cases: readonly (readonly [string, number])[] = [
    ['GARBAGE\r\n\r\n', 400],
    ['GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
    ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nA\r\n', 400],
    ['TRACE / HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 405],
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(9000)}\r\n\r\n`, 431],
    [`GET / HTTP/1.1\r\nHost: x\r\n${'a:b\r\n'.repeat(200)}\r\n`, 431],
  ]
  for (const [text, status] of cases) {
    const answer = await talk(port, text)
    assert.equal(statusOf(answer), status, JSON.stringify(text.slice(0, 60)))
    assert.match(answer, /\r\nconnection: close\r\n/i)
    assert.match(answer, /\r\ncontent-type: text\/plain; charset=utf-8\r\n/i)
    assert.equal(answer.split('HTTP/1.1 ').length, 2)
  }
  const upgrade = get('/', 'Upgrade: websocket').replace('close', 'Upgrade')
  const raw = new Raw(port).send(upgrade)
  assert.equal(statusOf(await raw.until((text) => text.endsWith('hello'))), 200)
  raw.socket.destroy()
})

test('8 KiB of headers pass with a limit of 4096, as with rclone', async (t) => {
  const { port } = await serve(t, hello)
  assert.equal(statusOf(await talk(port, get('/', `X: ${'a'.repeat(7900)}`))), 200)
})

test('a connection that sends nothing, or half a head, gets 408', async (t) => {
  const { port } = await serve(t, hello, { headerTimeout: 100 })
  assert.equal(statusOf(await talk(port, '')), 408)
  assert.equal(statusOf(await talk(port, 'GET / HTTP/1.1\r\nHost: x\r\n')), 408)
})

test('a request that takes too long to arrive gets 408', async (t) => {
  const { port } = await serve(t, echo, {
    serverReadTimeout: 200,
  })
  assert.equal(statusOf(await talk(port, 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab')), 408)
})

test('an idle connection is closed after a while', async (t) => {
  const { port } = await serve(t, hello, { idleTimeout: 10 })
  const raw = new Raw(port).send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.equal(statusOf(await raw.end()), 200)
})

test('an idle connection is kept for its own time, also when a client may stall for less', async (t) => {
  const { port } = await serve(t, hello, { idleTimeout: 5000, writeIdle: 50 })
  const raw = new Raw(port).send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const first = await raw.until((text) => text.includes('\r\n\r\n'))
  assert.match(first, /^keep-alive: timeout=5\r$/im)
  await sleep(200)
  assert.ok(!raw.closed)
  raw.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  assert.equal((await raw.end()).split('HTTP/1.1 200').length, 3)
})

test('a client that takes nothing of its response is cut off', async (t) => {
  let done: ((sent: Sent) => void) | undefined
  const over = new Promise<Sent>((resolve) => (done = resolve))
  const source = { read: (into: Uint8Array) => Promise.resolve(into.length), close: () => Promise.resolve() }
  const { port } = await serve(
    t,
    () => ({ status: 200, headers: [], body: new FileSlice(source, { start: 0, end: 1e9 }), done: (s) => done?.(s) }),
    { writeIdle: 200 },
  )
  const raw = new Raw(port)
  raw.socket.pause()
  raw.send(get('/'))
  const sent = await over
  assert.equal(sent.complete, false)
  assert.ok(sent.bytes > 0 && sent.bytes < 1e9)
})

test('a client that stalls is cut off after an idle time without limit as well', async (t) => {
  const over = Promise.withResolvers<Sent>()
  const source = { read: (into: Uint8Array) => Promise.resolve(into.length), close: () => Promise.resolve() }
  const large = () => new FileSlice(source, { start: 0, end: 1e9 })
  const { port } = await serve(
    t,
    (_ctx, { path }) =>
      path === 'large'
        ? { status: 200, headers: [], body: large(), done: (sent) => over.resolve(sent) }
        : { status: 200, headers: [] },
    { writeIdle: 100, idleTimeout: 0 },
  )
  const raw = new Raw(port).send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await raw.until((text) => text.includes('\r\n\r\n'))
  await sleep(300)
  assert.ok(!raw.closed)
  raw.socket.pause()
  raw.send('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.equal((await over.promise).complete, false)
})

test('a handler that takes its time is not a stalled client', async (t) => {
  const { port } = await serve(
    t,
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      return { status: 200, headers: [], body: 'late' }
    },
    { writeIdle: 50 },
  )
  assert.match(await talk(port, get('/')), /late$/)
})

test('a response that takes longer than it may is cut', async (t) => {
  async function* drip(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield Buffer.from('x')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const { port } = await serve(t, () => ({ status: 200, headers: [], body: drip() }), { serverWriteTimeout: 100 })
  assert.doesNotMatch(await talk(port, get('/')), /\r\n0\r\n\r\n$/)
})
