import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { endOfJson } from './json-body.ts'

test('the first value ends where it ends, however the body is cut and whatever follows it', () => {
  const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()))
  fc.assert(
    fc.property(value, fc.string(), fc.integer({ min: 1, max: 7 }), (json, rest, step) => {
      const text = Buffer.from(JSON.stringify(json))
      const bytes = Buffer.concat([text, Buffer.from(rest)])
      const end = endOfJson()
      for (let at = 0; at < bytes.length; at += step) {
        const found = end(bytes.subarray(at, at + step))
        if (found === undefined) continue
        assert.equal(at + found, text.length)
        return
      }
      assert.fail('no end was found')
    }),
  )
})

test('quotes, braces in texts and blanks before the value do not matter', () => {
  const text = ' \n{"a": "}\\"", "b": [1]} tail'
  assert.equal(endOfJson()(Buffer.from(text)), text.length - ' tail'.length)
})

test('a value that is no object or list goes on until the body ends', () => {
  const end = endOfJson()
  for (const part of ['nu', 'll', '{}']) assert.equal(end(Buffer.from(part)), undefined)
})
