import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Mark, Outcomes } from './outcomes.ts'

function made(most?: number): Outcomes {
  const outcomes = new Outcomes(most)
  outcomes.enabled = true
  return outcomes
}

const file = (mark: Mark, path: string, size = 1) => ({ mark, path, size })

function paths(outcomes: Outcomes, group: string, mark?: Mark): unknown[] {
  return outcomes.page(group, { mark }).files.map((one) => (one as { path: string }).path)
}

test('another attempt replaces what the one before it said of a file, and does not hide what was done', () => {
  const outcomes = made()
  outcomes.add('g', file('+', 'a', 5))
  outcomes.add('g', { ...file('!', 'b', 7), error: 'no' })
  assert.deepEqual(outcomes.failed('g'), ['b'])
  outcomes.add('g', file('=', 'a', 5))
  outcomes.add('g', file('*', 'b', 7))
  const { counts, files, unlisted } = outcomes.page('g')
  assert.deepEqual(files, [
    { mark: '+', path: 'a', size: 5, what: 'new' },
    { mark: '*', path: 'b', size: 7, what: 'changed' },
  ])
  assert.partialDeepStrictEqual(counts, { new: { files: 1, bytes: 5 }, changed: { files: 1, bytes: 7 } })
  assert.deepEqual([counts.failed.files, counts.matched.files, unlisted], [0, 0, 0])
  assert.deepEqual(outcomes.failed('g'), [])
})

test('a report is read in pages', () => {
  const outcomes = made()
  for (let i = 0; i < 10; i++) outcomes.add('g', file(i % 2 ? '=' : '+', `f${i}`))
  const page = outcomes.page('g', { mark: '+', offset: 1, limit: 2 })
  assert.deepEqual(
    page.files.map((one) => (one as { path: string }).path),
    ['f2', 'f4'],
  )
  assert.equal(page.counts.new.files, 5)
})

test('lists are bounded: those of older groups go first, counts stay, and failures find room at last', () => {
  const outcomes = made(10)
  for (let i = 0; i < 5; i++) outcomes.add('old', file('+', `o${i}`))
  for (let i = 0; i < 20; i++) outcomes.add('new', file('=', `n${i}`))
  assert.deepEqual(paths(outcomes, 'old'), [])
  assert.partialDeepStrictEqual(outcomes.page('old'), { unlisted: 5, counts: { new: { files: 5 } } })
  assert.equal(paths(outcomes, 'new').length, 9)
  outcomes.add('new', file('!', 'x'))
  assert.deepEqual(outcomes.failed('new'), ['x'])
  outcomes.add('new', file('!', 'y'))
  assert.equal(outcomes.failed('new'), undefined)
  assert.equal(outcomes.page('new').counts.failed.files, 2)
  outcomes.forget('new')
  outcomes.add('other', file('+', 'z'))
  assert.deepEqual(paths(outcomes, 'other'), ['z'])
})

test('nothing is kept while nobody may want to know', () => {
  const outcomes = new Outcomes()
  outcomes.add('g', file('+', 'a'))
  assert.deepEqual(outcomes.page('g').files, [])
})
