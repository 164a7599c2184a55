import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatSize, parseSize, sizeOff } from './size.ts'

const valid: [text: string, bytes: number, printed: string][] = [
  ['1', 1024, '1Ki'],
  ['1.5G', 1610612736, '1.500Gi'],
  ['100', 102400, '100Ki'],
  ['1e3', 1024000, '1000Ki'],
  ['1k', 1024, '1Ki'],
  ['1K', 1024, '1Ki'],
  ['1Ki', 1024, '1Ki'],
  ['1KI', 1024, '1Ki'],
  ['1KiB', 1024, '1Ki'],
  ['10kib', 10240, '10Ki'],
  ['2P', 2251799813685248, '2Pi'],
  ['1B', 1, '1'],
  ['1b', 1, '1'],
  ['1E', 1152921504606846976, '1Ei'],
  ['10M', 10485760, '10Mi'],
  ['10MiB', 10485760, '10Mi'],
  ['1.M', 1048576, '1Mi'],
  ['.5M', 524288, '512Ki'],
  ['0.1', 102, '102'],
  ['+5', 5120, '5Ki'],
  ['1048576B', 1048576, '1Mi'],
  ['3T', 3298534883328, '3Ti'],
  ['off', -1, 'off'],
  ['OFF', -1, 'off'],
  ['0', 0, '0'],
  ['1023B', 1023, '1023'],
  ['1500B', 1500, '1.465Ki'],
  ['74048B', 74048, '72.312Ki'],
]
for (const [text, bytes, printed] of valid)
  test(`the size "${text}" is ${bytes} bytes and prints as ${printed}`, () => {
    assert.equal(parseSize(text), bytes)
    assert.equal(formatSize(bytes), printed)
  })

const invalid: [text: string, message: string][] = [
  ['', 'empty string'],
  ['-1', 'size can\'t be negative "-1"'],
  ['-1k', 'size can\'t be negative "-1"'],
  ['1x', "bad suffix 'x'"],
  ['1i', "bad suffix '1'"],
  ['1ib', "bad suffix '1'"],
  ['inf', "bad suffix 'f'"],
  ['nan', "bad suffix 'n'"],
  ['1 ', "bad suffix ' '"],
  ['1KB', 'bad number "1K" in size "1KB": write it like 100, 1.5G or 10MiB'],
  ['1KIB', 'bad number "1KI" in size "1KIB": write it like 100, 1.5G or 10MiB'],
  [' 1', 'bad number " 1" in size " 1": write it like 100, 1.5G or 10MiB'],
  ['KiB', 'bad number "" in size "KiB": write it like 100, 1.5G or 10MiB'],
  ['0x10', 'bad number "0x10" in size "0x10": write it like 100, 1.5G or 10MiB'],
  ['.', 'bad number "." in size ".": write it like 100, 1.5G or 10MiB'],
  ['8E', 'size "8E" is too large: use off for no limit'],
  ['1e400', 'size "1e400" is too large: use off for no limit'],
]
for (const [text, message] of invalid)
  test(`the size "${text}" is refused`, () => {
    assert.throws(() => parseSize(text), { message })
  })

test('a printed size reads back within the three decimals that it shows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      const text = formatSize(bytes)
      // Below 1Ki the digits are bytes, but a bare number reads as KiB.
      const back = parseSize(/^\d+$/.test(text) ? `${text}B` : text)
      assert.ok(Math.abs(back - bytes) <= bytes * 0.0006)
    }),
  )
})

test('a size of whole units reads back exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1023 }), fc.integer({ min: 1, max: 5 }), (n, power) => {
      assert.equal(parseSize(formatSize(n * 1024 ** power)), n * 1024 ** power)
    }),
  )
})

test('any text is either a size that prints or an Error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        assert.ok(parseSize(text) >= sizeOff)
      } catch (error) {
        assert.ok(error instanceof Error && error.message !== '')
      }
    }),
  )
})
