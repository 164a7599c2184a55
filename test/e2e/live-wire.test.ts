import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { scratch, serve, type Server } from '../program.ts'

async function origin(t: TestContext, ...args: string[]): Promise<Server> {
  const dir = scratch(t)
  return await serve(t, ['serve', 'http', dir, '--write', dir, ...args])
}

async function dial(t: TestContext, server: Server): Promise<Socket> {
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A request as ffmpeg's http protocol writes it. */
const head = (method: string, path: string, more = '') =>
  `${method} /${path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\nUser-Agent: Lavf/59.27.100\r\nAccept: */*\r\nConnection: keep-alive\r\nHost: 127.0.0.1\r\nIcy-MetaData: 1\r\n${more}\r\n`
const chunked = (...chunks: string[]) =>
  `${chunks.map((c) => `${c.length.toString(16)}\r\n${c}\r\n`).join('')}0\r\n\r\n`

/** All that comes until the other side ends, or `enough` is there so many times. */
async function received(socket: Socket, enough?: RegExp, times = 1): Promise<string> {
  const each = enough && new RegExp(enough, 'g')
  let text = ''
  return await new Promise((resolve) => {
    const done = () => {
      socket.off('data', take)
      resolve(text)
    }
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (each && (text.match(each)?.length ?? 0) >= times) done()
    }
    socket.on('data', take).once('end', done).once('close', done)
  })
}

const content = async (server: Server, name: string) => {
  const response = await fetch(server.url + name)
  return `${response.status} ${await response.text()}`
}

/** Waits until a file is what it should be. */
async function becomes(server: Server, name: string, expected: string): Promise<void> {
  let last = ''
  for (const end = performance.now() + 20_000; performance.now() < end;)
    if ((last = await content(server, name)) === expected) return
  assert.equal(last, expected)
}

test('uploads that are sent without reading answers are applied in their order', async (t) => {
  const server = await origin(t)
  const socket = await dial(t, server)
  let all = ''
  for (let i = 0; i < 40; i++) all += head('PUT', 'a.mpd') + chunked(`version ${i}`)
  socket.write(all + head('PUT', 'seg.m4s') + chunked('media'))
  await becomes(server, 'seg.m4s', '200 media')
  await becomes(server, 'a.mpd', '200 version 39')
  const answers = await received(socket, /HTTP\/1\.1 20[14] /, 41)
  assert.equal(answers.match(/HTTP\/1\.1 201 /g)?.length, 2, 'each file is made once')
})

test('a publisher that ends its half after the last byte, or is gone before the answer, has stored its file', async (t) => {
  const server = await origin(t)
  const half = await dial(t, server)
  half.end(head('PUT', 'half.m4s') + chunked('one', 'two'))
  assert.match(await received(half), /^HTTP\/1\.1 201 /)
  await becomes(server, 'half.m4s', '200 onetwo')
  for (let i = 0; i < 10; i++) {
    const socket = await dial(t, server)
    socket.write(head('PUT', `gone${i}.m4s`) + chunked('three'), () => socket.resetAndDestroy())
  }
  const closing = await dial(t, server)
  closing.write(head('PUT', 'closed.m4s') + chunked('four'), () => closing.destroy())
  await becomes(server, 'closed.m4s', '200 four')
  assert.doesNotMatch(server.log(), /ERROR/)
})

test('files are removed by a DELETE with an empty chunked body, and it is never the fault of the server', async (t) => {
  const server = await origin(t)
  const socket = await dial(t, server)
  socket.write(head('PUT', 'd/x.m4s') + chunked('x'))
  await received(socket, /HTTP\/1\.1 201/)
  socket.write(head('DELETE', 'd/x.m4s') + chunked() + head('DELETE', 'd/x.m4s') + chunked())
  const answers = await received(socket, /HTTP\/1\.1 204[^]*HTTP\/1\.1 404/)
  assert.match(answers, /HTTP\/1\.1 204[^]*HTTP\/1\.1 404/)
  assert.match(await content(server, 'd/x.m4s'), /^404/)
  // As GPAC does it: no length at all.
  socket.write('DELETE /d/never/was.m4s HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n\r\n')
  assert.match(await received(socket, /\r\n\r\n/), /^HTTP\/1\.1 404/)
  const storm = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => (await fetch(`${server.url}d/${i}.m4s`, { method: 'DELETE' })).status),
  )
  assert.deepEqual(new Set(storm), new Set([404]))
})

test('a DELETE right behind the upload of the same file removes it', async (t) => {
  const server = await origin(t)
  const socket = await dial(t, server)
  socket.write(head('PUT', 'y.m4s') + chunked('y') + head('DELETE', 'y.m4s') + chunked())
  assert.match(await received(socket, /HTTP\/1\.1 201[^]*HTTP\/1\.1 204/), /201[^]*204/)
  assert.match(await content(server, 'y.m4s'), /^404/)
})

test('a packager whose file is refused is heard out and keeps its connection', async (t) => {
  const args = ['--live-dir', 'live=memory', '--max-upload', '1000B', '--max-cache-bytes', '500B']
  const server = await serve(t, ['serve', 'http', ...args])
  const socket = await dial(t, server)
  const large = Array.from({ length: 40 }, () => 'x'.repeat(50_000))
  const sent = new Promise((resolve) => socket.write(head('PUT', 'live/s1.m4s') + chunked(...large), resolve))
  socket.write(head('PUT', 'live/s2.m4s') + chunked('small'))
  await sent
  assert.match(await received(socket, /HTTP\/1\.1 201/), /^HTTP\/1\.1 413 [^]*HTTP\/1\.1 201 /)
  socket.write(head('PUT', 'live/keep.bin') + chunked('x'.repeat(600)))
  await received(socket, /HTTP\/1\.1 201/)
  socket.write(head('PUT', 'live/s3.bin') + chunked(...large) + head('DELETE', 'live/keep.bin') + chunked())
  assert.match(await received(socket, /HTTP\/1\.1 204/), /^HTTP\/1\.1 507 [^]*HTTP\/1\.1 204 /)
  assert.equal(await content(server, 'live/s2.m4s'), '404 File not found\n')
})

test('what GPAC sends with its first upload is no other protocol, and its type is none', async (t) => {
  const server = await origin(t)
  const socket = await dial(t, server)
  const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
  const gpac = `PUT /g.m4s HTTP/1.1\r\nHost: x\r\nContent-Type: *\r\nUser-Agent: GPAC/26.08\r\n${upgrade}Transfer-Encoding: chunked\r\n\r\n`
  socket.write(`${gpac}3\r\nabc\r\n`)
  socket.write(`0\r\n\r\n`)
  assert.match(await received(socket, /\r\n\r\n/), /^HTTP\/1\.1 201 /)
  const got = await fetch(`${server.url}g.m4s`)
  assert.deepEqual([await got.text(), got.headers.get('content-type')], ['abc', 'video/mp4'])
  assert.doesNotMatch(got.headers.get('content-type') ?? '', /\*/)
})

test('readers of the old version finish it while the next one comes', async (t) => {
  const server = await origin(t)
  const old = 'o'.repeat(8_000_000)
  await fetch(`${server.url}big.m4s`, { method: 'PUT', body: old })
  const reading = await fetch(`${server.url}big.m4s`)
  await fetch(`${server.url}big.m4s`, { method: 'PUT', body: 'new' })
  assert.equal(await content(server, 'big.m4s'), '200 new')
  assert.ok((await reading.text()) === old)
})

test('HEAD of a file that is written, and a reader over HTTP/1.0, get no false end', async (t) => {
  const server = await origin(t)
  const publisher = await dial(t, server)
  publisher.write(`${head('PUT', 'h.m4s')}3\r\nabc\r\n`)
  await becomesGrowing(server, 'h.m4s')
  const looked = await fetch(`${server.url}h.m4s`, { method: 'HEAD' })
  assert.deepEqual([looked.status, looked.headers.get('content-length')], [200, null])
  const reader = await dial(t, server)
  reader.write('GET /h.m4s HTTP/1.0\r\n\r\n')
  publisher.write('3\r\ndef\r\n0\r\n\r\n')
  assert.match(await received(reader), /^HTTP\/1\.1 200 [^]*\r\n\r\nabcdef$/)
})

async function becomesGrowing(server: Server, name: string): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end;)
    if ((await fetch(server.url + name, { method: 'HEAD' })).status === 200) return
  assert.fail(`${name} never came`)
}

test('manifests and playlists may come packed, other files may not', async (t) => {
  const server = await origin(t, '--max-upload', '2K')
  const put = async (name: string, body: Buffer<ArrayBuffer>, headers: Record<string, string> = {}) =>
    await fetch(server.url + name, { method: 'PUT', body, headers: { 'content-encoding': 'gzip', ...headers } })
  const text = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nseg1.ts\n'
  const digest = `sha-256=:${createHash('sha256').update(gzipSync(text)).digest('base64')}:`
  const sums = { 'content-digest': digest, 'repr-digest': digest }
  assert.equal((await put('a.m3u8', gzipSync(text), sums)).status, 201)
  assert.match(await content(server, 'a.m3u8'), /^200 #EXTM3U\n[^]*CAN-BLOCK-RELOAD=YES[^]*seg1\.ts\n$/)
  assert.equal((await put('a.m3u8', gzipSync(text).subarray(0, 30))).status, 400)
  assert.equal((await put('a.m3u8', Buffer.from('not packed'))).status, 400)
  assert.equal((await put('a.m3u8', gzipSync('x'.repeat(3000)))).status, 413)
  assert.equal((await put('a.m3u8', gzipSync(text), { 'content-encoding': 'br' })).status, 415)
  const other = await put('a.m4s', gzipSync(text))
  assert.deepEqual([other.status, other.headers.get('accept-encoding')], [415, 'identity'])
  assert.match(await content(server, 'a.m3u8'), /^200 #EXTM3U\n/)
})
