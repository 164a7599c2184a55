import assert from 'node:assert/strict'
import { existsSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openUpload } from '../open-upload.ts'
import { files, rcd, scratch, serve, sluice, type Server } from '../program.ts'

async function put(server: Server, name: string, body: string): Promise<void> {
  const response = await fetch(server.url + name, { method: 'PUT', body })
  assert.ok(response.ok, `${name}: ${response.status}`)
}

const status = async (server: Server, name: string) => (await fetch(server.url + name, { method: 'HEAD' })).status

/** Waits until these are the files that there are of `names`. */
async function left(server: Server, names: readonly string[], expected: readonly string[]): Promise<void> {
  let there: string[] = []
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    there = []
    for (const name of names) if ((await status(server, name)) === 200) there.push(name)
    if (there.length === expected.length) break
  }
  assert.deepEqual(there, expected)
}

async function live(t: TestContext, ...args: string[]): Promise<Server> {
  return await serve(t, ['serve', 'http', '--live-dir', '/live=memory', '--live-hold', '0', ...args])
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('a live folder in memory takes and gives, beside what is served', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a', 'live/hidden.txt': 'x' })
  const server = await serve(t, ['serve', 'http', dir, '--live-dir', '/live=memory', '--live-dir', 'x/y=gmem'])
  await put(server, 'live/one/s1.m4s', 'one')
  await put(server, 'x/y/s1.m4s', 'other')
  assert.equal(await (await fetch(`${server.url}live/one/s1.m4s`)).text(), 'one')
  assert.equal(await (await fetch(`${server.url}x/y/s1.m4s`)).text(), 'other')
  assert.equal(await (await fetch(`${server.url}a.txt`)).text(), 'a')
  assert.equal(await status(server, 'live/hidden.txt'), 404)
  assert.equal((await fetch(`${server.url}live`, { redirect: 'manual' })).headers.get('location'), '/live/')
  assert.match(await (await fetch(`${server.url}live/`)).text(), /href="one\/"/)
  assert.equal((await fetch(`${server.url}a.txt`, { method: 'PUT', body: 'x' })).status, 405)
  const upload = await openUpload(server, 'live/one/s2.m4s')
  await upload.write('ab')
  const growing = await fetch(`${server.url}live/one/s2.m4s`)
  const reader = (growing.body as ReadableStream<Uint8Array>).getReader()
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'ab')
  assert.equal(growing.headers.get('cache-control'), 'public, max-age=60, immutable')
  assert.equal(await upload.end(), 201)
  const location = (await fetch(`${server.url}live/n.bin`, { method: 'POST', body: 'x' })).headers.get('location')
  assert.equal(location, '/live/n.bin')
  assert.equal((await fetch(`${server.url}live/n.bin`, { method: 'DELETE' })).status, 204)
  assert.equal(await status(server, 'live/n.bin'), 404)
})

test('what a live folder holds is known when the server begins again', async (t) => {
  const at = scratch(t)
  const args = ['serve', 'http', '--live-dir', `live=${at}`, '--max-cache-segs', '2']
  const first = await serve(t, args)
  const list = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:2\n#EXTINF:2,\nseg2.ts\n#EXTINF:2,\nseg3.ts\n'
  for (const number of range(1, 3)) await put(first, `live/seg${number}.ts`, 'x')
  await put(first, 'live/a.m3u8', list)
  files(at, { 'vod1.ts': 'old' })
  utimesSync(join(at, 'vod1.ts'), 1, 1)
  assert.equal(await first.stop(), 0)
  files(at, { 'seg1.ts': 'x' })
  const before = Date.now() / 1000 - 60
  utimesSync(join(at, 'seg1.ts'), before, before)
  const server = await serve(t, args)
  const next = fetch(`${server.url}live/seg4.ts`)
  assert.match(await (await fetch(`${server.url}live/a.m3u8`)).text(), /CAN-BLOCK-RELOAD=YES/)
  await put(server, 'live/seg4.ts', 'four')
  assert.equal(await (await next).text(), 'four')
  const names = ['seg1.ts', 'seg2.ts', 'seg3.ts', 'seg4.ts', 'vod1.ts'].map((name) => `live/${name}`)
  await left(server, names, names.slice(1))
  assert.equal(await status(server, 'live/vod2.ts'), 404)
})

test('folders of a live folder go with their last file, unless something is on its way into them', async (t) => {
  const dir = scratch(t)
  const at = join(dir, 'rec')
  const server = await serve(t, ['serve', 'http', '--live-dir', `live=${at}`, '--live-dir', 'ram=memory'])
  const remove = async (name: string) => (await fetch(server.url + name, { method: 'DELETE' })).status
  for (const root of ['live', 'ram']) {
    for (const name of ['a/b/1.ts', 'a/b/2.ts', 'a/3.ts']) await put(server, `${root}/${name}`, 'x')
    const upload = await openUpload(server, `${root}/a/b/4.ts`)
    for (const name of ['1', '2']) assert.equal(await remove(`${root}/a/b/${name}.ts`), 204)
    await upload.write('x')
    assert.equal(await upload.end(), 201)
    assert.equal(await remove(`${root}/a/b/4.ts`), 204)
    assert.deepEqual([await status(server, `${root}/a/b/`), await status(server, `${root}/a/`)], [404, 200])
    assert.equal(await remove(`${root}/a/3.ts`), 204)
    assert.deepEqual([await status(server, `${root}/a/`), await status(server, `${root}/`)], [404, 200])
  }
  assert.deepEqual(readdirSync(at), [])
})

test('a live folder may be on a disk, and its address has rules of its own', async (t) => {
  const dir = scratch(t)
  const at = join(dir, 'rec')
  const args = ['--live-dir', `live=${at}`, '--cache-control', 'live/*.m4s max-age=7']
  const server = await serve(t, ['serve', 'http', ...args])
  await put(server, 'live/s1.m4s', 'one')
  assert.ok(existsSync(join(at, 's1.m4s')))
  const caching = async (name: string) => (await fetch(server.url + name)).headers.get('cache-control')
  assert.equal(await caching('live/s1.m4s'), 'max-age=7')
  await put(server, 'live/s1.ts', 'one')
  assert.equal(await caching('live/s1.ts'), 'public, max-age=60, immutable')
  await put(server, 'live/a.mpd', '<MPD type="dynamic" minimumUpdatePeriod="PT4S"></MPD>')
  assert.equal(await caching('live/a.mpd'), 'public, max-age=1')
  assert.equal(await caching('live/none.m4s'), 'max-age=1')
  assert.equal((await fetch(`${server.url}other`)).status, 404)
})

test('an encoder that asks whether it may publish is told so, and nothing is stored', async (t) => {
  const server = await live(t)
  for (const method of ['POST', 'PUT'])
    for (const path of ['live/', 'live/channel/'])
      assert.equal((await fetch(server.url + path, { method, body: '' })).status, 200, `${method} ${path}`)
  assert.equal((await fetch(`${server.url}live/channel/`, { method: 'PUT', body: 'x' })).status, 409)
  assert.equal(await status(server, 'live/channel/'), 404)
})

test('the newest segments of each representation stay, with manifests and beginnings', async (t) => {
  const server = await live(t, '--max-cache-segs', '3')
  const names = range(1, 6).flatMap((n) => [`live/v${n}.m4s`, `live/a${n}.m4s`])
  await put(server, 'live/init0.mp4', 'x')
  await put(server, 'live/a.m3u8', '#EXTM3U\n')
  for (const name of names) await put(server, name, name)
  await left(server, names, names.slice(-6))
  await left(server, ['live/init0.mp4', 'live/a.m3u8'], ['live/init0.mp4', 'live/a.m3u8'])
})

test('parts leave with their segment, and what a playlist lists stays', async (t) => {
  const server = await live(t, '--max-cache-segs', '2')
  const names = range(1, 5).flatMap((n) => [`live/v${n}.m4s.0`, `live/v${n}.m4s.1`, `live/v${n}.m4s`])
  for (const name of names) await put(server, name, name)
  await left(server, names, names.slice(-6))
  const list = (first: number) =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${first}\n${range(first, first + 3)
      .map((n) => `#EXTINF:1,\nv${n}.m4s\n`)
      .join('')}`
  await put(server, 'live/a.m3u8', list(4))
  const more = range(6, 8).map((n) => `live/v${n}.m4s`)
  for (const name of more) await put(server, name, name)
  const segments = range(3, 8).map((n) => `live/v${n}.m4s`)
  await left(server, segments, segments.slice(1))
})

test('by age and by bytes segments go as well, and a full folder takes nothing that would stay', async (t) => {
  const young = await live(t, '--max-cache-age', '2s')
  await put(young, 'live/s1.ts', 'x')
  assert.equal(await status(young, 'live/s1.ts'), 200)
  await left(young, ['live/s1.ts'], [])
  const small = await live(t, '--max-cache-segs', '0', '--max-cache-bytes', '100B')
  const names = range(1, 9).map((n) => `live/s${n}.ts`)
  for (const name of names) await put(small, name, 'x'.repeat(30))
  await left(small, names, names.slice(-3))
  await put(small, 'live/keep.bin', 'x'.repeat(120))
  await left(small, names, [])
  assert.equal((await fetch(`${small.url}live/other.bin`, { method: 'PUT', body: 'x' })).status, 507)
  assert.equal(await status(small, 'live/keep.bin'), 200)
  await fetch(`${small.url}live/keep.bin`, { method: 'DELETE' })
  const growing = await openUpload(small, 'live/s10.ts')
  await growing.write('x'.repeat(120))
  const reader = ((await fetch(`${small.url}live/s10.ts`)).body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  assert.equal((await fetch(`${small.url}live/s11.ts`, { method: 'PUT', body: 'x' })).status, 507)
  assert.equal(await growing.end(), 201)
  await reader.cancel()
  await put(small, 'live/s11.ts', 'x')
  await left(small, ['live/s10.ts', 'live/s11.ts'], ['live/s11.ts'])
})

test('a reader of a segment that is cut has all of it', async (t) => {
  const dir = scratch(t)
  const server = await serve(t, ['serve', 'http', '--live-dir', `live=${dir}`, '--max-cache-segs', '1'])
  const size = 20_000_000
  await put(server, 'live/s1.ts', 'x'.repeat(size))
  const reading = await fetch(`${server.url}live/s1.ts`)
  await put(server, 'live/s2.ts', 'y')
  await left(server, ['live/s1.ts', 'live/s2.ts'], ['live/s2.ts'])
  assert.equal((await reading.text()).length, size)
  assert.deepEqual(readdirSync(dir), ['s2.ts'])
})

test('manifests that name no clock get one with --utc-timing, others stay as they are', async (t) => {
  const server = await live(t, '--utc-timing')
  const mpd = (inside = '') => `<?xml version="1.0"?>\n<MPD type="dynamic"><Period/>${inside}</MPD>\n`
  await put(server, 'live/x/a.mpd', mpd())
  const got = await fetch(`${server.url}live/x/a.mpd`)
  const text = await got.text()
  assert.equal(text, mpd('<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value=".utc"/>'))
  assert.equal(got.headers.get('content-type'), 'application/dash+xml')
  const etag = got.headers.get('etag') ?? ''
  assert.equal((await fetch(`${server.url}live/x/a.mpd`, { headers: { 'if-none-match': etag } })).status, 304)
  assert.match(await (await fetch(`${server.url}live/x/.utc`)).text(), /Z$/)
  const own = mpd('<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="x"/>')
  for (const body of [own, mpd().replace('dynamic', 'static')]) {
    await put(server, 'live/x/a.mpd', body)
    assert.equal(await (await fetch(`${server.url}live/x/a.mpd`)).text(), body)
  }
})

test('the remote control tells when a live stream begins and ends', async (t) => {
  const server = await live(t, '--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0')
  await server.logged(/Serving remote control on \S+/)
  const url = /Serving remote control on (\S+)/.exec(server.log())?.[1] ?? ''
  const events = await fetch(`${url}events?types=live`)
  const reader = (events.body as ReadableStream<Uint8Array>).getReader()
  const list = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns1.ts\n'
  await put(server, 'live/one/a.m3u8', list)
  await put(server, 'live/one/a.m3u8', `${list}#EXTINF:2,\ns2.ts\n`)
  await put(server, 'live/one/a.m3u8', `${list}#EXT-X-ENDLIST\n`)
  await put(server, 'live/two.mpd', '<MPD type="dynamic"></MPD>')
  await put(server, 'live/three.m3u8', list)
  for (const name of ['two.mpd', 'three.m3u8']) await fetch(`${server.url}live/${name}`, { method: 'DELETE' })
  let text = ''
  while ((text.match(/"what"/g) ?? []).length < 6) text += Buffer.from((await reader.read()).value ?? []).toString()
  const told = [...text.matchAll(/"what":"(\w+)","path":"([^"]+)"/g)].map(([, what, path]) => `${what} ${path}`)
  assert.deepEqual(told, [
    'begin live/one/a.m3u8',
    'end live/one/a.m3u8',
    'begin live/two.mpd',
    'begin live/three.m3u8',
    'end live/two.mpd',
    'end live/three.m3u8',
  ])
})

test('a server with a live folder can be started and stopped by a call', async (t) => {
  const rc = await rcd(t)
  const dir = scratch(t)
  const options = { live_dir: ['live=memory'], max_cache_segs: 2, max_cache_age: '1h', live_hold: '0s' }
  const started = await rc.call('serve/start', { type: 'http', fs: dir, addr: '127.0.0.1:0', ...options })
  assert.equal(started.status, 200, JSON.stringify(started.body))
  const url = `http://${String(started.body.addr)}/`
  for (const n of [1, 2, 3]) await fetch(`${url}live/s${n}.ts`, { method: 'PUT', body: String(n) })
  for (let tries = 0; (await fetch(`${url}live/s1.ts`)).ok; tries++) assert.ok(tries < 200, 'the first segment stays')
  assert.equal(await (await fetch(`${url}live/s3.ts`)).text(), '3')
  assert.equal((await rc.call('serve/stop', { id: started.body.id })).status, 200)
  await assert.rejects(fetch(`${url}live/s3.ts`))
})

test('behind a login nothing is for others that one has got', async (t) => {
  const server = await live(t, '--user', 'me', '--pass', 'secret')
  const headers = { authorization: `Basic ${btoa('me:secret')}` }
  assert.equal((await fetch(`${server.url}live/s1.ts`, { method: 'PUT', body: 'x' })).status, 401)
  for (const name of ['s1.ts', 'a.m3u8', 'a.mpd']) {
    const body = name.endsWith('m3u8')
      ? '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns1.ts\n'
      : '<MPD type="dynamic"></MPD>'
    assert.equal((await fetch(`${server.url}live/${name}`, { method: 'PUT', body, headers })).status, 201)
    const caching = (await fetch(`${server.url}live/${name}`, { headers })).headers.get('cache-control')
    assert.match(caching ?? '', /^private, max-age=/, name)
  }
})

test('a live folder that makes no sense is refused at the start', async (t) => {
  for (const text of ['memory', '=memory', '/live=', 'a/../b=memory']) {
    const ended = await sluice(['serve', 'http', '--live-dir', text, '--addr', '127.0.0.1:0'])
    assert.notEqual(ended.code, 0, text)
  }
  t.diagnostic('four forms')
})

test('the time can be had in each form that players ask for', async (t) => {
  const server = await live(t, '--cors', 'auto')
  const get = async (query = '', headers: Record<string, string> = {}) =>
    await fetch(`${server.url}.utc${query}`, { headers })
  for (const query of ['', '?iso', '?xsdate', '?form=xsdate', '?scheme=urn:mpeg:dash:utc:http-xsdate:2014']) {
    const response = await get(query)
    const text = await response.text()
    assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.ok(Math.abs(Date.parse(text) - Date.now()) < 2000)
    assert.equal(response.headers.get('cache-control'), 'no-store')
  }
  assert.ok(Math.abs(Number(await (await get('?ms')).text()) - Date.now()) < 2000)
  const json = (await (await get('', { accept: 'application/json' })).json()) as { utc: number }
  assert.ok(Math.abs(json.utc - Date.now()) < 2000)
  const head = await fetch(`${server.url}.utc`, { method: 'HEAD', headers: { origin: 'http://player.example' } })
  assert.ok(Math.abs(Date.parse(head.headers.get('date') ?? '') - Date.now()) < 3000)
  assert.match(head.headers.get('access-control-expose-headers') ?? '', /Date/)
  assert.equal((await get('?head')).status, 204)
  const preflight = await fetch(`${server.url}live/x.mpd`, {
    method: 'OPTIONS',
    headers: { origin: 'http://player.example', 'access-control-request-method': 'GET' },
  })
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /CMCD-Session/)
  const dir = scratch(t)
  assert.equal((await fetch(`${(await serve(t, ['serve', 'http', dir])).url}.utc`)).status, 404)
})
