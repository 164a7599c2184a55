import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatSeconds, formatTime, parseSeconds, parseTime } from './mtime.ts'

const times = [0n, 1n, -1n, 981_173_106_123_456_789n, -981_173_106_500_000_000n, 1_600_000_000_000_000_000n]

test('times beside objects keep their nanoseconds', () => {
  for (const time of times) {
    assert.equal(parseTime(formatTime(time)), time, formatTime(time))
    assert.equal(parseSeconds(formatSeconds(time)), time, formatSeconds(time))
  }
  assert.equal(formatTime(981_173_106_123_456_789n), '2001-02-03T04:05:06.123456789Z')
  assert.equal(formatSeconds(981_173_106_120_000_000n), '981173106.12')
})

test('other forms are read too, and what is no time is none', () => {
  assert.equal(parseTime('2001-02-03T05:05:06+01:00'), 981_173_106_000_000_000n)
  assert.equal(parseTime('2001-02-03T04:05:06.5Z'), 981_173_106_500_000_000n)
  assert.equal(parseSeconds('981173106'), 981_173_106_000_000_000n)
  for (const text of [undefined, '', 'x', '2001-02-03', '2001-13-03T04:05:06Z'])
    assert.equal(parseTime(text), undefined)
  for (const text of [undefined, '', '1e9', '.5']) assert.equal(parseSeconds(text), undefined)
})
