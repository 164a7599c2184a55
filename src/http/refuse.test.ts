import assert from 'node:assert/strict'
import test from 'node:test'
import { accessLog } from './access.ts'
import type { Handler } from './message.ts'
import { get, Raw, serve, talk } from './testing-sockets.ts'

const hello: Handler = () => ({ status: 200, headers: [], body: 'hello' })

/** A server with an access log, as its lines say it: the request line, status and bytes. */
async function logged(t: Parameters<typeof serve>[0], change: Parameters<typeof serve>[2] = {}) {
  const lines: string[] = []
  const access = accessLog({
    format: 'common',
    write: (line) => lines.push(line.replace(/^127\.0\.0\.1 - - \[.*?\] /, '')),
  })
  const { port } = await serve(t, access(hello), { refused: access, ...change })
  return { port, lines }
}

const cases: readonly (readonly [string, string])[] = [
  ['GET /../x?y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', '"GET /../x?y HTTP/1.1" 400 12'],
  ['GET /a HTTP/1.1\r\n\r\n', '"GET /a HTTP/1.1" 400 16'],
  ['TRACE /a HTTP/1.1\r\nHost: x\r\n\r\n', '"TRACE /a HTTP/1.1" 405 19'],
  ['CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', '"CONNECT a:1 HTTP/1.1" 405 23'],
  ['GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', '"GET /a b HTTP/1.1" 400 16'],
  ['GET /a HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n', '"GET /a HTTP/1.1" 400 16'],
  ['\x16\x03\x01"\x00\r\n\r\n', '"\\x16\\x03\\x01\\"\\x00" 400 16'],
  [`GET /${'a'.repeat(9000)} HTTP/1.1\r\n\r\n`, `"GET /${'a'.repeat(1995)}" 431 36`],
  ['PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n', '"PUT /a HTTP/1.1" 417 19'],
]

for (const [request, line] of cases)
  test(`what is refused before it is a request is in the access log: ${line.slice(0, 40)}`, async (t) => {
    const { port, lines } = await logged(t)
    await talk(port, request)
    assert.deepEqual(lines, [line])
  })

test('of requests in one packet the one that is refused is logged as refused', async (t) => {
  const { port, lines } = await logged(t)
  const raw = new Raw(port).send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n')
  await raw.until((text) => text.endsWith('hello'))
  await raw.send('GET /b HTTP/1.1\r\nHost: x\r\n\r\nBAD\r\n\r\n').end()
  assert.equal(lines[0], '"GET /a HTTP/1.1" 200 5')
  assert.ok(!lines.some((line) => /\/a.* 400/.test(line) || /\/b.* 400 16/.test(line)), lines.join('\n'))
})

test('what comes over a limit is in the access log', async (t) => {
  const { port, lines } = await logged(t, { maxConnections: 1 })
  const first = new Raw(port).send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n')
  await first.until((text) => text.endsWith('hello'))
  await talk(port, get('/b'))
  first.socket.destroy()
  assert.match(lines[1] ?? '', /^"GET \/b HTTP\/1.1" 503 /)
})

test('a head that does not come in time is in the access log', async (t) => {
  const { port, lines } = await logged(t, { headerTimeout: 100 })
  await talk(port, 'GET /a HT')
  assert.deepEqual(lines, ['"-" 408 20'])
})
