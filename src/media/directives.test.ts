import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directivesOf, judge } from './directives.ts'
import { parsePlaylist } from './playlist.ts'
import { LivePlaylist } from './playlists.ts'

const part = (segment: number, index: number) =>
  `#EXT-X-PART:DURATION=0.5,URI="s${segment}.m4s",BYTERANGE="10@${index * 10}"\n`
/** Segments 10 to 12 of four parts, and two parts of segment 13. */
const text = [
  '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-VERSION:6\n#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-MEDIA-SEQUENCE:10\n',
  ...[10, 11, 12].map((s) => `${[0, 1, 2, 3].map((i) => part(s, i)).join('')}#EXTINF:2,\ns${s}.m4s\n`),
  part(13, 0),
  part(13, 1),
].join('')
const playlist = (source = text) => {
  const parsed = parsePlaylist(source)
  assert.ok(parsed)
  return parsed
}

test('what a request waits for is judged by the table of RFC 8216bis section 6.2.5', () => {
  const rows: [query: string, verdict: 'ready' | 'wait' | 'bad'][] = [
    ['_HLS_msn=3', 'ready'],
    ['_HLS_msn=12', 'ready'],
    ['_HLS_msn=13', 'wait'],
    ['_HLS_msn=14', 'wait'],
    ['_HLS_msn=15', 'bad'],
    ['_HLS_msn=3&_HLS_part=9', 'ready'],
    ['_HLS_msn=11&_HLS_part=2', 'ready'],
    ['_HLS_msn=11&_HLS_part=7', 'ready'],
    ['_HLS_msn=12&_HLS_part=3', 'ready'],
    // Behind the last part of 12 comes part 0 of 13, which is there.
    ['_HLS_msn=12&_HLS_part=4', 'ready'],
    ['_HLS_msn=13&_HLS_part=0', 'ready'],
    ['_HLS_msn=13&_HLS_part=1', 'ready'],
    ['_HLS_msn=13&_HLS_part=2', 'wait'],
    ['_HLS_msn=13&_HLS_part=7', 'wait'],
    // Three seconds ahead at most: six parts.
    ['_HLS_msn=13&_HLS_part=8', 'bad'],
    ['_HLS_msn=14&_HLS_part=0', 'wait'],
    ['_HLS_msn=15&_HLS_part=0', 'bad'],
  ]
  for (const [query, verdict] of rows) {
    const directives = directivesOf(query)
    assert.ok(directives !== undefined && directives !== 'bad', query)
    assert.equal(judge(playlist(), directives), verdict, query)
    assert.equal(judge(playlist(`${text}#EXT-X-ENDLIST\n`), directives), 'ready', query)
  }
})

test('a playlist without parts is waited for by whole segments', () => {
  const plain = playlist(text.replace(/#EXT-X-PART.*\n/g, ''))
  assert.equal(judge(plain, { segment: 12, part: 3 }), 'ready')
  assert.equal(judge(plain, { segment: 13, part: 0 }), 'wait')
})

test('directives that cannot be read are told from those that are none', () => {
  for (const query of ['_HLS_part=1', '_HLS_msn=x', '_HLS_msn=-1', '_HLS_msn=1&_HLS_part=', '_HLS_msn=1.5'])
    assert.equal(directivesOf(query), 'bad', query)
  for (const query of ['', 'a=1', '_HLS_skip=NO']) assert.equal(directivesOf(query), undefined, query)
  assert.deepEqual(directivesOf('_HLS_skip=v2&x=1'), { segment: undefined, part: undefined, skip: 'v2' })
})

const textOf = (live: LivePlaylist, skip?: 'YES' | 'v2') => Buffer.from(live.text(skip).bytes).toString()

test('of a delta what lies far behind is left out, and a player that knows the rest has the whole', () => {
  const many = playlist(
    `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-VERSION:3\n#EXT-X-MEDIA-SEQUENCE:5\n${Array.from(
      { length: 12 },
      (_, i) => `${i === 1 ? '#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00Z"\n' : ''}#EXTINF:2,\ns${i}.ts\n`,
    ).join('')}`,
  )
  const live = new LivePlaylist(many, { made: false })
  const whole = textOf(live)
  assert.match(whole, /#EXT-X-VERSION:3\n/)
  assert.match(whole, /CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,CAN-SKIP-DATERANGES=YES/)
  const delta = textOf(live, 'YES')
  // Six segments of 2 s are within 12 s of the end: six are skipped.
  assert.match(
    delta,
    /#EXT-X-VERSION:9\n(?:.*\n)*#EXT-X-SKIP:SKIPPED-SEGMENTS=6\n#EXT-X-DATERANGE:ID="a".*\n#EXTINF:2,\ns6\.ts\n/,
  )
  const kept = delta.slice(delta.indexOf('s6.ts'))
  assert.ok(whole.endsWith(kept))
  assert.match(textOf(live, 'v2'), /#EXT-X-VERSION:10\n(?:(?!DATERANGE:).*\n)*#EXT-X-SKIP:SKIPPED-SEGMENTS=6\n#EXTINF/)
  const without = { ...many, segments: many.segments.map((one) => ({ ...one, lines: one.lines.slice(-2) })) }
  live.update(without)
  assert.match(textOf(live, 'v2'), /SKIPPED-SEGMENTS=6,RECENTLY-REMOVED-DATERANGES="a"/)
  const short = new LivePlaylist(playlist(), { made: false })
  assert.equal(textOf(short, 'YES'), textOf(short))
})

test('a thousand who wait are let go by one update, and all have the same text', async () => {
  const live = new LivePlaylist(playlist(), { made: false })
  const never = new AbortController()
  const waiting = Array.from({ length: 1000 }, async () => {
    await live.reach({ segment: 13, part: 2 }, never.signal)
    return live.text()
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(live.waiting, 1000)
  live.update(playlist(text + part(13, 2)))
  assert.equal(new Set(await Promise.all(waiting)).size, 1)
  const leaving = new AbortController()
  const left = assert.rejects(live.reach({ segment: 14 }, leaving.signal), { code: 'aborted' })
  leaving.abort()
  await left
  assert.equal(live.waiting, 0)
  const gone = assert.rejects(live.reach({ segment: 14 }, never.signal), { code: 'not-found' })
  live.remove()
  await gone
})
