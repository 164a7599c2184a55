import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get as httpGet, type IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import { openUpload } from '../open-upload.ts'
import { scratch, serve, type Server } from '../program.ts'

async function origin(t: TestContext, ...args: string[]): Promise<Server> {
  const dir = scratch(t)
  return await serve(t, ['serve', 'http', dir, '--write', dir, ...args])
}

async function put(server: Server, name: string, body: string): Promise<Response> {
  const response = await fetch(server.url + name, { method: 'PUT', body })
  assert.ok(response.ok, `${name}: ${response.status}`)
  return response
}

/** Segments 1 to `count`; with parts, `rest` of which are there of the next segment. */
function playlist(count: number, { target = 2, parts = 0, rest = 0, form = 'bytes', end = '' } = {}): string {
  const part = (segment: number, i: number) =>
    form === 'bytes' ? `URI="s${segment}.m4s",BYTERANGE="4@${i * 4}"` : `URI="s${segment}.m4s.${i}"`
  const list = (segment: number, n: number) =>
    Array.from({ length: n }, (_, i) => `#EXT-X-PART:DURATION=0.5,${part(segment, i)}\n`).join('')
  const segments = Array.from({ length: count }, (_, i) => `${list(i + 1, parts)}#EXTINF:${target},\ns${i + 1}.m4s\n`)
  const hint =
    form === 'bytes' ? `URI="s${count + 1}.m4s",BYTERANGE-START=${rest * 4}` : `URI="s${count + 1}.m4s.${rest}"`
  const tail = parts > 0 ? `${list(count + 1, rest)}#EXT-X-PRELOAD-HINT:TYPE=PART,${hint}\n` : ''
  return `#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:${target}\n${
    parts > 0 ? '#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=1.56\n' : ''
  }#EXT-X-MEDIA-SEQUENCE:1\n${segments.join('')}${tail}${end}`
}

const status = async (server: Server, name: string) => (await fetch(server.url + name)).status

test('a playlist says that it can be waited for, and keeps what its publisher says', async (t) => {
  const server = await origin(t)
  await put(server, 'a.m3u8', playlist(3, { parts: 4, rest: 1 }))
  const got = await fetch(`${server.url}a.m3u8`)
  const text = await got.text()
  assert.match(text, /#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=1\.56,CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12\n/)
  assert.equal(
    text.replace(/#EXT-X-SERVER-CONTROL.*\n/, ''),
    playlist(3, { parts: 4, rest: 1 }).replace(/#EXT-X-SERVER-CONTROL.*\n/, ''),
  )
  assert.equal(got.headers.get('cache-control'), 'public, max-age=1')
  assert.match(got.headers.get('content-type') ?? '', /mpegurl/)
  const etag = got.headers.get('etag') ?? ''
  const known = await fetch(`${server.url}a.m3u8`, { headers: { 'if-none-match': etag } })
  assert.equal(known.status, 304)
  const head = await fetch(`${server.url}a.m3u8`, { method: 'HEAD' })
  assert.deepEqual([head.headers.get('etag'), head.headers.get('content-length')], [etag, String(text.length)])
  const ended = playlist(3, { end: '#EXT-X-ENDLIST\n' })
  await put(server, 'a.m3u8', ended)
  assert.equal(await (await fetch(`${server.url}a.m3u8?_HLS_msn=99`)).text(), ended)
})

test('a request is held until the segment or part that it names is listed', async (t) => {
  const server = await origin(t)
  await put(server, 'a.m3u8', playlist(3, { parts: 4, rest: 1 }))
  const part = fetch(`${server.url}a.m3u8?_HLS_msn=4&_HLS_part=1`)
  const segment = fetch(`${server.url}a.m3u8?_HLS_msn=4`)
  await put(server, 'a.m3u8', playlist(3, { parts: 4, rest: 2 }))
  const text = await (await part).text()
  assert.match(text, /BYTERANGE-START=8/)
  assert.equal((await part).headers.get('cache-control'), 'public, max-age=12')
  await put(server, 'a.m3u8', playlist(4, { parts: 4, rest: 0 }))
  assert.match(await (await segment).text(), /s4\.m4s\n/)
  assert.equal(await status(server, 'a.m3u8?_HLS_msn=1'), 200)
})

test('what cannot be, or is too far ahead, is refused at once; what does not come in time is 503', async (t) => {
  const server = await origin(t)
  await put(server, 'a.m3u8', playlist(3, { target: 1 }))
  for (const query of ['_HLS_part=0', '_HLS_msn=6', '_HLS_msn=x', '_HLS_msn=4&_HLS_part=-1'])
    assert.equal(await status(server, `a.m3u8?${query}`), 400, query)
  const begun = performance.now()
  const late = await fetch(`${server.url}a.m3u8?_HLS_msn=4`)
  assert.equal(late.status, 503)
  assert.ok(performance.now() - begun > 2900 && performance.now() - begun < 4500)
  const removed = fetch(`${server.url}a.m3u8?_HLS_msn=4`)
  await fetch(`${server.url}a.m3u8`)
  await fetch(`${server.url}a.m3u8`, { method: 'DELETE' })
  assert.equal((await removed).status, 404)
})

test('a playlist that is put again unchanged has the same version and wakes nobody', async (t) => {
  const server = await origin(t)
  for (const name of ['a.m3u8', 'a.mpd']) {
    const body = name.endsWith('mpd') ? '<MPD type="dynamic"></MPD>' : playlist(3)
    await put(server, name, body)
    const before = await fetch(server.url + name)
    await new Promise((resolve) => setTimeout(resolve, 1100)) // Last-Modified has seconds
    const again = await put(server, name, body)
    assert.equal(again.status, 204)
    const after = await fetch(server.url + name)
    for (const header of ['etag', 'last-modified']) assert.equal(after.headers.get(header), before.headers.get(header))
    assert.equal(await after.text(), await before.text())
  }
  const held = fetch(`${server.url}a.m3u8?_HLS_msn=4`)
  await put(server, 'a.m3u8', playlist(3))
  assert.equal(await Promise.race([held.then(() => 'answered'), status(server, 'a.m3u8')]), 200)
  await put(server, 'a.m3u8', playlist(4))
  assert.equal((await held).status, 200)
})

for (const form of ['bytes', 'file'])
  test(`no byte of a part leaves before the part is whole, when parts are ${form}`, async (t) => {
    const server = await origin(t)
    await put(server, 'a.m3u8', playlist(3, { parts: 4, rest: 0, form }))
    const name = form === 'bytes' ? 's4.m4s' : 's4.m4s.0'
    const upload = await openUpload(server, name)
    await upload.write('ab')
    const headers: Record<string, string> = form === 'bytes' ? { range: 'bytes=0-3' } : {}
    const part = fetch(server.url + name, { headers })
    let answered = false
    void part.then(() => (answered = true))
    const dash = form === 'bytes' ? await fetch(server.url + name) : undefined
    const reader = (dash?.body as ReadableStream<Uint8Array> | undefined)?.getReader()
    if (reader) assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'ab')
    else await status(server, 'a.m3u8')
    assert.equal(answered, false)
    await upload.write('cd')
    if (form === 'file') assert.equal(await upload.end(), 201)
    assert.equal(await (await part).text(), 'abcd')
    if (form === 'bytes') assert.equal(await upload.end(), 201)
  })

test('a thousand held requests are answered soon after the playlist that they wait for', async (t) => {
  const server = await origin(t)
  await put(server, 'a.m3u8', playlist(3))
  const agent = new Agent({ maxSockets: Infinity })
  t.after(() => agent.destroy())
  let answered = 0
  const requests = Array.from({ length: 1000 }, () => httpGet(`${server.url}a.m3u8?_HLS_msn=4`, { agent }))
  const sent = requests.map((request) => once(request, 'finish'))
  const answers = requests.map(async (request) => {
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    answered++
    response.resume()
    await once(response, 'end')
    return response.statusCode
  })
  await Promise.all(sent)
  while (!(await fetch(`${server.url}a.m3u8`)).ok);
  assert.equal(answered, 0)
  const begun = performance.now()
  await put(server, 'a.m3u8', playlist(4))
  assert.deepEqual(new Set(await Promise.all(answers)), new Set([200]))
  t.diagnostic(`the last of them ${Math.round(performance.now() - begun)} ms after the upload began`)
})
