import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Box, Boxes } from './boxes.ts'
import { readFragment, readInit } from './fragment.ts'
import { parseManifest, pathOf, segmentReader, segmentSeconds } from './manifest.ts'
import { isMediaName, numbered } from './numbered.ts'
import { parsePlaylist } from './playlist.ts'
import { deltaText, wholeText } from './playlist-text.ts'
import { referenced } from './reference.ts'

function box(type: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, body])
}

test('boxes are found however their bytes are cut', () => {
  const types = fc.constantFrom('styp', 'moof', 'mdat', 'prft', 'sidx')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(types, fc.uint8Array({ maxLength: 40 })), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
      (all, sizes) => {
        const file = Buffer.concat(all.map(([type, body]) => box(type, body)))
        const found: Box[] = []
        const boxes = new Boxes(new Set(['moof']), (one) => found.push(one))
        for (let at = 0, i = 0; at < file.length; i++) {
          const size = sizes[i % sizes.length] as number
          boxes.take(file.subarray(at, at + size))
          at += size
        }
        let at = 0
        const expected = all.map(([type, body]) => {
          const start = at
          at += body.length + 8
          return type === 'moof' ? { type, start, end: at, body: Buffer.from(body) } : { type, start, end: at }
        })
        assert.deepEqual(
          found.map((one) => (one.body ? { ...one, body: Buffer.from(one.body) } : one)),
          expected,
        )
      },
    ),
  )
})

test('what is no file of boxes is left alone, and no bytes make a reader throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      new Boxes(new Set(['moof', 'moov']), () => {}).take(bytes)
      readFragment(bytes)
      readInit(bytes)
      readFragment(box('traf', Buffer.concat([box('tfhd', bytes), box('tfdt', bytes), box('trun', bytes)])))
    }),
    { numRuns: 500 },
  )
  const boxes = new Boxes(new Set(), () => assert.fail('no box'))
  boxes.take(Buffer.from('#EXTM3U\n#EXTINF:4,\nseg.ts\n'))
  assert.equal(boxes.broken, true)
})

test('no text makes a parser throw, and a playlist that says nothing of delivery keeps its lines', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '#EXTINF:2,',
      '#EXT-X-TARGETDURATION:2',
      '#EXT-X-PART:DURATION=1,URI="a"',
      '#EXT-X-BYTERANGE:5@',
      '#EXT-X-PRELOAD-HINT:TYPE=PART',
      '#EXT-X-MEDIA-SEQUENCE:9999999999999999999',
      's1.ts',
      '#EXT-X-DATERANGE:ID="x"',
      '#EXT-X-ENDLIST',
    ),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const playlist = parsePlaylist(['#EXTM3U', ...lines].join('\n'))
      if (!playlist) return
      wholeText(playlist)
      deltaText(playlist, 'v2', [])
    }),
  )
  fc.assert(
    fc.property(fc.string(), fc.string(), (path, text) => {
      parseManifest(
        'a/b.mpd',
        `<MPD><Period><AdaptationSet>${text}<SegmentTemplate media="${path}"/></AdaptationSet></Period></MPD>`,
      )
      referenced(path, text)
      numbered(path)
    }),
  )
})

test('references lead to paths of the tree, or nowhere', () => {
  const rows: [from: string, to: string, path: string | undefined][] = [
    ['live/a.m3u8', 's1.ts', 'live/s1.ts'],
    ['live/a.m3u8', '../b/s1.ts?x=1#f', 'b/s1.ts'],
    ['live/a.m3u8', '/top.ts', 'top.ts'],
    ['live/a b.m3u8', 'c%20d.ts', 'live/c d.ts'],
    ['a.m3u8', '../../etc/x.ts', 'etc/x.ts'],
    ['a.m3u8', 'http://other.example/s.ts', undefined],
    ['a.m3u8', '//other.example/s.ts', undefined],
    ['a.m3u8', 'a%00b', undefined],
    ['a.m3u8', 'a%2e%2e/b', 'a../b'],
    ['a.m3u8', '..%2f..%2fx', undefined],
  ]
  for (const [from, to, path] of rows) assert.equal(referenced(from, to), path, to)
})

test('the number of a name is the last one before its extension, or that of a part', () => {
  const rows: [path: string, pattern: string | undefined, number?: number, next?: string][] = [
    ['d/chunk-stream0-00012.m4s', 'd/chunk-stream0-#.m4s', 12, 'd/chunk-stream0-00013.m4s'],
    ['seg9.ts', 'seg#.ts', 9, 'seg10.ts'],
    ['seg3.m4s.4', 'seg3.m4s.#', 4, 'seg3.m4s.5'],
    ['x099-end.m4s', 'x#-end.m4s', 99, 'x100-end.m4s'],
    ['video.mp4', undefined],
    ['00001', '#', 1, '00002'],
  ]
  for (const [path, pattern, number, next] of rows) {
    const found = numbered(path)
    assert.deepEqual([found?.pattern, found?.number], [pattern, number], path)
    if (found && number !== undefined) assert.equal(found.at(number + 1), next)
  }
  for (const name of ['a.m4s', 'a.m4s.3', 'a.TS', 'a.cmfv', 'a.vtt']) assert.ok(isMediaName(name), name)
  for (const name of ['a.txt', 'a.m3u8', 'a.mpd', 'ts']) assert.ok(!isMediaName(name), name)
})

test('names of a DASH template are written and read again', () => {
  const manifest = parseManifest(
    'live/a.mpd',
    `<MPD type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" minimumUpdatePeriod="PT1M2.5S">
     <Period start="PT10S"><BaseURL>media/</BaseURL><AdaptationSet mimeType="video/mp4" lang="en">
     <SegmentTemplate timescale="90000" duration="180000" startNumber="0" availabilityTimeOffset="INF" initialization="$RepresentationID$/i.mp4" media="$RepresentationID$/$$-$Bandwidth$-$Number%03d$.m4s"/>
     <Representation id="v1" bandwidth="500" codecs="avc1" width="16" height="9"/>
     <Representation id="v(2)" bandwidth="700"><SegmentTemplate media="t/$Time$.m4s" initialization="t/i.mp4"/></Representation>
     </AdaptationSet></Period></MPD>`,
  )
  assert.ok(manifest)
  const [one, two] = manifest.representations
  assert.ok(one && two)
  assert.deepEqual(
    [manifest.minimumUpdatePeriod, one.periodStart, one.content, one.language],
    [62.5, 10, 'video', 'en'],
  )
  assert.deepEqual([segmentSeconds(one), one.availabilityTimeOffset, one.startNumber], [2, Infinity, 0])
  assert.equal(pathOf(one, one.media ?? '', { number: 7 }), 'live/media/v1/$-500-007.m4s')
  assert.equal(pathOf(one, one.initialization ?? ''), 'live/media/v1/i.mp4')
  const read = segmentReader(one)
  assert.ok(read)
  assert.deepEqual(
    ['007', '1234', '7', '07', '007x'].map((n) => read(`live/media/v1/$-500-${n}.m4s`)),
    [7, 1234, undefined, undefined, undefined],
  )
  assert.equal(segmentReader(two)?.('live/media/t/123456.m4s'), 123456)
  assert.equal(pathOf(two, two.initialization ?? ''), 'live/media/t/i.mp4')
  assert.equal(parseManifest('a.mpd', 'no XML at all'), undefined)
  const elsewhere = parseManifest(
    'a.mpd',
    '<MPD><BaseURL>http://cdn.example/x/</BaseURL><Period><AdaptationSet><Representation id="1"><SegmentTemplate media="$Number$.m4s"/></Representation></AdaptationSet></Period></MPD>',
  )
  const far = elsewhere?.representations[0]
  assert.ok(far)
  assert.equal(pathOf(far, far.media ?? '', { number: 1 }), undefined)
})
