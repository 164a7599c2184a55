import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IniDocument } from './ini.ts'

const read = (text: string) => new IniDocument(Buffer.from(text))
const change = (text: string, edit: (ini: IniDocument) => void) => {
  const ini = read(text)
  edit(ini)
  return ini.toBytes().toString()
}

const values: [line: string, key: string, value: string][] = [
  ['key=value', 'key', 'value'],
  ['key = value', 'key', 'value'],
  ['key: value', 'key', 'value'],
  ['  key = value  ', 'key', 'value'],
  ['\tkey\t=\t\tvalue\r', 'key', 'value'],
  ['k = a #b', 'k', 'a #b'],
  ['k = a ;b', 'k', 'a ;b'],
  ['k = a#b', 'k', 'a#b'],
  ['k = "in quotes"', 'k', '"in quotes"'],
  ["k = 'sq'", 'k', "'sq'"],
  ['k = `x`', 'k', 'x'],
  ['k = ` x`', 'k', ' x'],
  ['k = `a`b`', 'k', 'a`b'],
  ['k = `', 'k', '`'],
  ['k = """tri"""', 'k', 'tri'],
  ['k = a\\nb', 'k', 'a\\nb'],
  ['k = a=b=c', 'k', 'a=b=c'],
  ['empty =', 'empty', ''],
  ['Spaced Key = 1', 'Spaced Key', '1'],
  ['UPPER = 1', 'UPPER', '1'],
  ['"q=k" = 1', 'q=k', '1'],
  ['`z:z` = 2', 'z:z', '2'],
  ['"""a"b""" = 2', 'a"b', '2'],
  ['G:H = 3', 'G', 'H = 3'],
  ['k = \u00a0x\u00a0', 'k', 'x'],
  ['k = 50%(off)s', 'k', '50%(off)s'],
]
for (const [line, key, value] of values)
  test(`the line ${JSON.stringify(line)} sets ${key} to ${JSON.stringify(value)}`, () => {
    assert.deepEqual(read(`[a]\n${line}\n`).get('a'), { [key]: value })
  })

for (const line of ['noeq', '[a', '= 5', '"x = 1', '`x = 1', 'k = `x', 'x\ta'])
  test(`the line ${JSON.stringify(line)} is refused in rclone's words`, () => {
    assert.throws(() => read(`[a]\n  ${line} \n`), { code: 'invalid', message: `could not parse line: ${line}` })
  })

test('a key that is quoted but empty is passed over', () => {
  assert.deepEqual(read('[a]\n"" = 1\n` ` = 2\n').get('a'), {})
})

test('a section without a name holds nothing', () => {
  assert.throws(() => read('[]\nx = y\n'), { code: 'invalid', message: 'empty section name not allowed' })
})

test('sections are joined, the last value of a key counts, and keys before any header have a section too', () => {
  const ini = read('t = 1\n[one]\nremote = a\nremote = b\n[Two Words]\n[ one ]\nremote = /dup\nx = 1\n[DEFAULT]\nq=1')
  assert.deepEqual(ini.sections(), ['DEFAULT', 'one', 'Two Words'])
  assert.deepEqual(ini.get('one'), { remote: '/dup', x: '1' })
  assert.deepEqual(ini.get('Two Words'), {})
  assert.deepEqual(ini.get('DEFAULT'), { t: '1', q: '1' })
  assert.equal(ini.get('three'), undefined)
})

test('a file in the encoding of Windows is read, and keeps its line ends', () => {
  const text = '\ufeff[a]\r\nk = v\r\n'
  assert.deepEqual(read(text).get('a'), { k: 'v' })
  assert.equal(
    change(text, (ini) => ini.set('a', 'x', 'y')),
    '\ufeff[a]\r\nk = v\r\nx = y\r\n',
  )
  assert.equal(
    change(text, (ini) => ini.set('b', 'x', 'y')),
    '\ufeff[a]\r\nk = v\r\n\r\n[b]\r\nx = y\r\n',
  )
})

const file = '# top\n\n; about a\n[a]\ntype = local\n  odd=  value  \n# end\n\n# about b\n[b]\ntype=alias'

test('a change touches only its own line', () => {
  assert.equal(
    change(file, (ini) => ini.set('a', 'odd', 'value')),
    file,
  )
  assert.equal(
    change(file, (ini) => ini.set('a', 'odd', 'new')),
    file.replace('  odd=  value  ', 'odd = new'),
  )
  assert.equal(
    change(file, (ini) => ini.set('a', 'more', '')),
    file.replace('value  \n', 'value  \nmore =\n'),
  )
  assert.equal(
    change(file, (ini) => ini.set('b', 'remote', 'x')),
    `${file}\nremote = x\n`,
  )
  assert.equal(
    change(file, (ini) => ini.set('c', 'type', 'x')),
    `${file}\n\n[c]\ntype = x\n`,
  )
  assert.equal(
    change(file, (ini) => assert.ok(ini.unset('a', 'type'))),
    file.replace('type = local\n', ''),
  )
  assert.equal(
    change('', (ini) => ini.set('c', 'type', 'x')),
    '[c]\ntype = x\n',
  )
  assert.equal(
    change('[x]\n\n', (ini) => ini.set('c', 'type', 'x')),
    '[x]\n\n[c]\ntype = x\n',
  )
})

test('a section goes with its keys; comments before the headers stay', () => {
  assert.equal(
    change(file, (ini) => assert.ok(ini.remove('a'))),
    '# top\n\n; about a\n# end\n\n# about b\n[b]\ntype=alias',
  )
  assert.equal(
    change('[a]\nx = 1\n\n[b]\ny = 1\n\n[a]\nz = 1\n', (ini) => ini.remove('a')),
    '[b]\ny = 1\n\n',
  )
  assert.equal(
    change('x = 1\n[b]\n', (ini) => ini.remove('DEFAULT')),
    '[b]\n',
  )
  assert.equal(read(file).remove('nope'), false)
})

test('a section is renamed in place', () => {
  assert.equal(
    change(file, (ini) => ini.rename('a', 'z y')),
    file.replace('[a]', '[z y]'),
  )
  assert.equal(
    change('x = 1\n', (ini) => ini.rename('DEFAULT', 'b')),
    '[b]\nx = 1\n',
  )
  assert.throws(() => read(file).rename('a', 'b'), { code: 'exists' })
  assert.throws(() => read(file).rename('q', 'c'), { code: 'not-found' })
})

test('bytes that are no UTF-8 survive a change', () => {
  const bytes = Buffer.from('# caf\xe9\n[a]\nk = \xff\n', 'latin1')
  const ini = new IniDocument(bytes)
  ini.set('b', 'k', 'é')
  assert.deepEqual(ini.toBytes(), Buffer.concat([bytes, Buffer.from('\n[b]\nk = é\n')]))
})

test('what would break the file is refused, without showing the value', () => {
  const ini = read(file)
  for (const value of ['a\nb', 'a\r', 'a\0', '\ud800'])
    assert.throws(() => ini.set('a', 'pass', value), {
      code: 'invalid',
      message: 'value of pass must not hold line ends or control characters',
    })
  for (const key of ['', ' ', '-', '#a', 'a\nb', '`a=b'])
    assert.throws(() => ini.set('a', key, 'v'), { code: 'invalid' })
  for (const section of ['', ' a', 'a\n']) assert.throws(() => ini.set(section, 'k', 'v'), { code: 'invalid' })
  assert.equal(ini.toBytes().toString(), file)
})

test('any keys and values that can be written read back', () => {
  const char = fc.constantFrom('a', 'B', '=', ':', '"', '`', ' ', '#', ';', '[', ']', '\\', 'é', '\u00a0', '%')
  const key = fc.string({ unit: char, minLength: 1, maxLength: 6 }).filter((k) => {
    return k.trim() !== '' && k !== '-' && !k.startsWith('#') && !k.includes('`')
  })
  const section = fc.stringMatching(/^[a-z#\][="]{1,4}( [a-z])?$/)
  const edits = fc.array(fc.tuple(section, key, fc.string({ unit: char, maxLength: 8 })), { maxLength: 12 })
  fc.assert(
    fc.property(edits, fc.constantFrom('', file, '[a]\r\nx = 1\r\n'), (edits, start) => {
      const ini = read(start)
      const expected = new Map(ini.sections().map((name) => [name, new Map(Object.entries(ini.get(name) ?? {}))]))
      for (const [name, key, value] of edits) {
        ini.set(name, key, value)
        expected.set(name, (expected.get(name) ?? new Map<string, string>()).set(key, value))
      }
      const back = new IniDocument(ini.toBytes())
      assert.deepEqual(
        back.sections().map((name) => [name, back.get(name)]),
        [...expected].map(([name, map]) => [name, Object.fromEntries(map)]),
      )
    }),
    { numRuns: 500 },
  )
})
