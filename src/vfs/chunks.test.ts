import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodyOf, collect } from '../base/body.ts'
import type { Range } from '../base/range.ts'
import { readAhead } from './ahead.ts'
import { readChunks, split } from './chunks.ts'

const content = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251))

function source(asked: Range[] = []) {
  return async (range: Range) => {
    asked.push(range)
    return bodyOf(content.subarray(range.start, range.end))
  }
}

test('pieces double up to the limit', () => {
  const sizes = (limit: number, streams = 0) =>
    [...split({ start: 0, end: 1500 }, { size: 100, limit, streams })].map((r) => r.end - r.start)
  assert.deepEqual(sizes(-1), [100, 200, 400, 800])
  assert.deepEqual(sizes(500), [100, 200, 400, 500, 300])
  assert.deepEqual(
    sizes(0),
    Array.from({ length: 15 }, () => 100),
  )
  assert.deepEqual(
    sizes(-1, 4),
    Array.from({ length: 15 }, () => 100),
  )
  assert.deepEqual([...split({ start: 3, end: 9 }, { size: 0, limit: -1, streams: 0 })], [{ start: 3, end: 9 }])
})

test('whatever the pieces and streams, the bytes are the same', async () => {
  const policy = fc.record({
    size: fc.integer({ min: -1, max: 400 }),
    limit: fc.integer({ min: -1, max: 900 }),
    streams: fc.integer({ min: 0, max: 5 }),
  })
  const range = fc.tuple(fc.nat(1000), fc.nat(1000)).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))
  await fc.assert(
    fc.asyncProperty(range, policy, fc.nat(3000), async (wanted, how, ahead) => {
      const body = readChunks(source(), wanted, how)
      const bytes = await collect(ahead > 0 ? readAhead(body, ahead) : body)
      assert.ok(content.subarray(wanted.start, wanted.end).equals(bytes))
    }),
    { numRuns: 200 },
  )
})

test('a reader that leaves early costs the pieces under way, and each is given back', async () => {
  const asked: Range[] = []
  let open = 0
  const counted = async (range: Range) => {
    asked.push(range)
    open++
    const inner = bodyOf(content.subarray(range.start, range.end))
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => inner.next(),
        return: async () => {
          open--
          return { done: true as const, value: undefined }
        },
      }),
    }
  }
  for await (const chunk of readChunks(counted, { start: 0, end: 1000 }, { size: 100, limit: 0, streams: 3 })) {
    assert.equal(chunk.length, 100)
    break
  }
  assert.equal(asked.length, 3)
  assert.equal(open, 0)
})

test('an error of the storage reaches the reader after the bytes before it', async () => {
  async function* broken() {
    yield Buffer.from('abc')
    throw new Error('cut')
  }
  const seen: string[] = []
  await assert.rejects(async () => {
    for await (const chunk of readAhead(broken(), 100)) seen.push(Buffer.from(chunk).toString())
  }, /cut/)
  assert.deepEqual(seen, ['abc'])
})

test('reading ahead stops at its limit', async () => {
  let pulled = 0
  async function* endless() {
    for (;;) {
      pulled++
      yield Buffer.alloc(10)
    }
  }
  const ahead = readAhead(endless(), 50)
  await ahead.next()
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(pulled <= 7, String(pulled))
  await ahead.return(undefined)
  const before = pulled
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(pulled, before)
})
