import assert from 'node:assert/strict'
import { once } from 'node:events'
import { utimesSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, run, scratch, serve, type Server } from '../program.ts'

/** All that the server says to these bytes until it closes the connection. */
async function talk(server: Server, bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`
const close = 'Connection: close\r\n'

/** A server whose file is hot: it was asked for before, and unchanged for a while. */
async function hotServer(t: Parameters<typeof serve>[0]): Promise<Server> {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'h\u00e9llo\n', 'b.bin': Buffer.from([0, 255, 10, 13]) })
  for (const name of ['a.txt', 'b.bin']) utimesSync(join(dir, name), 1e9, 1e9)
  const server = await serve(t, ['serve', 'http', dir])
  for (let i = 0; i < 20; i++) {
    await talk(server, get('/a.txt') + get('/b.bin', close))
    await new Promise((resolve) => setTimeout(resolve, 10)) // a file counts as unchanged after some 50 ms
  }
  return server
}

test('a hot file is answered alike the first and the hundredth time', async (t) => {
  const server = await hotServer(t)
  const answer = (await talk(server, get('/a.txt', close))).replace(/^Date: .*\r\n/m, '')
  const many = await talk(server, get('/a.txt').repeat(99) + get('/a.txt', close))
  const answers = many.split(/(?=HTTP\/1\.1 )/).map((text) => text.replace(/^Date: .*\r\n/m, ''))
  assert.equal(answers.length, 100)
  assert.equal(answers.at(-1), answer)
  const kept = answers.slice(0, -1).map((text) => text.replace(/^(Connection|Keep-Alive): .*\r\n/gm, ''))
  assert.deepEqual(new Set(kept).size, 1)
  assert.equal(kept[0], answer.replace(/^Connection: .*\r\n/im, ''))
  assert.match(many, /^Content-Length: 7\r\n/im)
  assert.match(answer, /\r\n\r\nh\u00c3\u00a9llo\n$/)
})

test('bytes of every value come through, and what is asked beside the file is heeded', async (t) => {
  const server = await hotServer(t)
  assert.ok((await talk(server, get('/b.bin') + get('/b.bin', close))).endsWith('\r\n\r\n\0\u00ff\n\r'))
  assert.match(await talk(server, get('/a.txt', `Range: bytes=0-1\r\n${close}`)), /^HTTP\/1\.1 206 /)
  assert.match(await talk(server, get('/a.txt', `If-None-Match: *\r\n${close}`)), /^HTTP\/1\.1 304 /)
  assert.match(await talk(server, get('/a.txt/', close)), /^HTTP\/1\.1 404 /)
  assert.match(await talk(server, 'HEAD /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'), /\r\n\r\n$/)
  assert.match(await talk(server, 'GET /a.txt HTTP/1.0\r\n\r\n'), /\r\n\r\nh\u00c3\u00a9llo\n$/)
  const body = 'POST /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc'
  assert.match(await talk(server, body + get('/a.txt', close)), /^HTTP\/1\.1 405 /)
  const withBody = 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc'
  assert.equal((await talk(server, withBody + get('/a.txt', close))).match(/HTTP\/1\.1 200 /g)?.length, 2)
})

test('a hot file goes out over HTTP/2 as well', { skip: missing('curl') }, async (t) => {
  const server = await hotServer(t)
  for (let i = 0; i < 2; i++) {
    const { stdout } = await run('curl', ['-s', '--http2-prior-knowledge', `${server.url}a.txt`])
    assert.equal(stdout, 'h\u00e9llo\n')
  }
})
