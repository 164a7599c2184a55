import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toDate } from '../../base/time.ts'
import { factsIn, listedTime, timeIn, timeText } from './facts.ts'

test('the answer to MLST gives type, size and time', () => {
  const answer =
    '250-Start of list for x\r\n modify=20010203040506.789;perm=r;SIZE=12;Type=file; /a dir/x y=1;z\r\n250 End'
  assert.deepEqual(factsIn(answer), { type: 'file', size: 12, modTime: 981_173_106_789_000_000n })
  assert.equal(factsIn('250-x\r\nType=cdir;Modify=20010203040506; /\r\n250 End')?.type, 'directory')
  assert.equal(factsIn('250-x\r\n type=OS.unix=slink:/b; /a\r\n250 End')?.type, 'link')
  assert.equal(factsIn('250 nothing'), undefined)
})

test('times go to the server and come back', () => {
  const time = 1_767_323_045_000_000_000n
  assert.equal(timeText(time), '20260102030405')
  assert.equal(timeIn(timeText(time)), time)
  assert.equal(timeIn('never'), undefined)
})

test('times of listings are read in the ways that servers write them', () => {
  const now = new Date('2026-03-01T12:00:00Z')
  const read = (text: string) => toDate(listedTime(text, now)).toISOString().slice(0, 16)
  assert.equal(read('Jan  2 03:04'), '2026-01-02T03:04')
  assert.equal(read('Dec 31 23:59'), '2025-12-31T23:59')
  assert.equal(read('Mar  2 11:00'), '2026-03-02T11:00')
  assert.equal(read('Jan  2  1999'), '1999-01-02T00:00')
  assert.equal(read('01-02-26  03:04PM'), '2026-01-02T15:04')
  assert.equal(read('01-02-1999  12:04AM'), '1999-01-02T00:04')
  assert.equal(listedTime('yesterday', now), 0n)
})
