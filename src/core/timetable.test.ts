import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bandwidth, formatLimit, limitAt } from './timetable.ts'

const MI = 1024 * 1024
const friday = new Date(2026, 10, 20, 18, 15)

const rows: [text: string, tx: number, rx: number, printed: string][] = [
  ['1M', MI, MI, '1Mi'],
  ['off', -1, -1, 'off'],
  ['0', -1, -1, 'off'],
  ['00:00,0', -1, -1, 'off'],
  ['1M:2M', MI, 2 * MI, '1Mi:2Mi'],
  ['off:1M', -1, MI, 'off:1Mi'],
  ['1M:off', MI, -1, '1Mi:off'],
  ['08:00,512k 12:00,10M 23:00,off', 10 * MI, 10 * MI, '10Mi'],
  ['Mon-08:00,1M Sat-00:00,off', MI, MI, '1Mi'],
  ['10:00,1M:2M', MI, 2 * MI, '1Mi:2Mi'],
  ['Sunday-10:30,1.5M', 1.5 * MI, 1.5 * MI, '1.500Mi'],
  ['10:00,1M;11:00,2M', 2 * MI, 2 * MI, '2Mi'],
  [' 10:00,1M', MI, MI, '1Mi'],
  ['18:15,1M 18:16,2M', MI, MI, '1Mi'],
  ['18:16,1M', MI, MI, '1Mi'],
  ['FRI-18:00,3M FRIDAY-19:00,4M', 3 * MI, 3 * MI, '3Mi'],
  ['Sat-00:00,5M', 5 * MI, 5 * MI, '5Mi'],
]
for (const [text, tx, rx, printed] of rows)
  test(`on a Friday at 18:15 the timetable "${text}" allows ${printed}`, () => {
    const limit = limitAt(bandwidth.parse(text), friday)
    assert.deepEqual(limit, { tx, rx })
    assert.equal(formatLimit(limit), printed)
  })

test('a timetable is written with short names of the days', () => {
  assert.equal(bandwidth.encode(bandwidth.parse('tuesday-08:00,1M SAT-23:59,off')), 'Tue-08:00,1Mi Sat-23:59,off')
})

const invalid: [text: string, message: string][] = [
  ['', 'empty string'],
  [' ', 'empty string'],
  ['mon-8:00,1M', 'invalid time specification (hh:mm): "8:00"'],
  ['10.00,1M', 'invalid time specification (hh:mm): "10.00"'],
  ['aa:00,1M', 'invalid time specification (hh:mm): "aa:00"'],
  ['Mon-,1M', 'invalid time specification (hh:mm): ""'],
  ['25:00,1M', 'invalid hour (must be between 00 and 23): 25'],
  ['10:60,1M', 'invalid minute (must be between 00 and 59): 60'],
  ['Foo-10:00,1M', 'invalid weekday: "foo"'],
  ['10-00,1M', 'invalid weekday: "10"'],
  ['mond-10:00,1M', 'invalid weekday: "mond"'],
  ['mon-tue-10:00,1M', 'invalid time specification: "mon-tue-10:00"'],
  ['10:00 1M', 'invalid time/bandwidth specification: "10:00"'],
  ['1M 2M', 'invalid time/bandwidth specification: "1M"'],
  ['10:00,1M,2M', 'invalid time/bandwidth specification: "10:00,1M,2M"'],
  ['10:00,', 'empty string'],
  ['1M:', 'empty string'],
  ['1k:1x', "bad suffix 'x'"],
  ['10:00,-1', 'size can\'t be negative "-1"'],
]
for (const [text, message] of invalid)
  test(`the timetable "${text}" is refused`, () => {
    assert.throws(() => bandwidth.parse(text), { message })
  })

test('before the first slot of the week the last one goes on', () => {
  const table = bandwidth.parse('Mon-08:00,1M Sat-00:00,off')
  assert.deepEqual(limitAt(table, new Date(2026, 10, 22, 12)), { tx: -1, rx: -1 })
  assert.deepEqual(limitAt(table, new Date(2026, 10, 23, 7, 59)), { tx: -1, rx: -1 })
  assert.deepEqual(limitAt(table, new Date(2026, 10, 23, 8)), { tx: MI, rx: MI })
})

test('no limit is an empty timetable, and empty text in JSON', () => {
  for (const text of ['off', '0', 'off:off']) assert.deepEqual(bandwidth.parse(text), [])
  assert.equal(bandwidth.format([]), 'off')
  assert.equal(bandwidth.encode([]), '')
  assert.deepEqual(bandwidth.decode(''), [])
  assert.deepEqual(bandwidth.decode('1M'), [{ minute: 0, tx: MI, rx: MI }])
  assert.throws(() => bandwidth.decode(5), /expected a bandwidth/)
})

test('a printed timetable reads back as the same', () => {
  const rate = fc.oneof(
    fc.constant('off'),
    fc.integer({ min: 1, max: 999 }).map((n) => `${n}M`),
  )
  const limit = fc.oneof(
    rate,
    fc.tuple(rate, rate).map((pair) => pair.join(':')),
  )
  const two = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'))
  const day = fc.constantFrom('', 'Sun-', 'tue-', 'SATURDAY-')
  const slot = fc.tuple(day, two(23), two(59), limit).map(([d, h, m, l]) => `${d}${h}:${m},${l}`)
  fc.assert(
    fc.property(
      fc.oneof(
        limit,
        fc.array(slot, { minLength: 1, maxLength: 4 }).map((s) => s.join(' ')),
      ),
      (text) => {
        const table = bandwidth.parse(text)
        assert.deepEqual(bandwidth.parse(bandwidth.format(table)), table)
      },
    ),
  )
})
