import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCsv, parseCsv } from './csv.ts'

const rows: [text: string, fields: string[]][] = [
  ['', []],
  ['a', ['a']],
  ['a,b', ['a', 'b']],
  ['a,', ['a', '']],
  [',', ['', '']],
  ['"a,b",c', ['a,b', 'c']],
  ['"a ""b"""', ['a "b"']],
  ['"",', ['', '']],
  [' a, b', [' a', ' b']],
]
for (const [text, fields] of rows)
  test(`the line ${JSON.stringify(text)} holds ${JSON.stringify(fields)}`, () => {
    assert.deepEqual(parseCsv(text), fields)
  })

test('a quote in the wrong place is an error', () => {
  assert.throws(() => parseCsv('a"b'), /bare "/)
  assert.throws(() => parseCsv('"a'), /missing closing "/)
  assert.throws(() => parseCsv('"a"b'), /after the closing "/)
})

test('written fields read back, whatever they hold', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', 'é') })),
      fc.constantFrom(',', ' '),
      (fields, separator) => assert.deepEqual(parseCsv(formatCsv(fields, separator), separator), fields),
    ),
  )
})
