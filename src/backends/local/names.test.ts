import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { diskPath, joinDisk, rawText, shownName } from './names.ts'

const shown = (hex: string) => shownName(Buffer.from(hex, 'hex').toString('latin1'))

test('a byte that is not UTF-8 is shown as a quote and two hex digits', () => {
  assert.equal(shown('67726fdf'), 'gro‛DF')
  assert.equal(shown('ff'), '‛FF')
  assert.equal(shown('c3a9'), 'é')
})

test('a quote in a name is doubled only where it could be mistaken', () => {
  assert.equal(shown('e2809b4446'), '‛‛DF')
  assert.equal(shown('e2809b41'), '‛A')
  assert.equal(shown('61e2809b'), 'a‛')
  assert.equal(shown('e2809bff'), '‛‛‛FF')
})

test('every byte string has one shown name that leads back to it', () => {
  const bytes = fc.array(fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(0xe2, 0x80, 0x9b, 0x44, 0x46)), {
    minLength: 1,
    maxLength: 12,
  })
  fc.assert(
    fc.property(bytes, (list) => {
      const raw = Buffer.from(list.map((byte) => (byte === 0x2f ? 0x30 : byte)))
      const name = shownName(raw.toString('latin1'))
      const back = diskPath(name)
      assert.ok(back !== undefined)
      assert.deepEqual(Buffer.from(back), raw)
    }),
    { numRuns: 2000 },
  )
})

test('no two shown names lead to the same file', () => {
  const text = fc.string({ unit: fc.constantFrom('‛', 'D', 'F', 'E', '2', '8', 'a', 'é', '.'), maxLength: 10 })
  fc.assert(
    fc.property(text, (name) => {
      const path = diskPath(name)
      if (path !== undefined && name !== '') assert.equal(shownName(Buffer.from(path).toString('latin1')), name)
    }),
    { numRuns: 2000 },
  )
})

test('a quoted ASCII byte, a quoted slash and a lone surrogate are no names', () => {
  for (const name of ['a\ud800', '‛C3‛A9']) assert.equal(diskPath(name), undefined, name)
  assert.equal(diskPath('‛2E‛2E'), undefined)
  assert.equal(diskPath('a/gro‛DF/‛2F'), undefined)
})

test('paths are joined as text or as bytes', () => {
  assert.equal(joinDisk('/srv', 'a/b'), '/srv/a/b')
  assert.equal(joinDisk('/', 'a'), '/a')
  assert.equal(joinDisk('/srv', ''), '/srv')
  assert.equal(rawText(joinDisk('/srv', Buffer.of(0x61, 0xff))), '/srv/a\xff')
})
