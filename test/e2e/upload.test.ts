import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { missing } from '../peers.ts'
import { openUpload as open } from '../open-upload.ts'
import { files, run, scratch, serve, type Server } from '../program.ts'

async function readWrite(t: Parameters<typeof serve>[0], ...args: string[]) {
  const dir = scratch(t)
  const server = await serve(t, ['serve', 'http', dir, '--write', dir, ...args])
  const at = (name: string) => join(dir, name)
  const put = (
    name: string,
    body: string | Buffer<ArrayBuffer>,
    headers: Record<string, string> = {},
    method = 'PUT',
  ) => fetch(server.url + name, { method, body, headers })
  return { dir, server, at, put }
}

/** Waits until a GET answers with this status. */
async function answers(server: Server, name: string, status: number): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end;)
    if ((await fetch(server.url + name, { method: 'HEAD' })).status === status) return
  assert.fail(`${name} never answered ${status}`)
}

test('an upload is stored, replaced and removed, and nothing but the file is left', async (t) => {
  const { dir, server, at, put } = await readWrite(t)
  const made = await put('a/b/c.txt', 'one')
  assert.deepEqual([made.status, made.headers.get('location')], [201, '/a/b/c.txt'])
  const replaced = await put('a/b/c.txt', 'three')
  assert.equal(replaced.status, 204)
  assert.notEqual(replaced.headers.get('etag'), made.headers.get('etag'))
  const got = await fetch(`${server.url}a/b/c.txt`)
  assert.equal(got.headers.get('etag'), replaced.headers.get('etag'))
  assert.equal(await got.text(), 'three')
  assert.deepEqual(readdirSync(at('a/b')), ['c.txt'])
  assert.equal((await fetch(`${server.url}a/b/c.txt`, { method: 'DELETE' })).status, 204)
  assert.equal((await fetch(`${server.url}a/b/c.txt`)).status, 404)
  assert.deepEqual(readdirSync(dir), ['a'])
})

test('a reader follows an upload, and both end together', async (t) => {
  const { server, at } = await readWrite(t)
  const upload = await open(server, 'live.bin')
  await upload.write('first ')
  await answers(server, 'live.bin', 200)
  const response = await fetch(`${server.url}live.bin`)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'first ')
  assert.equal(existsSync(at('live.bin')), false)
  await upload.write('second ')
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'second ')
  const range = await fetch(`${server.url}live.bin`, { headers: { range: 'bytes=2-9' } })
  assert.deepEqual([range.status, range.headers.get('content-range')], [206, 'bytes 2-9/*'])
  assert.equal(await range.text(), 'rst seco')
  assert.equal(await upload.end(), 201)
  assert.equal((await reader.read()).done, true)
  assert.equal(readFileSync(at('live.bin'), 'utf8'), 'first second ')
})

test('the text of an upload reaches those who accept compression as soon as others', async (t) => {
  const { server } = await readWrite(t)
  const upload = await open(server, 'captions.vtt')
  await upload.write('WEBVTT\n')
  await answers(server, 'captions.vtt', 200)
  const response = await fetch(`${server.url}captions.vtt`, { headers: { 'accept-encoding': 'gzip' } })
  assert.equal(response.headers.get('content-encoding'), null)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'WEBVTT\n')
  assert.equal(await upload.end(), 201)
})

test('readers of a manifest have whole versions only, and an older upload that ends later does not win', async (t) => {
  const { server, put } = await readWrite(t)
  await put('live.mpd', 'one')
  const old = await open(server, 'live.mpd')
  await old.write('tw')
  const fresh = await open(server, 'live.mpd')
  await fresh.write('thr')
  assert.equal(await (await fetch(`${server.url}live.mpd`)).text(), 'one')
  await fresh.write('ee')
  assert.equal(await fresh.end(), 204)
  assert.equal(await (await fetch(`${server.url}live.mpd`)).text(), 'three')
  await old.write('o')
  assert.equal(await old.end(), 204)
  assert.equal(await (await fetch(`${server.url}live.mpd`)).text(), 'three')
})

test('a publisher that dies leaves what was there, and breaks its readers off', async (t) => {
  const { dir, server, put } = await readWrite(t)
  await put('x.bin', 'old')
  const upload = await open(server, 'x.bin')
  await upload.write('new')
  const reader = await fetch(`${server.url}x.bin`)
  await (reader.body as ReadableStream<Uint8Array>).getReader().read()
  const second = await fetch(`${server.url}x.bin`)
  upload.req.destroy()
  await assert.rejects(second.text())
  assert.equal(await (await fetch(`${server.url}x.bin`)).text(), 'old')
  // Readers are told first; what had come goes then.
  for (const end = performance.now() + 20_000; readdirSync(dir).length > 1;) {
    assert.ok(performance.now() < end, 'what had come is still there')
    await nextTurn()
  }
})

test('what was acknowledged is there after the program was killed', async (t) => {
  const { server, at, put } = await readWrite(t)
  const body = randomBytes(300_000)
  assert.equal((await put('x.bin', body)).status, 201)
  server.child.kill('SIGKILL')
  assert.deepEqual(readFileSync(at('x.bin')), body)
})

test('parts are written into a file: inside, over its end, behind it, and with a hole', async (t) => {
  const { at, put } = await readWrite(t)
  await put('f.txt', 'ABCDEFGHIJ')
  const parts: [headers: Record<string, string>, body: string, result: string][] = [
    [{ range: 'bytes=2-4' }, 'xyz', 'ABxyzFGHIJ'],
    [{ 'content-range': 'bytes 2-4/*' }, 'CDE', 'ABCDEFGHIJ'],
    [{ range: 'bytes=8-12' }, 'vwxyz', 'ABCDEFGHvwxyz'],
    [{ range: 'bytes=13-' }, '!', 'ABCDEFGHvwxyz!'],
    [{ range: 'bytes=-1' }, '?', 'ABCDEFGHvwxyz?'],
    [{ 'content-range': 'bytes 16-17/*' }, 'zz', 'ABCDEFGHvwxyz?\0\0zz'],
  ]
  for (const [headers, body, result] of parts) {
    assert.equal((await put('f.txt', body, headers)).status, 204)
    assert.equal(readFileSync(at('f.txt'), 'utf8'), result)
  }
  assert.equal((await put('f.txt', 'zz', { 'content-range': 'bytes 0-1/*' }, 'PATCH')).status, 204)
  const wrong: Record<string, string>[] = [
    { range: 'bytes=2-4' },
    { 'content-range': 'bytes 2-9/4' },
    { range: 'items=1-2' },
  ]
  for (const headers of wrong) assert.equal((await put('f.txt', 'xy', headers)).status, 400, JSON.stringify(headers))
  assert.equal((await put('f.txt', 'xy', {}, 'PATCH')).status, 405)
  assert.equal(readFileSync(at('f.txt'), 'utf8').slice(0, 4), 'zzCD')
})

test('parts of one file that come at the same time are all in it, and a slow one loses nothing', async (t) => {
  const { server, put, at } = await readWrite(t)
  await put('f.txt', 'ABCDEFGHIJ')
  const slow = await open(server, 'f.txt', { range: 'bytes=0-1' })
  await slow.write('0')
  const others = ['2-3', '4-5', '6-7'].map((range) => put('f.txt', range.replace('-', ''), { range: `bytes=${range}` }))
  await slow.write('1')
  assert.equal(await slow.end(), 204)
  for (const { status } of await Promise.all(others)) assert.equal(status, 204)
  assert.equal(readFileSync(at('f.txt'), 'utf8'), '01234567IJ')
})

test('with --no-holes a part that would leave bytes out is refused', async (t) => {
  const { put, at } = await readWrite(t, '--no-holes')
  await put('f.txt', 'AB')
  assert.equal((await put('f.txt', 'z', { range: 'bytes=5-5' })).status, 416)
  assert.equal((await put('f.txt', 'C', { range: 'bytes=2-2' })).status, 204)
  assert.equal(readFileSync(at('f.txt'), 'utf8'), 'ABC')
})

test('conditions hold at the end of an upload as well: of many that make one file, one does', async (t) => {
  const { server, put, at } = await readWrite(t)
  const bodies = Array.from({ length: 8 }, (_, i) => `body ${i}`)
  const statuses = await Promise.all(
    bodies.map(async (b) => (await put('one.txt', b, { 'if-none-match': '*' })).status),
  )
  assert.equal(statuses.filter((status) => status === 201).length, 1)
  assert.equal(statuses.filter((status) => status === 412 || status === 409).length, 7)
  assert.equal(readFileSync(at('one.txt'), 'utf8'), bodies[statuses.indexOf(201)])
  assert.equal((await put('one.txt', 'x', { 'if-match': '"other"' })).status, 412)
  const first = await open(server, 'two.txt', { 'if-none-match': '*' })
  await first.write('first')
  assert.equal((await put('two.txt', 'second', { 'if-none-match': '*' })).status, 201)
  assert.equal(await first.end(), 412)
  assert.equal(readFileSync(at('two.txt'), 'utf8'), 'second')
})

test('a checksum that does not fit what came is an error, and the file stays as it was', async (t) => {
  const { put, at } = await readWrite(t)
  const digest = (text: string) => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`
  assert.equal((await put('f.txt', 'good', { 'repr-digest': digest('good') })).status, 201)
  assert.equal((await put('f.txt', 'bad', { 'content-digest': digest('good') })).status, 400)
  assert.equal((await put('f.txt', 'bad', { 'content-digest': 'nonsense' })).status, 400)
  assert.equal(readFileSync(at('f.txt'), 'utf8'), 'good')
  const part = { 'content-range': 'bytes 4-8/9', 'content-digest': digest('bytes') }
  assert.equal((await put('f.txt', 'bytes', { ...part, 'repr-digest': digest('bytes') })).status, 400)
  assert.equal((await put('f.txt', 'bytes', { ...part, 'repr-digest': digest('goodbytes') })).status, 204)
  assert.equal(readFileSync(at('f.txt'), 'utf8'), 'goodbytes')
})

test('nothing larger than --max-upload is stored, whether it says its size or not', async (t) => {
  const { dir, at, put, server } = await readWrite(t, '--max-upload', '1000B')
  assert.equal((await put('full', 'x'.repeat(1000))).status, 201)
  assert.equal((await put('more', 'x'.repeat(1001))).status, 413)
  const upload = await open(server, 'chunked')
  await upload.write('x'.repeat(1001))
  assert.equal(await upload.end(), 413)
  assert.equal((await put('full', 'x', { range: 'bytes=1000-1000' })).status, 413)
  const appended = await open(server, 'full', { range: 'bytes=999-' })
  await appended.write('xx')
  assert.equal(await appended.end(), 413)
  assert.deepEqual(readdirSync(dir), ['full'])
  assert.equal(readFileSync(at('full'), 'utf8').length, 1000)
})

test('a web page of another origin can neither write nor delete, one that is allowed can', async (t) => {
  const { put, server, at } = await readWrite(t, '--allow-origin', 'http://friend.example')
  await put('f.txt', 'mine')
  for (const origin of ['http://evil.example', 'null']) {
    assert.equal((await put('f.txt', 'evil', { origin }, 'POST')).status, 403)
    assert.equal((await fetch(`${server.url}f.txt`, { method: 'DELETE', headers: { origin } })).status, 403)
  }
  assert.equal(readFileSync(at('f.txt'), 'utf8'), 'mine')
  assert.equal((await put('f.txt', 'theirs', { origin: 'http://friend.example' })).status, 204)
})

test('uploads stay inside their folder and off the files of the server itself', async (t) => {
  const dir = scratch(t)
  files(dir, { 'w/users': 'me:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n', 'outside/': '' })
  const server = await serve(t, [
    'serve',
    'http',
    join(dir, 'w'),
    '--write',
    join(dir, 'w'),
    '--htpasswd',
    join(dir, 'w/users'),
  ])
  const headers = { authorization: `Basic ${btoa('me:test')}` }
  assert.equal((await fetch(`${server.url}users`, { method: 'PUT', body: 'x', headers })).status, 403)
  assert.match(readFileSync(join(dir, 'w/users'), 'utf8'), /^me:/)
  assert.equal((await fetch(`${server.url}x`, { method: 'PUT', body: 'x' })).status, 401)
  const socket = connect(server.port, '127.0.0.1')
  socket.write(
    `PUT /../outside/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${headers.authorization}\r\nContent-Length: 1\r\n\r\nx`,
  )
  assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 400/)
  socket.destroy()
  assert.deepEqual(readdirSync(join(dir, 'outside')), [])
})

test('a server that only takes gives nothing', async (t) => {
  const dir = scratch(t)
  const server = await serve(t, ['serve', 'http', '--write', dir])
  assert.equal((await fetch(`${server.url}a`, { method: 'PUT', body: 'in' })).status, 201)
  const got = await fetch(`${server.url}a`)
  assert.deepEqual([got.status, got.headers.get('allow')], [405, 'OPTIONS, PUT, POST, PATCH, DELETE'])
  assert.equal(readFileSync(join(dir, 'a'), 'utf8'), 'in')
})

test('uploads into memory are served from there', async (t) => {
  const server = await serve(t, ['serve', 'http', ':memory:', '--write', ':memory:'])
  const body = randomBytes(700_000)
  assert.equal((await fetch(`${server.url}d/x.bin`, { method: 'PUT', body })).status, 201)
  assert.deepEqual(Buffer.from(await (await fetch(`${server.url}d/x.bin`)).arrayBuffer()), body)
})

test('curl uploads, appends and resumes', { skip: missing('curl') }, async (t) => {
  const { dir, server, at } = await readWrite(t)
  const from = scratch(t)
  const body = randomBytes(2_000_000)
  writeFileSync(join(from, 'x.bin'), body)
  const up = await run('curl', ['-sf', '-T', join(from, 'x.bin'), `${server.url}sub/`])
  assert.equal(up.code, 0, up.stderr)
  assert.deepEqual(readFileSync(at('sub/x.bin')), body)
  writeFileSync(at('half.bin'), body.subarray(0, 700_000))
  // curl's -C sends Content-Range with an upload.
  const resumed = await run('curl', ['-sf', '-C', '700000', '-T', join(from, 'x.bin'), `${server.url}half.bin`])
  assert.equal(resumed.code, 0, resumed.stderr)
  assert.deepEqual(readFileSync(at('half.bin')), body)
  const h2 = await run('curl', ['-sf', '--http2-prior-knowledge', '-T', join(from, 'x.bin'), `${server.url}h2.bin`])
  assert.equal(h2.code, 0, h2.stderr)
  assert.deepEqual(readFileSync(at('h2.bin')), body)
  assert.equal(
    readdirSync(dir).some((name) => name.endsWith('.partial')),
    false,
  )
})

test('ffmpeg publishes HLS, and what it deletes is gone', { skip: missing('ffmpeg') }, async (t) => {
  const { server, at } = await readWrite(t)
  const source = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=6', '-c:a', 'aac']
  const hls = ['-f', 'hls', '-method', 'PUT', '-hls_time', '1', '-hls_list_size', '2', '-hls_flags', 'delete_segments']
  const ended = await run('ffmpeg', ['-v', 'error', ...source, ...hls, `${server.url}live/index.m3u8`])
  assert.equal(ended.code, 0, ended.stderr)
  // ffmpeg reads no answers: it may be gone before the last files have their names.
  const text = () => (existsSync(at('live/index.m3u8')) ? readFileSync(at('live/index.m3u8'), 'utf8') : '')
  for (let tries = 0; tries < 500 && !text().includes('#EXT-X-ENDLIST'); tries++) await answers(server, '', 200)
  const list = text()
  assert.match(list, /#EXT-X-ENDLIST/)
  for (const name of list.match(/^\S+\.ts$/gm) ?? []) assert.ok(existsSync(at(`live/${name}`)), name)
  assert.equal(existsSync(at('live/index0.ts')), false)
})

test('a full disk is an answer, and what was there stays', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root for a small file system')
  const dir = mkdtempSync(join(tmpdir(), 'sluice-full-'))
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir])
  t.after(async () => {
    await run('umount', ['-l', dir])
    rmSync(dir, { recursive: true, force: true })
  })
  if (mounted.code !== 0) return t.skip('no file system can be mounted here')
  const server = await serve(t, ['serve', 'http', dir, '--write', dir])
  assert.equal((await fetch(`${server.url}a`, { method: 'PUT', body: 'old' })).status, 201)
  assert.equal((await fetch(`${server.url}a`, { method: 'PUT', body: randomBytes(3_000_000) })).status, 507)
  assert.equal(await (await fetch(`${server.url}a`)).text(), 'old')
  assert.deepEqual(readdirSync(dir), ['a'])
  assert.match(server.log(), /ERROR\s*: a: /)
  assert.equal((await fetch(`${server.url}b`, { method: 'PUT', body: 'new' })).status, 201)
  return undefined
})

test('where no file can be, an upload is told so', async (t) => {
  const { put, dir } = await readWrite(t)
  files(dir, { 'a.txt': 'a' })
  const answer = async (name: string) => {
    const response = await put(name, 'x')
    return [response.status, (await response.text()).trim()]
  }
  assert.deepEqual(await answer('a.txt/b.txt'), [409, 'A file lies where a folder would have to be'])
  assert.deepEqual(await answer('n'.repeat(300)), [400, 'A file of this name cannot be stored here'])
})
