import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { test, type TestContext } from 'node:test'
import { openUpload } from '../open-upload.ts'
import { scratch, serve, type Server } from '../program.ts'

async function origin(t: TestContext, ...args: string[]): Promise<Server> {
  const dir = scratch(t)
  return await serve(t, ['serve', 'http', dir, '--write', dir, ...args])
}

async function put(server: Server, name: string, body: string): Promise<void> {
  const { status } = await fetch(server.url + name, { method: 'PUT', body })
  assert.ok(status === 201 || status === 204, `${name}: ${status}`)
}

async function get(server: Server, name: string, headers: Record<string, string> = {}) {
  const begun = performance.now()
  const response = await fetch(server.url + name, { headers })
  return { status: response.status, headers: response.headers, ms: performance.now() - begun, text: response.text() }
}

const hls = (first: number, count: number, more = '') =>
  `#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n${Array.from(
    { length: count },
    (_, i) => `#EXTINF:2,\nseg${first + i}.m4s\n`,
  ).join('')}${more}`

const mpd = (more = '') => `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="${new Date(Date.now() - 8000).toISOString()}"
 minimumUpdatePeriod="PT500S" timeShiftBufferDepth="PT6S"><Period id="0" start="PT0.0S">
 <AdaptationSet contentType="video"><Representation id="0" mimeType="video/mp4" codecs="avc1.64001f" bandwidth="100000" width="320" height="180">
 <SegmentTemplate timescale="1000000" duration="2000000" availabilityTimeOffset="1.8" availabilityTimeComplete="false"
  initialization="init-$RepresentationID$.m4s" media="chunk-$RepresentationID$-$Number%05d$.m4s" startNumber="1"/>
 </Representation></AdaptationSet></Period>${more}</MPD>`

test('the next segment of a playlist is waited for, and then followed from its first byte', async (t) => {
  const server = await origin(t)
  await put(server, 'live/a.m3u8', hls(7, 3))
  const early = fetch(`${server.url}live/seg10.m4s`)
  const other = fetch(`${server.url}live/seg10.m4s`)
  const upload = await openUpload(server, 'live/seg10.m4s')
  await upload.write('one ')
  const reader = ((await early).body as ReadableStream<Uint8Array>).getReader()
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'one ')
  await upload.write('two')
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'two')
  assert.equal(await upload.end(), 201)
  assert.equal((await reader.read()).done, true)
  assert.equal(await (await other).text(), 'one two')
  assert.match((await other).headers.get('cmsd-static') ?? '', /^ht=\d+$/)
})

test('what is announced and never comes is 404 when the wait is over, all else at once', async (t) => {
  const server = await origin(t, '--live-hold', '400ms')
  await put(server, 'live/a.m3u8', hls(7, 3))
  const held = await get(server, 'live/seg10.m4s')
  assert.equal(held.status, 404)
  assert.ok(held.ms >= 380 && held.ms < 2000, `${held.ms}`)
  assert.equal(held.headers.get('cache-control'), 'max-age=1')
  for (const name of ['live/seg12.m4s', 'live/seg1.m4s', 'live/other.m4s', 'seg10.m4s']) {
    const { status, ms } = await get(server, name)
    assert.equal(status, 404)
    assert.ok(ms < 300, `${name}: ${ms}`)
  }
})

test('a finished playlist announces nothing more', async (t) => {
  const server = await origin(t)
  await put(server, 'live/seg9.m4s', 'x')
  await put(server, 'live/a.m3u8', hls(7, 3, '#EXT-X-ENDLIST\n'))
  const { status, ms } = await get(server, 'live/seg10.m4s')
  assert.equal(status, 404)
  assert.ok(ms < 500, `${ms}`)
})

test('hints, parts and beginnings are waited for as long as a playlist names them', async (t) => {
  const server = await origin(t, '--live-hold', '20s')
  const list = (hint: string) =>
    hls(
      0,
      1,
      `#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-MAP:URI="start.mp4"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${hint}"\n`,
    )
  await put(server, 'live/a.m3u8', list('p.m4s'))
  const part = fetch(`${server.url}live/p.m4s`)
  const map = fetch(`${server.url}live/start.mp4`)
  await put(server, 'live/start.mp4', 'moov')
  assert.equal(await (await map).text(), 'moov')
  await put(server, 'live/p.m4s', 'part')
  assert.equal(await (await part).text(), 'part')
  await put(server, 'live/a.m3u8', list('never.m4s'))
  const withdrawn = get(server, 'live/never.m4s')
  await put(server, 'live/a.m3u8', list('next.m4s'))
  const { status, ms } = await withdrawn
  assert.equal(status, 404)
  assert.ok(ms < 1900, `${ms}`)
})

test('segments of a DASH template are waited for at the live edge', async (t) => {
  const server = await origin(t, '--live-hold', '500ms')
  await put(server, 'd/a.mpd', mpd())
  // The presentation began 8 s ago: segment 5 is on its way.
  const first = fetch(`${server.url}d/chunk-0-00005.m4s`)
  const init = fetch(`${server.url}d/init-0.m4s`)
  await put(server, 'd/init-0.m4s', 'init')
  await put(server, 'd/chunk-0-00005.m4s', 'five')
  assert.equal(await (await first).text(), 'five')
  assert.equal(await (await init).text(), 'init')
  const next = fetch(`${server.url}d/chunk-0-00006.m4s`)
  await put(server, 'd/chunk-0-00006.m4s', 'six')
  assert.equal(await (await next).text(), 'six')
  for (const name of ['chunk-0-00001.m4s', 'chunk-0-00008.m4s', 'chunk-0-7.m4s', 'chunk-1-00007.m4s'])
    assert.ok((await get(server, `d/${name}`)).ms < 300, name)
})

test('segments of a DASH timeline and of a list are waited for', async (t) => {
  const server = await origin(t, '--live-hold', '20s')
  const timeline = mpd().replace(
    /<SegmentTemplate[^]*?\/>/,
    '<SegmentTemplate timescale="1000" initialization="i.mp4" media="t-$Time$.m4s"><SegmentTimeline><S t="4000" d="2000" r="1"/></SegmentTimeline></SegmentTemplate>',
  )
  await put(server, 't/a.mpd', timeline)
  for (const name of ['t-4000.m4s', 't-6000.m4s', 't-8000.m4s']) {
    const early = fetch(`${server.url}t/${name}`)
    await put(server, `t/${name}`, name)
    assert.equal(await (await early).text(), name)
  }
  assert.ok((await get(server, 't/t-5000.m4s')).ms < 1000)
  const list = mpd().replace(
    /<SegmentTemplate[^]*?\/>/,
    '<BaseURL>media/</BaseURL><SegmentList duration="2"><Initialization sourceURL="i.mp4"/><SegmentURL media="s1.m4s"/><SegmentURL media="s2.m4s"/></SegmentList>',
  )
  await put(server, 'l/a.mpd', list)
  for (const name of ['i.mp4', 's1.m4s', 's2.m4s', 's3.m4s']) {
    const early = fetch(`${server.url}l/media/${name}`)
    await put(server, `l/media/${name}`, name)
    assert.equal(await (await early).text(), name)
  }
})

test('the next file of a sequence is waited for without any manifest', async (t) => {
  const server = await origin(t, '--live-hold', '400ms')
  await put(server, 's/v-0008.ts', 'eight')
  const early = fetch(`${server.url}s/v-0009.ts`)
  const head = fetch(`${server.url}s/v-0009.ts`, { method: 'HEAD' })
  await put(server, 's/v-0009.ts', 'nine')
  assert.equal(await (await early).text(), 'nine')
  assert.equal((await head).status, 200)
  assert.ok((await get(server, 's/v-0011.ts')).ms < 300)
  await put(server, 'n/note1.txt', 'x')
  assert.ok((await get(server, 'n/note2.txt')).ms < 300)
})

test('a client that leaves is not waited for, and --live-hold 0 holds nobody', async (t) => {
  const server = await origin(t, '--live-hold', '0')
  await put(server, 's/v1.ts', 'one')
  const { status, ms } = await get(server, 's/v2.ts')
  assert.equal(status, 404)
  assert.ok(ms < 500, `${ms}`)
  const patient = await origin(t, '--live-hold', '1h')
  await put(patient, 's/v1.ts', 'one')
  await assert.rejects(fetch(`${patient.url}s/v2.ts`, { signal: AbortSignal.timeout(200) }))
  await put(patient, 's/v2.ts', 'two')
  assert.equal(await patient.stop(), 0)
})

test('ranges of a file that is being written: what is there, what comes, and what never does', async (t) => {
  const server = await origin(t)
  const upload = await openUpload(server, 'f.bin')
  await upload.write('0123456789')
  const whole = await fetch(`${server.url}f.bin`, { headers: { range: 'bytes=0-' } })
  assert.equal(whole.status, 200)
  const reader = (whole.body as ReadableStream<Uint8Array>).getReader()
  for (let size = 0; size < 10;) size += (await reader.read()).value?.length ?? 0
  const open = await get(server, 'f.bin', { range: 'bytes=4-' })
  assert.deepEqual([open.status, open.headers.get('content-range')], [206, 'bytes 4-9/*'])
  assert.equal(await open.text, '456789')
  assert.equal((await get(server, 'f.bin', { range: 'bytes=-4' })).status, 416)
  const endless = await fetch(`${server.url}f.bin`, { headers: { range: 'bytes=8-9007199254740991' } })
  assert.deepEqual([endless.status, endless.headers.get('content-range')], [206, 'bytes 8-9007199254740991/*'])
  const gpac = await fetch(`${server.url}f.bin`, { headers: { range: 'bytes=8-', 'user-agent': 'GPAC/2.4' } })
  assert.deepEqual([gpac.status, gpac.headers.get('content-range')], [206, 'bytes 8-/*'])
  const allowed = await fetch(`${server.url}f.bin`, {
    headers: { range: 'bytes=9-', 'x-allow-open-partial-range': '1' },
  })
  const beyond = fetch(`${server.url}f.bin`, { headers: { range: 'bytes=12-13' } })
  const never = fetch(`${server.url}f.bin`, { headers: { range: 'bytes=99-' } })
  await upload.write('abcd')
  assert.equal(await (await beyond).text(), 'cd')
  assert.equal(await upload.end(), 201)
  assert.equal(await endless.text(), '89abcd')
  assert.equal(await gpac.text(), '89abcd')
  assert.equal(await allowed.text(), '9abcd')
  assert.deepEqual([(await never).status, (await never).headers.get('content-range')], [416, 'bytes */14'])
})

test('with --no-range a file that is being written has no parts either', async (t) => {
  const server = await origin(t, '--no-range')
  const upload = await openUpload(server, 'f.bin')
  await upload.write('0123456789')
  const got = await fetch(`${server.url}f.bin`, { headers: { range: 'bytes=2-3' } })
  assert.deepEqual([got.status, got.headers.get('accept-ranges')], [200, 'none'])
  assert.equal(await upload.end(), 201)
  assert.equal(await got.text(), '0123456789')
})

test('over HTTP/2 files are waited for and followed, and playlists are held, all on one connection', async (t) => {
  const server = await origin(t)
  await put(server, 'live/a.m3u8', hls(7, 3))
  const session = connect(server.url)
  t.after(() => session.destroy())
  const ask = (path: string) => {
    const stream = session.request({ ':path': path })
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    const head = once(stream, 'response').then(([headers]) => (headers as { ':status': number })[':status'])
    return { stream, head, end: once(stream, 'end').then(() => Buffer.concat(chunks).toString()), chunks }
  }
  const lists = Array.from({ length: 50 }, () => ask('/live/a.m3u8?_HLS_msn=10'))
  const segment = ask('/live/seg10.m4s')
  const never = ask('/live/seg11.m4s')
  const upload = await openUpload(server, 'live/seg10.m4s')
  await upload.write('one ')
  assert.equal(await segment.head, 200)
  if (segment.chunks.length === 0) await once(segment.stream, 'data')
  assert.equal(Buffer.concat(segment.chunks).toString(), 'one ')
  never.stream.close()
  await upload.write('two')
  assert.equal(await upload.end(), 201)
  assert.equal(await segment.end, 'one two')
  await put(server, 'live/a.m3u8', hls(7, 4))
  for (const list of lists) {
    assert.equal(await list.head, 200)
    assert.match(await list.end, /seg10\.m4s\n/)
  }
})
