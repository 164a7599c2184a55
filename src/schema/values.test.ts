import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ValueType } from './value.ts'
import {
  bool,
  commaList,
  count,
  duration,
  fileMode,
  float,
  int,
  oneOf,
  password,
  size,
  spaceList,
  string,
  strings,
} from './values.ts'

const mode = oneOf('off', 'minimal', 'full')

test('types carry the names that rclone shows', () => {
  assert.deepEqual(
    [bool, int, float, string, size, duration, strings, commaList, spaceList, fileMode, mode, count, password].map(
      (type) => type.name,
    ),
    [
      'bool',
      'int',
      'float64',
      'string',
      'SizeSuffix',
      'Duration',
      'stringArray',
      'CommaSepList',
      'SpaceSepList',
      'FileMode',
      'off|minimal|full',
      'count',
      'string',
    ],
  )
})

test('a boolean reads the words that Go reads', () => {
  for (const text of ['1', 't', 'T', 'TRUE', 'true', 'True']) assert.equal(bool.parse(text), true)
  for (const text of ['0', 'f', 'F', 'FALSE', 'false', 'False']) assert.equal(bool.parse(text), false)
  for (const text of ['', 'yes', 'tRUE', 'on', '2', ' true'])
    assert.throws(() => bool.parse(text), { message: `bad boolean "${text}": use true or false` })
  assert.equal(bool.implied, 'true')
})

test('a whole number is exact or refused', () => {
  assert.equal(int.parse('-12'), -12)
  assert.equal(int.parse('+3'), 3)
  for (const text of ['', ' 1', '1.5', '1e3', '0x10', '9007199254740993', 'x'])
    assert.throws(() => int.parse(text), { message: `bad whole number "${text}"` })
})

test('a fractional number is finite or refused', () => {
  assert.equal(float.parse('1.5e3'), 1500)
  for (const text of ['', ' ', 'x', 'Infinity', 'NaN'])
    assert.throws(() => float.parse(text), { message: `bad number "${text}"` })
})

test('permission bits are octal in text and plain numbers in JSON', () => {
  assert.equal(fileMode.parse('0644'), 0o644)
  assert.equal(fileMode.format(0o644), '644')
  assert.equal(fileMode.format(0o7), '007')
  assert.equal(fileMode.encode(0o644), 420)
  assert.equal(fileMode.decode(420), 0o644)
  assert.equal(fileMode.decode('755'), 0o755)
  for (const text of ['', '8', '-1', 'rw']) assert.throws(() => fileMode.parse(text), /must be octal digits/)
})

test('a choice is found in any case and keeps its own spelling', () => {
  assert.equal(mode.parse('FULL'), 'full')
  assert.equal(mode.decode(1), 'minimal')
  assert.throws(() => mode.parse('x'), { message: 'invalid choice "x" from: off, minimal, full' })
  assert.throws(() => mode.decode(3), { message: 'expected one of off, minimal, full, not 3' })
})

test('each use of a list flag is one item, a comma list is split', () => {
  assert.deepEqual(strings.parse('a,b'), ['a,b'])
  assert.deepEqual(commaList.parse('a,"b,c"'), ['a', 'b,c'])
  assert.deepEqual(spaceList.parse('a "b c"'), ['a', 'b c'])
  assert.deepEqual(commaList.parse(''), [])
  assert.equal(commaList.format(['a', 'b,c']), 'a,"b,c"')
  assert.equal(strings.format(['a', 'b,c']), 'a,"b,c"')
  assert.equal(strings.repeatable, true)
})

test('a size is bytes in JSON, with all digits, and -1 when it is off', () => {
  assert.equal(JSON.stringify(size.encode(-1)), '-1')
  assert.equal(JSON.stringify(size.encode(2 ** 60)), '1152921504606846976')
  assert.equal(size.decode(1024), 1024)
  assert.equal(size.decode(-5), -1)
  assert.equal(size.decode('1k'), 1024)
  assert.throws(() => size.decode(1.5), /expected a number of bytes/)
})

test('a duration is nanoseconds in JSON, with all digits, and the largest number when it is off', () => {
  assert.equal(JSON.stringify(duration.encode(Infinity)), '9223372036854775807')
  assert.equal(JSON.stringify({ d: duration.encode(2_592_000_123) }), '{"d":2592000123000000}')
  assert.equal(JSON.stringify(duration.encode(31_536_000_000)), '31536000000000000')
  assert.equal(duration.decode(JSON.parse('9223372036854775807')), Infinity)
  assert.equal(duration.decode(1_500_000), 1.5)
  assert.equal(duration.decode('1.5s'), 1500)
  assert.throws(() => duration.decode(null), { message: /^expected a number of nanoseconds/ })
})

test('JSON of another kind is refused by every type', () => {
  const types: readonly Pick<ValueType<unknown>, 'name' | 'decode'>[] = [
    bool,
    int,
    float,
    string,
    size,
    duration,
    commaList,
    fileMode,
    mode,
  ]
  for (const type of types)
    for (const json of [{}, [1], undefined])
      assert.throws(() => type.decode(json), { message: /^expected / }, `${type.name} took ${JSON.stringify(json)}`)
  assert.deepEqual(strings.decode(null), [])
})

function survives<T>(type: ValueType<T>, values: fc.Arbitrary<T>): void {
  test(`a ${type.name} survives text and JSON`, () => {
    fc.assert(
      fc.property(values, (value) => {
        assert.deepEqual(type.decode(JSON.parse(JSON.stringify(type.encode(value)))), value)
        if (!type.repeatable) assert.deepEqual(type.parse(type.format(value)), value)
      }),
    )
  })
}
survives(bool, fc.boolean())
survives(int, fc.maxSafeInteger())
survives(string, fc.string())
survives(commaList, fc.array(fc.string()))
survives(spaceList, fc.array(fc.string()))
survives(strings, fc.array(fc.string()))
survives(fileMode, fc.integer({ min: 0, max: 0o7777 }))
survives(mode, fc.constantFrom('off', 'minimal', 'full'))
survives(
  float,
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
)
survives(
  size,
  fc.integer({ min: 1, max: 1023 }).map((n) => n * 1024 ** 2),
)
survives(
  duration,
  fc.integer({ min: -86_400_000, max: 86_400_000 }).map((ms) => ms / 1000),
)
