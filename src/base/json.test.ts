import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { collect } from './body.ts'
import { encodeInPieces, encodeJson, isLong, ordered, orderedItems, plain } from './json.ts'

const inPieces = async (fields: object) => Buffer.from(await collect(encodeInPieces(fields))).toString()

test('any JSON that is written is read back the same, keys in order, without characters that HTML gives a meaning', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = encodeJson(value)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      assert.doesNotMatch(text, /[<>&\u2028\u2029]/)
      assert.equal(encodeJson(JSON.parse(text)), text)
    }),
  )
})

test('text of any kind is written as it is read', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(JSON.parse(encodeJson(text)), text)
    }),
  )
  assert.equal(encodeJson('a"\\\n<é😀\ud800\u2028'), '"a\\"\\\\\\n\\u003cé😀\\ud800\\u2028"\n')
})

test('a long list is written in pieces, to the same text', async () => {
  const items = Array.from({ length: 5003 }, (_, i) => ({ z: i, a: `<${i}>`, none: undefined }))
  for (const fields of [
    { list: items, before: [1], zero: null, none: undefined },
    { list: orderedItems([...items]), other: orderedItems([...items]) },
    ordered({ z: items, a: {} }),
    {},
    { list: [] },
  ])
    assert.equal(await inPieces(fields), encodeJson(fields))
  assert.ok(isLong({ a: 1, list: items }))
  assert.ok(!isLong({ a: 1, list: items.slice(0, 1000) }))
})

test('the items of a marked list keep the order of their keys, what is in them does not, and a copy has none', () => {
  const list = orderedItems([{ b: 1, a: { d: 1, c: 2 } }])
  assert.equal(encodeJson(list).replaceAll(/\s/g, ''), '[{"b":1,"a":{"c":2,"d":1}}]')
  assert.equal(encodeJson(plain(list)).replaceAll(/\s/g, ''), '[{"a":{"c":2,"d":1},"b":1}]')
})
