import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cacheName, formatSpec, parseSpec, quoteSpecValue, type Spec, splitSpec } from './spec.ts'

const named = (name: string, path: string, overrides: Record<string, string> = {}): Spec => ({
  kind: 'named',
  name,
  overrides,
  path,
})
const inline = (backend: string, path: string, overrides: Record<string, string> = {}): Spec => ({
  kind: 'inline',
  backend,
  overrides,
  path,
})
const local = (path: string): Spec => ({ kind: 'local', path })

const rows: [text: string, spec: Spec][] = [
  [':local:/tmp', inline('local', '/tmp')],
  [':local,copy_links:/x', inline('local', '/x', { copy_links: 'true' })],
  [
    ':local,copy_links=true,encoding="Slash,Colon":/x',
    inline('local', '/x', { copy_links: 'true', encoding: 'Slash,Colon' }),
  ],
  [":local,encoding='None':plain", inline('local', 'plain', { encoding: 'None' })],
  [':alias,remote="/a/b":', inline('alias', '', { remote: '/a/b' })],
  [':alias,remote="/a/pl""ain":', inline('alias', '', { remote: '/a/pl"ain' })],
  [':local,x=a"b:y', inline('local', 'y', { x: 'a"b' })],
  [':local,x=:y', inline('local', 'y', { x: '' })],
  [':local,x="":y', inline('local', 'y', { x: '' })],
  [':local,x=1,x=2:y', inline('local', 'y', { x: '2' })],
  ['a.b,c.d=1:x', named('a.b', 'x', { 'c.d': '1' })],
  ['a:b', named('a', 'b')],
  ['a:', named('a', '')],
  ['remote with space:x', named('remote with space', 'x')],
  ['é@x+y-z_1.2:p', named('é@x+y-z_1.2', 'p')],
  ['C:\\x', named('C', '\\x')],
  ['ftp://h/x', named('ftp', '//h/x')],
  ['name,k=v,k2="q:v",flag:path', named('name', 'path', { k: 'v', k2: 'q:v', flag: 'true' })],
  ['plain', local('plain')],
  ['./plain', local('./plain')],
  ['plain/a:b', local('plain/a:b')],
  ['\\x:y', local('\\x:y')],
  ['a,b', local('a,b')],
  ['a,b/c', local('a,b/c')],
  [',', local(',')],
  ['/', local('/')],
]
for (const [text, spec] of rows)
  test(`the remote ${text} is understood`, () => {
    assert.deepEqual(parseSpec(text), spec)
    assert.deepEqual(parseSpec(formatSpec(spec)), spec)
  })

const badName =
  /^config name contains invalid characters - may only contain numbers, letters, `_`, `-`, `\.`, `\+`, `@` and space/
const errors: [text: string, message: string | RegExp][] = [
  ['', "can't use empty string as a path"],
  [':local,=x:p', "config parameters can't be empty"],
  [':local,,:x', "config parameters can't be empty"],
  ['a,:x', "config parameters can't be empty"],
  [':local,a=b', 'unquoted config value must end with `,` or `:`'],
  [':local,foo$=1:x', 'config parameters may only contain `0-9`, `A-Z`, `a-z` and `_`'],
  ['a,b/c:d', 'config parameters may only contain `0-9`, `A-Z`, `a-z` and `_`'],
  [':local,x', 'config parameter must end with `,` or `:`'],
  [':local,x="a:y', 'unterminated quoted config value'],
  [':local,x="a"b:y', 'expecting `:` or `,` or another quote after a quote'],
  [':local,x="a"', 'expecting `:` or `,` or another quote after a quote'],
  [':', 'config name needs a trailing `:`'],
  [':local', 'config name needs a trailing `:`'],
  ['::', "config name can't be empty"],
  [':,a:b', "config name can't be empty"],
  [',x:y', "config name can't be empty"],
  ['we?ird:x', badName],
  [':/foo', 'config name needs a trailing `:`'],
  [':/foo:x', badName],
  [' a:x', badName],
  ['a :x', badName],
  ['-a:x', badName],
  ["a'b:c", badName],
]
for (const [text, message] of errors)
  test(`the remote ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parseSpec(text), { code: 'invalid', message })
  })

test('on Windows a drive letter is local and backslashes are slashes', () => {
  const windows = true
  assert.deepEqual(parseSpec('C:\\x\\y', { windows }), local('C:/x/y'))
  assert.deepEqual(parseSpec('c:x', { windows }), local('c:x'))
  assert.deepEqual(parseSpec('\\\\host\\share', { windows }), local('//host/share'))
  assert.deepEqual(parseSpec('ab:x\\y', { windows }), named('ab', 'x/y'))
})

test('a local path that would read as a remote is written with ./ before it', () => {
  assert.equal(formatSpec(local('a:b')), './a:b')
  assert.equal(formatSpec(local('a/b:c')), 'a/b:c')
})

test('the canonical text sorts and quotes the settings', () => {
  assert.equal(formatSpec(named('potato', '/p', { parameter: '42' })), "potato,parameter='42':/p")
  assert.equal(formatSpec(inline('local', '/p', { b: "it's", a: '' })), ":local,a='',b='it''s':/p")
  assert.equal(quoteSpecValue("'"), "''''")
})

test('a spec is split into that of its folder and a name', () => {
  const split = (text: string) => {
    const { parent, name } = splitSpec(parseSpec(text))
    return [formatSpec(parent), name]
  }
  assert.deepEqual(split('r:a/b/c.txt'), ['r:a/b', 'c.txt'])
  assert.deepEqual(split('r:c.txt'), ['r:', 'c.txt'])
  assert.deepEqual(split('r:/c.txt'), ['r:/', 'c.txt'])
  assert.deepEqual(split(':http,url=x:a/b'), [":http,url='x':a", 'b'])
  assert.deepEqual(split('/srv/c.txt'), ['/srv', 'c.txt'])
  assert.deepEqual(split('/c.txt'), ['/', 'c.txt'])
  assert.deepEqual(split('c.txt'), [process.cwd(), 'c.txt'])
  for (const root of ['r:', 'r:/', 'r:a/', '/']) assert.equal(split(root)[1], '', root)
})

test('the name for caches carries the hash that rclone computes', () => {
  assert.equal(cacheName(parseSpec(':local,copy_links:/tmp')), ':local{12rtk}')
  assert.equal(cacheName(parseSpec(':local,encoding="None",copy_links:/tmp')), ':local{lb1G6}')
  assert.equal(cacheName(parseSpec(":http,url='http://127.0.0.1:1/':")), ':http{6BaL5}')
  assert.equal(cacheName(parseSpec('a:b')), 'a')
  assert.equal(cacheName(parseSpec(':http:b')), ':http')
  assert.equal(cacheName(parseSpec('/b')), 'local')
})

test('the canonical text of any spec reads back as the same', () => {
  const value = fc.string({ unit: fc.constantFrom('a', "'", '"', ':', ',', '=', '/', ' ', 'é', '\n') })
  const name = fc.stringMatching(/^[a-zé0-9_.+@]([a-z -]{0,5}[a-z0-9-])?$/)
  const settings = fc.dictionary(fc.stringMatching(/^[A-Za-z0-9_.]{1,6}$/), value, {
    maxKeys: 4,
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(fc.boolean(), name, settings, value, (isNamed, name, overrides, path) => {
      const spec = isNamed ? named(name, path, overrides) : inline(name, path, overrides)
      assert.deepEqual(parseSpec(formatSpec(spec)), spec)
    }),
  )
})

test('any text is a spec that formats and reads back, or an error that says why', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', ':', ',', '=', '"', "'", '/', '\\', ' ', '-', '.') }),
      (text) => {
        try {
          const spec = parseSpec(text)
          assert.deepEqual(parseSpec(formatSpec(spec)), spec)
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'invalid')
        }
      },
    ),
    { numRuns: 2000 },
  )
})
