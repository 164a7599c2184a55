import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf } from './body.ts'
import { inPieces, sendPieces } from './pieces.ts'

const cut = async (size: number, ...chunks: string[]) =>
  (await Array.fromAsync(inPieces(bodyOf(...chunks), size))).map((piece) => Buffer.from(piece).toString())

test('chunks of any length become pieces of one', async () => {
  assert.deepEqual(await cut(3, 'a', 'bcdefgh', '', 'ij'), ['abc', 'def', 'ghi', 'j'])
  assert.deepEqual(await cut(3, 'abc', 'def'), ['abc', 'def'])
  assert.deepEqual(await cut(3, '', ''), [])
})

test('pieces are sent some at a time, in the order in which they come', async () => {
  const begun: number[] = []
  let [now, most] = [0, 0]
  await sendPieces(inPieces(bodyOf('abcdefghij'), 2), 2, async (_piece, index) => {
    begun.push(index)
    most = Math.max(most, ++now)
    await new Promise((resolve) => setImmediate(resolve))
    now--
  })
  assert.deepEqual(begun, [0, 1, 2, 3, 4])
  assert.equal(most, 2)
})

test('after a failure no piece is begun, and it is told when the others have ended', async () => {
  let other = false
  const sending = sendPieces(inPieces(bodyOf('abcdefgh'), 1), 2, async (_piece, index) => {
    if (index === 0) throw new Error('broken')
    await new Promise((resolve) => setImmediate(resolve))
    other = true
    assert.ok(index < 3)
  })
  await assert.rejects(sending, /broken/)
  assert.ok(other)
})
