import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MediaSequence } from './media-sequence.ts'
import type { Track } from './tracks.ts'

const track = (path: string, state: Track['state'] = 'complete'): Track => ({
  path,
  init: undefined,
  pieces: [],
  state,
  size: 1,
})
const shown = (sequence: MediaSequence) => {
  const { whole, rest } = sequence.listed()
  const names = whole.map((one) => `${sequence.breaksAt(one.number) ? '|' : ''}${one.number}:${one.track?.path ?? '-'}`)
  return [...names, ...(rest ? [`(${rest.number})`] : [])].join(' ')
}

test('numbers in names are those of the sequence, with gaps where segments never came', () => {
  const sequence = new MediaSequence(false)
  for (const n of [5, 6, 8]) sequence.take(track(`s${n}`), n)
  sequence.take(track('s9', 'growing'), 9)
  assert.equal(shown(sequence), '5:s5 6:s6 7:- 8:s8 (9)')
  // A neighbour that comes late is no new beginning.
  sequence.take(track('s8b', 'complete'), 8)
  assert.equal(shown(sequence), '5:s5 6:s6 7:- 8:s8b (9)')
  sequence.drop('s5')
  assert.equal(shown(sequence), '6:s6 7:- 8:s8b (9)')
  sequence.take(track('s40'), 40)
  assert.equal(shown(sequence), '6:s6 7:- 8:s8b (9)')
})

test('an encoder that begins again goes on behind what it has sent', () => {
  const sequence = new MediaSequence(false)
  for (const n of [7, 8, 9]) sequence.take(track(`s${n}`), n)
  for (const n of [1, 2]) sequence.take(track(`s${n}`), n)
  assert.equal(shown(sequence), '7:s7 8:s8 9:s9 |10:s1 11:s2')
  assert.deepEqual([sequence.breaksBefore(10), sequence.breaksBefore(11)], [0, 1])
  assert.equal(sequence.valueOf(12), 3)
  sequence.restart()
  sequence.take(track('s2'), 2)
  sequence.take(track('s3'), 3)
  assert.equal(shown(sequence), '7:s7 8:s8 9:s9 |10:s1 11:- |12:s2 13:s3')
})

test('a beginning that is sent again is no new run when the numbers go on', () => {
  const sequence = new MediaSequence(false)
  sequence.take(track('s1'), 1)
  sequence.restart()
  sequence.take(track('s2'), 2)
  assert.equal(shown(sequence), '1:s1 2:s2')
})

test('segments whose names are times are counted', () => {
  const sequence = new MediaSequence(true)
  for (const t of [4000, 6000, 8000]) sequence.take(track(`t${t}`), t)
  assert.equal(shown(sequence), '0:t4000 1:t6000 2:t8000')
  sequence.take(track('t0'), 0)
  assert.equal(shown(sequence), '0:t4000 1:t6000 2:t8000 |3:t0')
  assert.equal(sequence.valueOf(4), undefined)
})
