import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localTime, rfc3339Nano } from './local-time.ts'
import { toDate, toHttpDate, toMs } from './time.ts'

test('milliseconds are rounded down, before 1970 as well', () => {
  assert.equal(toMs(1_999_999n), 1)
  assert.equal(toMs(-1n), -1)
  assert.equal(toHttpDate(-500_000_000n), 'Wed, 31 Dec 1969 23:59:59 GMT')
})

test('a time that no date can show is the nearest one that can, and fails nobody', () => {
  const [early, late] = [-(10n ** 24n), 10n ** 24n]
  assert.equal(toDate(early).toISOString(), '0001-01-01T00:00:00.000Z')
  assert.equal(toHttpDate(late), 'Fri, 31 Dec 9999 00:00:00 GMT')
  assert.match(localTime(late), /^9999-12-3\d /)
  assert.match(rfc3339Nano(late), /^9999-12-3\d/)
})
