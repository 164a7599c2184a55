import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodyOf } from '../base/body.ts'
import { firstJson } from './json-body.ts'

test('the first value ends where it ends, however the body is cut and whatever follows it', async () => {
  const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()))
  await fc.assert(
    fc.asyncProperty(value, fc.string(), fc.integer({ min: 1, max: 7 }), async (json, rest, step) => {
      const text = JSON.stringify(json)
      const bytes = Buffer.from(`${text}${rest}`)
      const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) =>
        bytes.subarray(i * step, (i + 1) * step),
      )
      assert.equal(await firstJson(bodyOf(...chunks), 1e6), text)
    }),
  )
})

test('nothing more is pulled once the value is complete', async () => {
  async function* body() {
    yield Buffer.from(' {"a": "}\\"", "b": [1]}')
    await new Promise(() => {})
  }
  assert.equal(await firstJson(body(), 1000), ' {"a": "}\\"", "b": [1]}')
})

test('a value of too many bytes is refused before all of it is there', async () => {
  await assert.rejects(firstJson(bodyOf('{"a":', '"'.padEnd(100, 'x')), 50), RangeError)
})
