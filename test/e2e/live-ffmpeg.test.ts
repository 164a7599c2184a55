import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { missing } from '../peers.ts'
import { serve, type Server } from '../program.ts'
import { ffmpeg, ldash } from '../publisher.ts'

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())

async function origin(t: TestContext, ...args: string[]): Promise<Server> {
  return await serve(t, ['serve', 'http', '--live-dir', '/live=memory', '--max-cache-segs', '0', ...args])
}

/** Asks for a file until it is there. */
async function there(url: string): Promise<Response> {
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    const response = await fetch(url)
    if (response.ok) return response
    await response.arrayBuffer()
  }
  return assert.fail(`${url} never came`)
}

const skip = missing('ffmpeg')

test('readers of a low-latency DASH push get each segment while it is written, and all of it', { skip }, async (t) => {
  const server = await origin(t)
  const push = ffmpeg(t, 7, ldash(`${server.url}live/a.mpd`, `${server.url}.utc`))
  await there(`${server.url}live/a.mpd`)
  const spans: number[] = []
  const hashes = new Map<string, string>()
  for (let number = 1; number <= 6; number++)
    for (const stream of [0, 1]) {
      const name = `live/chunk-stream${stream}-${String(number).padStart(5, '0')}.m4s`
      // Asked for before its upload begins, most times.
      const response = await fetch(server.url + name)
      assert.equal(response.status, 200, name)
      const begun = performance.now()
      const hash = createHash('sha256')
      for await (const chunk of response.body as ReadableStream<Uint8Array>) hash.update(chunk)
      if (stream === 0) spans.push(performance.now() - begun)
      hashes.set(name, hash.digest('hex'))
    }
  const { code, stderr } = await push.ended
  assert.equal(code, 0, stderr)
  for (const [name, hash] of hashes) assert.equal(sha(await bytesOf(await fetch(server.url + name))), hash, name)
  assert.ok(
    spans.filter((ms) => ms > 500).length >= 4,
    `came as they were written: ${spans.map(Math.round).join(' ')} ms`,
  )
})

test('HLS made of a DASH push: parts come as they are announced, and are the segment', { skip }, async (t) => {
  const server = await origin(t)
  const push = ffmpeg(t, 8, ldash(`${server.url}live/a.mpd`, `${server.url}.utc`))
  const main = await (await there(`${server.url}live/a.m3u8`)).text()
  assert.match(main, /#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",.*URI="a\.stream1\.m3u8"/)
  assert.match(
    main,
    /#EXT-X-STREAM-INF:BANDWIDTH=364000,CODECS="avc1\.[^,]*,mp4a\.40\.2",RESOLUTION=320x180,FRAME-RATE=25\.000,AUDIO="audio"\na\.stream0\.m3u8\n/,
  )
  const list = `${server.url}live/a.stream0.m3u8`
  await there(list)
  const parts = new Map<string, Uint8Array[]>()
  let [number, index] = [2, 0]
  const waits: number[] = []
  const texts: string[] = []
  while (number <= 5) {
    const begun = performance.now()
    const response = await fetch(`${list}?_HLS_msn=${number}&_HLS_part=${index}`)
    assert.equal(response.status, 200)
    const text = await response.text()
    texts.push(text)
    waits.push(performance.now() - begun)
    const uri = `chunk-stream0-${String(number).padStart(5, '0')}.m4s`
    const listed = [
      ...text.matchAll(new RegExp(`#EXT-X-PART:DURATION=([\\d.]+),URI="${uri}",BYTERANGE="(\\d+)@(\\d+)"`, 'g')),
    ]
    const part = listed[index]
    if (!part) {
      // That was the last one of its segment.
      assert.match(text, new RegExp(`\n${uri}\n`))
      ;[number, index] = [number + 1, 0]
      continue
    }
    const [start, size] = [Number(part[3]), Number(part[2])]
    const range = { range: `bytes=${start}-${start + size - 1}` }
    const got = await fetch(`${server.url}live/${uri}`, { headers: range })
    assert.equal(got.status, 206)
    const bytes = await bytesOf(got)
    assert.equal(bytes.length, size)
    parts.set(uri, [...(parts.get(uri) ?? []), bytes])
    index++
  }
  await push.stop('SIGINT')
  for (const [uri, pieces] of parts) {
    const whole = await bytesOf(await fetch(`${server.url}live/${uri}`))
    assert.equal(sha(Buffer.concat(pieces)), sha(whole), uri)
    assert.ok(pieces.length >= 5, `${uri}: ${pieces.length} parts`)
  }
  const text = texts.at(-1) ?? ''
  assert.match(text, /#EXT-X-VERSION:9\n/)
  assert.match(text, /#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=1,CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6\n/)
  assert.match(text, /#EXT-X-MAP:URI="init-stream0\.m4s"\n/)
  assert.match(text, /#EXT-X-PROGRAM-DATE-TIME:\d{4}-\d\d-\d\dT[\d:.]+Z\n/)
  assert.match(text, /BYTERANGE="\d+@0",INDEPENDENT=YES\n/)
  assert.match(text, /#EXT-X-PRELOAD-HINT:TYPE=PART,URI="chunk-stream0-\d+\.m4s",BYTERANGE-START=\d+\n/)
  assert.match(text, /#EXT-X-RENDITION-REPORT:URI="a\.stream1\.m3u8",LAST-MSN=\d+,LAST-PART=\d+\n/)
  const typical = waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)] ?? 0
  assert.ok(typical > 100 && typical < 350, `a part each 200 ms: ${typical}`)
})

test('a hinted part is held, and comes whole as soon as it is there', { skip }, async (t) => {
  const server = await origin(t)
  ffmpeg(t, 6, ldash(`${server.url}live/a.mpd`, `${server.url}.utc`))
  const list = `${server.url}live/a.stream0.m3u8`
  await there(list)
  for (let i = 0; i < 6; i++) {
    const text = await (await fetch(list)).text()
    const [, uri = '', start = ''] = /PRELOAD-HINT:TYPE=PART,URI="([^"]+)",BYTERANGE-START=(\d+)/.exec(text) ?? []
    const got = await fetch(`${server.url}live/${uri}`, { headers: { range: `bytes=${start}-` } })
    assert.equal(got.status, 206)
    const bytes = await bytesOf(got)
    // It ends with the media data of a fragment.
    const boxes: string[] = []
    for (let at = 0; at < bytes.length;) {
      boxes.push(Buffer.from(bytes.subarray(at + 4, at + 8)).toString())
      at += Buffer.from(bytes).readUInt32BE(at)
      assert.ok(at <= bytes.length, 'a box is cut')
    }
    assert.equal(boxes.at(-1), 'mdat')
    assert.match(got.headers.get('content-range') ?? '', new RegExp(`^bytes ${start}-`))
  }
})

test('an encoder that begins again goes on behind what it sent before', { skip }, async (t) => {
  const server = await origin(t)
  const first = ffmpeg(t, 30, ldash(`${server.url}live/a.mpd`, `${server.url}.utc`))
  const list = `${server.url}live/a.stream0.m3u8`
  await there(list)
  const before = await (await there(`${list}?_HLS_msn=3`)).text()
  assert.match(before, /chunk-stream0-00003\.m4s/)
  await first.stop('SIGKILL')
  ffmpeg(t, 8, ldash(`${server.url}live/a.mpd`, `${server.url}.utc`))
  // The segment that the first one was killed in never came: its number is that of the new first one.
  let text = ''
  while (!text.includes('#EXT-X-DISCONTINUITY\n')) text = await (await fetch(list)).text()
  const last = Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]) + (text.match(/#EXTINF/g) ?? []).length - 1
  assert.ok(last >= 3, text)
  const next = await (await fetch(`${list}?_HLS_msn=${last + 2}`)).text()
  assert.match(
    next,
    /#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="init-stream0\.m4s"\n#EXT-X-PROGRAM-DATE-TIME:.*\n(?:#EXT-X-PART.*\n)*#EXTINF:1,\nchunk-stream0-00001\.m4s/,
  )
})

test('a live folder keeps what the manifest offers, and not more', { skip }, async (t) => {
  const server = await serve(t, ['serve', 'http', '--live-dir', '/live=memory', '--max-cache-segs', '2'])
  const args = ldash(`${server.url}live/a.mpd`, `${server.url}.utc`)
  ffmpeg(
    t,
    30,
    args.map((arg, i) => (args[i - 1] === '-window_size' ? '3' : args[i - 1] === '-extra_window_size' ? '100' : arg)),
  )
  await there(`${server.url}live/a.stream0.m3u8`)
  const name = (n: number) => `${server.url}live/chunk-stream0-${String(n).padStart(5, '0')}.m4s`
  for (let n = 2; n <= 9; n++) await (await there(name(n))).arrayBuffer()
  const statuses: number[] = []
  for (let n = 1; n <= 9; n++) statuses.push((await fetch(name(n), { method: 'HEAD' })).status)
  assert.deepEqual(statuses.slice(0, 4), [404, 404, 404, 404])
  assert.deepEqual(statuses.slice(6), [200, 200, 200])
  for (const file of ['init-stream0.m4s', 'init-stream1.m4s', 'a.mpd'])
    assert.ok((await fetch(`${server.url}live/${file}`)).ok)
  const list = await (await fetch(`${server.url}live/a.stream0.m3u8`)).text()
  for (const [uri] of list.matchAll(/^chunk.*m4s$/gm)) assert.ok((await fetch(`${server.url}live/${uri}`)).ok, uri)
})

test('a publisher that is killed within a segment breaks its readers off', { skip }, async (t) => {
  const server = await origin(t, '--live-hold', '500ms')
  const push = ffmpeg(t, 20, ldash(`${server.url}live/a.mpd`, `${server.url}.utc`, 4))
  await there(`${server.url}live/a.mpd`)
  const reader = await there(`${server.url}live/chunk-stream0-00001.m4s`)
  const read = reader.arrayBuffer()
  await there(`${server.url}live/a.stream0.m3u8`)
  await push.stop('SIGKILL')
  await assert.rejects(read)
  assert.equal((await fetch(`${server.url}live/chunk-stream0-00001.m4s`)).status, 404)
  assert.equal((await fetch(`${server.url}live/a.mpd`)).status, 200)
})

test('HLS that ffmpeg pushes is waited for, segment by segment, and is removed by its deletes', { skip }, async (t) => {
  const server = await origin(t)
  const hls =
    '-f hls -hls_time 1 -hls_list_size 3 -hls_segment_type fmp4 -hls_flags delete_segments+independent_segments -method PUT -http_persistent 1'
  const push = ffmpeg(t, 8, [
    ...hls.split(' '),
    '-hls_segment_filename',
    `${server.url}hls/s%05d.m4s`.replace('hls/', 'live/hls/'),
    `${server.url}live/hls/a.m3u8`,
  ])
  const list = `${server.url}live/hls/a.m3u8`
  await there(list)
  for (let number = 2; number <= 4; number++) {
    const response = await fetch(`${list}?_HLS_msn=${number}`)
    assert.equal(response.status, 200)
    const name = `s${String(number).padStart(5, '0')}.m4s`
    assert.match(await response.text(), new RegExp(`\n${name}\n`))
    assert.equal((await fetch(`${server.url}live/hls/${name}`)).status, 200)
  }
  const { code, stderr } = await push.ended
  assert.equal(code, 0, stderr)
  let text = ''
  while (!text.includes('#EXT-X-ENDLIST')) text = await (await fetch(list)).text()
  for (const [name] of text.matchAll(/^s\d+\.m4s$/gm))
    assert.equal((await fetch(`${server.url}live/hls/${name}`)).status, 200)
  assert.equal((await fetch(`${server.url}live/hls/s00000.m4s`)).status, 404)
  assert.doesNotMatch(server.log(), /ERROR/)
})

test('a manifest that changes all the time is read whole, by many', { skip }, async (t) => {
  const server = await origin(t)
  const version = (n: number) => `<MPD type="dynamic" publishTime="${n}">${'x'.repeat(20_000)}${n}</MPD>`
  const stop = new AbortController()
  const publishing = (async () => {
    let n = 0
    for (; !stop.signal.aborted; n++) await fetch(`${server.url}live/s.mpd`, { method: 'PUT', body: version(n) })
    return n
  })()
  await there(`${server.url}live/s.mpd`)
  const readers = Array.from({ length: 20 }, async () => {
    let last = -1
    for (let i = 0; i < 50; i++) {
      const text = await (await fetch(`${server.url}live/s.mpd`)).text()
      const n = Number(/publishTime="(\d+)"/.exec(text)?.[1])
      assert.equal(text, version(n))
      assert.ok(n >= last, `${n} after ${last}`)
      last = n
    }
  })
  await Promise.all(readers)
  stop.abort()
  t.diagnostic(`${await publishing} versions`)
})
