import { test } from 'node:test'
import assert from 'node:assert/strict'
import { nameOf } from '../base/path.ts'
import type { Entry } from '../remote/remote.ts'
import { orderOf, sortEntries } from './sort.ts'

const entries: Entry[] = [
  ['ünï.txt', 3, 5],
  ['zero.bin', 0, 2],
  ['Z.png', 3, 5],
  ['sub/', 0, 1],
  ['big.txt', 100_000, 1],
  ['.hidden', 3, 5],
  ['a:b.txt', 3, 5],
  ['a.json', 2, 5],
  ['empty/', 0, 4],
  ['\uffee.txt', 1, 3],
  ['\u{10000}.txt', 1, 3],
].map(([name, size, day]): Entry => {
  const modTime = BigInt(day as number) * 86_400_000_000_000n
  const text = name as string
  return text.endsWith('/')
    ? { kind: 'directory', path: `d/${text.slice(0, -1)}`, modTime }
    : { kind: 'file', path: `d/${text}`, size: size as number, modTime }
})

function sorted(query: string): string {
  return sortEntries(entries, orderOf(new URLSearchParams(query)))
    .map((entry) => nameOf(entry.path))
    .join(' ')
}

const files = '.hidden a.json a:b.txt big.txt Z.png zero.bin ünï.txt \uffee.txt \u{10000}.txt'
const reversed = (text: string) => text.split(' ').reverse().join(' ')

test('directories first, then by name in lower case, by code points', () => {
  for (const query of ['', 'sort=namedirfirst', 'sort=rubbish', 'order=rubbish', 'sort=namedirfirst&order=ASC'])
    assert.equal(sorted(query), `empty sub ${files}`, query)
})

test('by name alone, by size with directories first, by time with the oldest first', () => {
  assert.equal(
    sorted('sort=name'),
    '.hidden a.json a:b.txt big.txt empty sub Z.png zero.bin ünï.txt \uffee.txt \u{10000}.txt',
  )
  assert.equal(
    sorted('sort=size'),
    'empty sub zero.bin \uffee.txt \u{10000}.txt a.json .hidden a:b.txt Z.png ünï.txt big.txt',
  )
  assert.equal(
    sorted('sort=time'),
    'big.txt sub zero.bin \uffee.txt \u{10000}.txt empty .hidden a.json a:b.txt Z.png ünï.txt',
  )
})

test('descending is the exact reverse', () => {
  for (const key of ['namedirfirst', 'name', 'size', 'time'])
    assert.equal(sorted(`sort=${key}&order=desc`), reversed(sorted(`sort=${key}`)))
})
