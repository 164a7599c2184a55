import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { evaluate, parseHttpDate, tagsOf } from './conditional.ts'
import type { Validators, Verdict } from './conditional.ts'

const date = 'Sat, 03 Feb 2001 04:05:06 GMT'
const before = 'Sat, 03 Feb 2001 04:05:05 GMT'
const after = 'Sun, 04 Feb 2001 04:05:06 GMT'
const modTime = BigInt(Date.parse(date)) * 1_000_000n + 789_000_000n
const file: Validators = { etag: '"e"', modTime }

function judge(headers: Record<string, string>, known: Validators = file, method = 'GET', now?: number): Verdict {
  return evaluate({ method, header: (name) => headers[name] }, known, now)
}

test('each condition on its own', () => {
  const table: [Record<string, string>, Verdict][] = [
    [{}, 'proceed'],
    [{ 'if-match': '"e"' }, 'proceed'],
    [{ 'if-match': '*' }, 'proceed'],
    [{ 'if-match': '"a", "e"' }, 'proceed'],
    [{ 'if-match': '"a"' }, 'failed'],
    [{ 'if-match': 'W/"e"' }, 'failed'],
    [{ 'if-match': 'e' }, 'failed'],
    [{ 'if-match': '' }, 'failed'],
    [{ 'if-unmodified-since': date }, 'proceed'],
    [{ 'if-unmodified-since': after }, 'proceed'],
    [{ 'if-unmodified-since': before }, 'failed'],
    [{ 'if-unmodified-since': 'yesterday' }, 'proceed'],
    [{ 'if-none-match': '"e"' }, 'not-modified'],
    [{ 'if-none-match': 'W/"e"' }, 'not-modified'],
    [{ 'if-none-match': '*' }, 'not-modified'],
    [{ 'if-none-match': '"a" , "e" ,"b"' }, 'not-modified'],
    [{ 'if-none-match': '"a,"e"' }, 'proceed'],
    [{ 'if-none-match': '"abc"' }, 'proceed'],
    [{ 'if-none-match': 'rubbish "e"' }, 'proceed'],
    [{ 'if-modified-since': date }, 'not-modified'],
    [{ 'if-modified-since': after }, 'not-modified'],
    [{ 'if-modified-since': before }, 'proceed'],
    [{ 'if-modified-since': 'rubbish' }, 'proceed'],
    [{ 'if-range': '"e"' }, 'proceed'],
    [{ 'if-range': date }, 'proceed'],
    [{ 'if-range': '"x"' }, 'ignore-range'],
    [{ 'if-range': 'W/"e"' }, 'ignore-range'],
    [{ 'if-range': before }, 'ignore-range'],
    [{ 'if-range': after }, 'ignore-range'],
    [{ 'if-range': '((((' }, 'ignore-range'],
  ]
  for (const [headers, verdict] of table) {
    assert.equal(judge(headers), verdict, JSON.stringify(headers))
    assert.equal(judge(headers, file, 'HEAD'), verdict, `HEAD ${JSON.stringify(headers)}`)
  }
})

test('tags come before dates, and failing before not modified', () => {
  assert.equal(judge({ 'if-none-match': '"abc"', 'if-modified-since': date }), 'proceed')
  assert.equal(judge({ 'if-match': '"e"', 'if-unmodified-since': before }), 'proceed')
  assert.equal(judge({ 'if-match': '"nope"', 'if-unmodified-since': after }), 'failed')
  assert.equal(judge({ 'if-match': '"e"', 'if-none-match': '"e"' }), 'not-modified')
  assert.equal(judge({ 'if-none-match': '"e"', 'if-range': '"x"' }), 'not-modified')
  assert.equal(judge({ 'if-unmodified-since': before, 'if-none-match': '"e"' }), 'failed')
})

test('without validators only * can match', () => {
  const nothing: Validators = { modTime: 0n }
  for (const name of ['if-modified-since', 'if-unmodified-since'])
    assert.equal(judge({ [name]: date }, nothing), 'proceed')
  assert.equal(judge({ 'if-none-match': '"e"' }, nothing), 'proceed')
  assert.equal(judge({ 'if-none-match': '*' }, nothing), 'not-modified')
  assert.equal(judge({ 'if-match': '"e"' }, nothing), 'failed')
  assert.equal(judge({ 'if-match': '*' }, nothing), 'proceed')
  assert.equal(judge({ 'if-range': date }, nothing), 'ignore-range')
})

test('a weak tag of ours satisfies If-None-Match, never If-Match or If-Range', () => {
  const weak: Validators = { etag: 'W/"e"' }
  assert.equal(judge({ 'if-none-match': '"e"' }, weak), 'not-modified')
  assert.equal(judge({ 'if-none-match': 'W/"e"' }, weak), 'not-modified')
  assert.equal(judge({ 'if-match': '"e"' }, weak), 'failed')
  assert.equal(judge({ 'if-match': 'W/"e"' }, weak), 'failed')
  assert.equal(judge({ 'if-range': 'W/"e"' }, weak), 'ignore-range')
})

test('a date of this very second is too fresh for If-Range', () => {
  assert.equal(judge({ 'if-range': date }, file, 'GET', Date.parse(date) + 500), 'ignore-range')
  assert.equal(judge({ 'if-range': date }, file, 'GET', Date.parse(date) + 1000), 'proceed')
})

test('for an upload If-None-Match fails instead of 304, and * means that nothing is there', () => {
  assert.equal(judge({ 'if-none-match': '*' }, file, 'PUT'), 'failed')
  assert.equal(judge({ 'if-none-match': '*' }, { exists: false }, 'PUT'), 'proceed')
  assert.equal(judge({ 'if-match': '*' }, { exists: false }, 'PUT'), 'failed')
  assert.equal(judge({ 'if-modified-since': date }, file, 'PUT'), 'proceed')
})

test('the three forms of a date are read, others are not', () => {
  const expected = Date.parse('1994-11-06T08:49:37Z') / 1000
  for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])
    assert.equal(parseHttpDate(text, Date.parse('2026-01-01')), expected, text)
  assert.equal(parseHttpDate('Fri, 31 Dec 9999 23:59:59 GMT'), 253402300799)
  assert.equal(
    parseHttpDate('Friday, 01-Jan-76 00:00:00 GMT', Date.parse('2026-06-01')),
    Date.parse('2076-01-01T00:00:00Z') / 1000,
  )
  assert.equal(
    parseHttpDate('Saturday, 01-Jan-77 00:00:00 GMT', Date.parse('2026-06-01')),
    Date.parse('1977-01-01T00:00:00Z') / 1000,
  )
  for (const text of [
    '',
    '1994-11-06',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 32 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    '0',
  ])
    assert.equal(parseHttpDate(text), undefined, text)
})

test('dates that Node writes are read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253402300799 }), (seconds) => {
      assert.equal(parseHttpDate(new Date(seconds * 1000).toUTCString()), seconds)
    }),
  )
})

test('lists of tags are read back, and hostile ones take no time', () => {
  const tag = fc.tuple(fc.boolean(), fc.string({ unit: fc.constantFrom('a', ',', '!', '~', 'W', '/', '\u00e9') }))
  fc.assert(
    fc.property(fc.array(tag), fc.constantFrom(',', ', ', ' , ,'), (tags, separator) => {
      const written = tags.map(([weak, opaque]) => `${weak ? 'W/' : ''}"${opaque}"`)
      assert.deepEqual([...tagsOf(written.join(separator))], written)
    }),
  )
  for (const hostile of ['W/'.repeat(50_000), '"'.repeat(100_000), `"a"${' '.repeat(100_000)}x`, ','.repeat(100_000)]) {
    const start = performance.now()
    void [...tagsOf(hostile)]
    assert.ok(performance.now() - start < 100, hostile.slice(0, 5))
  }
})

test('dates before 1970 count as others do', () => {
  const old: Validators = { modTime: BigInt(Date.parse('1960-01-01T00:00:00.5Z')) * 1_000_000n }
  assert.equal(judge({ 'if-modified-since': 'Fri, 01 Jan 1960 00:00:00 GMT' }, old), 'not-modified')
  assert.equal(judge({ 'if-modified-since': 'Thu, 31 Dec 1959 23:59:59 GMT' }, old), 'proceed')
})
