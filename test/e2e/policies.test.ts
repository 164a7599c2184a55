import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Raw } from '../../src/http/testing-sockets.ts'
import { missing } from '../peers.ts'
import { files, run, scratch, serve, sluice } from '../program.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))

test('--req-log tells when requests begin and how they end, whatever else is logged', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'abcdef' })
  const server = await serve(t, ['serve', 'http', dir, '--write', dir, '--req-log', 'get,DEL'])
  await (await fetch(`${server.url}a.txt`, { headers: { range: 'bytes=1-2' } })).text()
  await server.logged(/NOTICE: REQ#1 127\.0\.0\.1 GET \/a\.txt \[range: bytes=1-2\] start\n/)
  await server.logged(/NOTICE: REQ#1 GET done: reply 206 - 2 bytes in \d+ ms at \d+\.\d mbps\n/)
  await fetch(`${server.url}no%20file`)
  await server.logged(/NOTICE: REQ#2 GET \/no%20file error 404\n/)
  await fetch(`${server.url}b.txt`, { method: 'PUT', body: 'x' })
  await fetch(`${server.url}b.txt`, { method: 'DELETE' })
  await server.logged(/REQ#3 DELETE done: reply 204/)
  assert.doesNotMatch(server.log(), /PUT/)
})

test('--req-log * is all methods, REC the files that are written, - leaves the ends out', async (t) => {
  const dir = scratch(t)
  const server = await serve(t, ['serve', 'http', dir, '--write', dir, '--reqlog=-*,REC', '--max-upload', '10B'])
  await fetch(`${server.url}a.txt`, { method: 'PUT', body: 'abc' })
  await fetch(`${server.url}a.txt`, { method: 'HEAD' })
  await fetch(`${server.url}b.txt`, { method: 'POST', body: 'more than there may be' })
  await fetch(`${server.url}a.txt`, { method: 'DELETE' })
  await server.logged(/REC \/a\.txt deleted/)
  const lines = [...server.log().matchAll(/NOTICE: (REQ#.*)/g)].map(([, line]) => line)
  assert.deepEqual(lines, [
    'REQ#1 127.0.0.1 PUT /a.txt start',
    'REQ#1 REC /a.txt open',
    'REQ#1 REC /a.txt closed: 3 bytes',
    'REQ#2 127.0.0.1 HEAD /a.txt start',
    'REQ#3 127.0.0.1 POST /b.txt start',
    'REQ#3 REC /b.txt open',
    'REQ#3 REC /b.txt failed: 413',
    'REQ#3 POST /b.txt error 413',
    'REQ#4 127.0.0.1 DELETE /a.txt start',
    'REQ#4 REC /a.txt deleted',
  ])
  const { code, stderr } = await sluice(['serve', 'http', dir, '--req-log', 'GET,FETCH'])
  assert.deepEqual([code, /bad --req-log "GET,FETCH"/.test(stderr)], [2, true])
})

test('--req-log tells of a client that leaves', async (t) => {
  const dir = scratch(t)
  files(dir, { 'big.bin': Buffer.alloc(32 << 20) })
  const server = await serve(t, ['serve', 'http', dir, '--req-log', 'GET'])
  const socket = connect(server.port, '127.0.0.1')
  socket.write(get('/big.bin'))
  await once(socket, 'data')
  socket.destroy()
  await server.logged(/REQ#1 GET aborted: reply 200 - \d+ bytes/)
})

test('the last of --max-client-errors in a row closes the connection; what succeeds begins the count anew', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const server = await serve(t, ['serve', 'http', dir, '--max-client-errors', '3'])
  const raw = new Raw(server.port)
  const ask = async (path: string, count: number) => {
    raw.send(get(path))
    return await raw.until((text) => statuses(text).length === count && text.endsWith('\n'))
  }
  t.after(() => raw.socket.destroy())
  await ask('/no', 1)
  await ask('/no', 2)
  raw.send(get('/a.txt'))
  await raw.until((text) => text.endsWith('a'))
  await ask('/no', 4)
  assert.doesNotMatch(await ask('/no', 5), /connection: close/i)
  assert.match(await ask('/no', 6), /connection: close/i)
  await raw.end()
  assert.deepEqual(statuses(raw.text), [404, 404, 200, 404, 404, 404])
})

test('uploads that fail do not count as errors of a client', async (t) => {
  const dir = scratch(t)
  const server = await serve(t, ['serve', 'http', dir, '--write', dir, '--max-client-errors', '1'])
  const raw = new Raw(server.port)
  t.after(() => raw.socket.destroy())
  for (let i = 1; i <= 3; i++) {
    raw.send('DELETE /no HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await raw.until((text) => statuses(text).length === i)
  }
  assert.doesNotMatch(raw.text, /connection: close/i)
})

test('--no-keepalive closes after each answer', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const server = await serve(t, ['serve', 'http', dir, '--no-keepalive'])
  for (const path of ['/a.txt', '/a.txt', '/no', '/']) {
    const raw = new Raw(server.port).send(get(path))
    assert.match(await raw.end(), /connection: close/i, path)
  }
})

test('--exit-when-idle ends when the last client has left, and not when somebody only knocks', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const server = await serve(t, ['serve', 'http', dir, '--exit-when-idle'])
  const knock = connect(server.port, '127.0.0.1')
  await once(knock, 'connect')
  knock.destroy()
  await once(knock, 'close')
  const [one, two] = [new Raw(server.port), new Raw(server.port)]
  for (const raw of [one, two]) await raw.send(get('/a.txt')).until((text) => text.endsWith('a'))
  one.socket.destroy()
  await two.send(get('/')).until((text) => statuses(text).length === 2)
  two.socket.destroy()
  if (server.child.exitCode === null) await once(server.child, 'exit')
  assert.equal(server.child.exitCode, 0)
})

test('--exit-when-idle counts a session of HTTP/2 as a client', { skip: missing('curl') }, async (t) => {
  const server = await serve(t, ['serve', 'http', scratch(t), '--exit-when-idle'])
  const { stdout } = await run('curl', [
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{http_version}',
    '--http2-prior-knowledge',
    server.url,
  ])
  assert.equal(stdout, '2')
  if (server.child.exitCode === null) await once(server.child, 'exit')
  assert.equal(server.child.exitCode, 0)
})

test('--cache-control none gives a cache nothing to ask with, on files that match', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a', 'b.bin': 'b' })
  const server = await serve(t, ['serve', 'http', dir, '--cache-control', '*.txt none', '--cache-control', 'max-age=5'])
  const plain = await fetch(`${server.url}a.txt`)
  assert.deepEqual([plain.headers.get('etag'), plain.headers.get('cache-control')], [null, null])
  const since = { 'if-modified-since': plain.headers.get('last-modified') ?? '', 'if-none-match': '*' }
  assert.equal((await fetch(`${server.url}a.txt`, { headers: since })).status, 200)
  const kept = await fetch(`${server.url}b.bin`)
  assert.equal(kept.headers.get('cache-control'), 'max-age=5')
  assert.equal(
    (await fetch(`${server.url}b.bin`, { headers: { 'if-none-match': kept.headers.get('etag') ?? '' } })).status,
    304,
  )
})

test(
  'the answer to a request that names no path has the headers of all others',
  { skip: missing('curl') },
  async (t) => {
    const dir = scratch(t)
    const own = ['--header', 'X-A: 1', '--server-utc', '--cors', 'auto']
    const server = await serve(t, ['serve', 'http', dir, ...own])
    for (const version of ['--http1.1', '--http2-prior-knowledge']) {
      const { stdout } = await run('curl', ['-si', version, '-H', 'Origin: http://o', `${server.url}a%ZZ`])
      assert.match(stdout, /^HTTP\/[\d.]+ 400 /)
      for (const header of [
        'x-a: 1',
        'server-utc: \\d{13}',
        'access-control-allow-origin: http://o',
        'server: sluice/',
      ])
        assert.match(stdout, new RegExp(`\n${header}`, 'i'), version)
    }
  },
)
