import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Runs } from './runs.ts'

const range = fc.tuple(fc.nat(60), fc.nat(20)).map(([start, length]) => ({ start, end: start + length }))

function bytesOf(ranges: readonly { start: number; end: number }[]): Set<number> {
  return new Set(ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)))
}

test('ranges that were added are there, and what is there is in order and apart', () => {
  fc.assert(
    fc.property(fc.array(range), (added) => {
      const runs = new Runs()
      for (const one of added) runs.add(one)
      assert.deepEqual(bytesOf(runs.ranges), bytesOf(added))
      assert.equal(runs.size, bytesOf(added).size)
      for (let i = 1; i < runs.ranges.length; i++)
        assert.ok((runs.ranges[i]?.start ?? 0) > (runs.ranges[i - 1]?.end ?? 0))
    }),
  )
})

test('what is missing and what is there make up a whole', () => {
  fc.assert(
    fc.property(fc.array(range), range, (added, asked) => {
      const runs = new Runs()
      for (const one of added) runs.add(one)
      const there = bytesOf(added)
      const missing = bytesOf(runs.missing(asked))
      for (let at = asked.start; at < asked.end; at++) assert.equal(missing.has(at), !there.has(at))
      assert.equal(runs.has(asked), missing.size === 0)
    }),
  )
})

test('the range behind a byte holds it, or is the next one', () => {
  fc.assert(
    fc.property(fc.array(range), fc.nat(90), (added, at) => {
      const runs = new Runs()
      for (const one of added) runs.add(one)
      assert.deepEqual(
        runs.from(at),
        runs.ranges.find(({ end }) => end > at),
      )
    }),
  )
})

test('nothing before a byte is left once it was dropped', () => {
  fc.assert(
    fc.property(fc.array(range), fc.nat(90), (added, at) => {
      const runs = new Runs()
      for (const one of added) runs.add(one)
      runs.dropBefore(at)
      assert.deepEqual(bytesOf(runs.ranges), new Set([...bytesOf(added)].filter((byte) => byte >= at)))
    }),
  )
})
