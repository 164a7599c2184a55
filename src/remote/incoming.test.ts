import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, collect } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { failing } from '../../test/conformance/helpers.ts'
import { heldBack } from './incoming.ts'

test('a body is held back by one chunk that has bytes, and comes whole', async () => {
  const seen: string[] = []
  const body = heldBack(bodyOf('a', '', 'bc', 'd', ''), (chunk) => seen.push(Buffer.from(chunk).toString()))
  assert.equal(Buffer.from(await collect(body)).toString(), 'abcd')
  assert.deepEqual(seen, ['a', 'bc', 'd'])
  assert.equal((await collect(heldBack(bodyOf('', '')))).length, 0)
})

test('of a source that fails at its end the last bytes never come', async () => {
  const got: string[] = []
  const read = async () => {
    for await (const chunk of heldBack(failing(['a', 'b', ''], new AppError('io', 'broke'))))
      got.push(Buffer.from(chunk).toString())
  }
  await assert.rejects(read(), /broke/)
  assert.deepEqual(got, ['a'])
})
