import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDuration, fromNanoseconds, maxNanoseconds, parseDuration, toNanoseconds } from './duration.ts'

const valid: [text: string, ns: bigint, printed: string][] = [
  ['1s', 1000000000n, '1s'],
  ['-1d', -86400000000000n, '-1d'],
  ['1.5h', 5400000000000n, '1h30m0s'],
  ['off', 9223372036854775807n, 'off'],
  ['1d', 86400000000000n, '1d'],
  ['1h30m', 5400000000000n, '1h30m0s'],
  ['2w', 1209600000000000n, '2w'],
  ['100ms', 100000000n, '100ms'],
  ['1M', 2592000000000000n, '1M'],
  ['1us', 1000n, '1µs'],
  ['1µs', 1000n, '1µs'],
  ['1y', 31536000000000000n, '1y'],
  ['1m', 60000000000n, '1m0s'],
  ['10', 10000000000n, '10s'],
  ['1e3', 1000000000000n, '16m40s'],
  ['1.5', 1500000000n, '1.5s'],
  ['0', 0n, '0s'],
  ['-5', -5000000000n, '-5s'],
  ['+1h', 3600000000000n, '1h0m0s'],
  ['5.', 5000000000n, '5s'],
  ['.5', 500000000n, '500ms'],
  ['1.5d', 129600000000000n, '1.5d'],
  ['10d', 864000000000000n, '1.4285714285714286w'],
  ['1ns', 1n, '1ns'],
  ['1.5us', 1500n, '1.5µs'],
  ['1h0m0.25s', 3600250000000n, '1h0m0.25s'],
  ['-1h30m', -5400000000000n, '-1h30m0s'],
  ['24h', 86400000000000n, '1d'],
]
for (const [text, ns, printed] of valid)
  test(`the duration "${text}" is ${ns} ns and prints as ${printed}`, () => {
    const ms = parseDuration(text)
    assert.equal(toNanoseconds(ms), ns)
    assert.equal(fromNanoseconds(ns), ms)
    assert.equal(formatDuration(ms), printed)
  })

const now = Date.UTC(2026, 5, 15, 12)
const instants: [text: string, then: number][] = [
  ['2026-06-15T11:00:00Z', Date.UTC(2026, 5, 15, 11)],
  ['2026-06-15T11:00:00+02:00', Date.UTC(2026, 5, 15, 9)],
  ['2026-06-15T11:00:00.25-00:30', Date.UTC(2026, 5, 15, 11, 30, 0, 250)],
  ['2020-01-01', new Date(2020, 0, 1).getTime()],
  ['2020-01-01T01:02:03', new Date(2020, 0, 1, 1, 2, 3).getTime()],
  ['2020-01-01 01:02:03', new Date(2020, 0, 1, 1, 2, 3).getTime()],
  ['2030-01-01', new Date(2030, 0, 1).getTime()],
]
for (const [text, then] of instants)
  test(`the duration "${text}" is the time since then`, () => {
    assert.equal(parseDuration(text, now), now - then)
  })

for (const text of [
  '',
  'abc',
  '1Y',
  '1D',
  '1S',
  '1 d',
  '1d12h',
  '1h1d',
  '1hd',
  'inf',
  'nan',
  'OFF',
  '.',
  '-',
  '1e',
  'h',
  '0x10',
  '2020-01-01x',
  '2020-13-01',
  '2020-02-30',
  '0020-02-03',
  '2020-01-01T25:00:00Z',
  '2020-01-01 10:00:00Z',
])
  test(`the duration "${text}" is refused with what to write instead`, () => {
    assert.throws(() => parseDuration(text), {
      message: `bad duration "${text}": use a number with ms, s, m, h, d, w, M or y (1h30m, 1.5d), a date, or off`,
    })
  })

test('a duration that does not fit 64 bits of nanoseconds is refused', () => {
  for (const text of ['300y', '-300y', '1e99', '9999999999999h', '1e999'])
    assert.throws(() => parseDuration(text), { message: `duration "${text}" is too long: use off for no limit` })
})

test('a long row of digits is refused in no time', () => {
  const before = performance.now()
  assert.throws(() => parseDuration(`${'1'.repeat(50_000)}x`))
  assert.throws(() => parseDuration(`${'1h'.repeat(50_000)}x`))
  assert.ok(performance.now() - before < 1000)
})

test('nanoseconds survive the way through milliseconds up to a hundred days', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 51n), max: 2n ** 51n }), (ns) => {
      assert.equal(toNanoseconds(fromNanoseconds(ns)), ns)
    }),
  )
  assert.equal(fromNanoseconds(maxNanoseconds), Infinity)
  assert.equal(toNanoseconds(Infinity), maxNanoseconds)
})

test('a printed duration reads back as the same duration', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), fc.integer({ min: 0, max: 62 }), (wide, shift) => {
      const ms = fromNanoseconds(wide >> BigInt(shift))
      const back = parseDuration(formatDuration(ms))
      assert.ok(Math.abs(back - ms) <= Math.max(1e-6, Math.abs(ms) * 2 ** -50), `${ms} came back as ${back}`)
    }),
  )
})
