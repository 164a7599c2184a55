import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Regex } from './regex.ts'

const rows: [source: string, yes: string[], no: string[]][] = [
  ['', ['', 'x'], []],
  ['abc', ['abc', 'xabcx'], ['ab', 'ABC', '']],
  ['^abc$', ['abc'], ['abcd', 'xabc', 'abc\n']],
  ['a.c', ['abc', 'a\rc', 'a\u2028c', 'a😀c'], ['a\nc', 'ac']],
  ['(?s)a.c', ['a\nc'], ['ac']],
  ['^a*$', ['', 'aaa'], ['b']],
  ['^a+$', ['a', 'aaa'], ['', 'ab']],
  ['^(?:ab)?$', ['', 'ab'], ['a', 'abab']],
  ['^a{2,3}$', ['aa', 'aaa'], ['a', 'aaaa']],
  ['^a{2,}$', ['aa', 'aaaaa'], ['a']],
  ['^a{2}$', ['aa'], ['a', 'aaa']],
  ['^a{,2}$', ['a{,2}'], ['aa']],
  ['^a{x}$', ['a{x}'], ['a']],
  ['^a{02}(?)$', ['a{02}'], ['aa']],
  ['^(a|b|)c$', ['ac', 'bc', 'c'], ['abc']],
  ['^(a*)*$', ['', 'aaaa'], ['b']],
  ['^(|a)+$', ['', 'aaaa'], ['b']],
  ['a*?b', ['aab'], ['a']],
  ['^[^a-c]$', ['d', '\n', 'é'], ['a', 'b']],
  ['^[]a]$', [']', 'a'], ['b']],
  ['^[a-]$', ['a', '-'], ['b']],
  ['^[-a]$', ['a', '-'], ['b']],
  ['^[a\\]]$', ['a', ']'], ['\\']],
  ['^[a&&b]$', ['a', '&', 'b'], ['c']],
  ['^[[:alpha:]\\d]+$', ['aZ9'], ['é', '_']],
  ['^[[:^digit:]]$', ['a'], ['1']],
  ['^[^\\s]$', ['a', '\u00a0'], [' ', '\t']],
  ['^\\S$', ['\u00a0', 'x'], [' ']],
  ['^[\\w.]+$', ['a_1.'], ['-']],
  ['^\\pL\\p{Lu}\\p{^Lu}\\PL$', ['éÉé1'], ['ééé1']],
  ['^\\p{Greek}$', ['λ'], ['l']],
  ['^\\p{Any}$', ['😀'], ['']],
  ['(?i)^straße K$', ['STRASSE K'.replace('SS', 'ß'), 'STRAẞE K', 'straße k'], ['strasse k']],
  ['a(?i)b|c', ['aB', 'C', 'ab'], ['A', 'AB']],
  ['(?i:a)b', ['Ab', 'ab'], ['aB']],
  ['(?i)a(?-i)b', ['Ab'], ['aB']],
  ['(?P<x>a)(?<y>b)', ['ab'], ['a']],
  ['(?m)^b$', ['a\nb\nc', 'b'], ['ab']],
  ['\\Ab\\z', ['b'], ['b\n', 'ab']],
  ['\\bfoo\\b', ['foo', 'a foo.', 'é-foo'], ['xfoo', 'foo_']],
  ['\\Boo', ['foo'], ['oo']],
  ['^\\Qa.b*\\E+$', ['a.b*', 'a.b**'], ['aXb']],
  ['^\\x41\\x{1F600}\\101\\n\\t\\.\\_$', ['A😀A\n\t._'], ['A']],
  ['^^a$$', ['a'], ['aa']],
  ['^*a', ['ba'], ['b']],
  ['x$|^y', ['ax', 'ya'], ['xa', 'ay']],
]
for (const [source, yes, no] of rows)
  test(`/${source}/ matches what RE2 matches`, () => {
    const regex = new Regex(source)
    for (const text of yes) assert.ok(regex.test(text), `should match ${JSON.stringify(text)}`)
    for (const text of no) assert.ok(!regex.test(text), `should not match ${JSON.stringify(text)}`)
    for (const text of yes) assert.ok(regex.test(text), `should match ${JSON.stringify(text)} again`)
  })

const invalid: [source: string, message: string][] = [
  ['([)', 'missing closing ]: `[)`'],
  ['[a', 'missing closing ]: `[a`'],
  ['[a-', 'missing closing ]: `[a-`'],
  ['(a', 'missing closing ): `(a`'],
  ['a)', 'unexpected ): `a)`'],
  ['a**', 'invalid nested repetition operator: `**`'],
  ['a+?*', 'invalid nested repetition operator: `+?*`'],
  ['*a', 'missing argument to repetition operator: `*`'],
  ['(|*)', 'missing argument to repetition operator: `*`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['a{3,2}', 'invalid repeat count: `{3,2}`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['(?<!a)', 'invalid or unsupported Perl syntax: `(?<`'],
  ['\\1', 'invalid escape sequence: `\\1`'],
  ['\\y', 'invalid escape sequence: `\\y`'],
  ['\\Z', 'invalid escape sequence: `\\Z`'],
  ['\\x{110000}', 'invalid escape sequence: `\\x`'],
  ['[z-a]', 'invalid character class range: `z-a`'],
  ['[[:foo:]]', 'invalid character class range: `[:foo:]`'],
  ['\\pX', 'invalid character class range: `\\pX`'],
  ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
  ['a\\', 'trailing backslash at end of expression: ``'],
  ['('.repeat(501) + ')'.repeat(501), 'expression nests too deeply: `' + '('.repeat(501) + ')'.repeat(501) + '`'],
  ['((a{100}){100}){100}', 'expression too large'],
]
for (const [source, message] of invalid)
  test(`/${source.slice(0, 40)}/ is refused in Go's words`, () => {
    assert.throws(() => new Regex(source), { message: `error parsing regexp: ${message}` })
  })

test('patterns that make a backtracking engine hang are answered at once', () => {
  const long = 'a'.repeat(20_000)
  const before = performance.now()
  for (const source of [
    '(a*)*b$',
    '^(a|a)*$c',
    '(a|aa)+x',
    `^${'[^/]*a'.repeat(30)}[^/]*b$`,
    '(.*){20}y',
    '(a?){900}a{900}b',
  ])
    assert.equal(new Regex(source).test(long), false)
  assert.ok(performance.now() - before < 10_000)
})

test('a pattern with more states than are kept still answers right', () => {
  const regex = new Regex('(a|b)*a(a|b){12}$')
  const oracle = /(a|b)*a(a|b){12}$/
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 10, maxLength: 40 }), (text) => {
      assert.equal(regex.test(text), oracle.test(text))
    }),
    { numRuns: 1000 },
  )
})

const atom = fc.constantFrom('a', 'b', 'é', '/', '.', '[ab]', '[^a]', '\\.', '\\w', '\\b', '^', '$', '[^/]', '(?:^|/)')
const tree = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
    fc.tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?')).map(([a, op]) => `(?:${a})${op}`),
  ),
}))
test('it agrees with the engine of JavaScript on what both understand', () => {
  fc.assert(
    fc.property(
      tree.node,
      fc.string({ unit: fc.constantFrom('a', 'b', 'é', '/', '.'), maxLength: 8 }),
      (source, text) => {
        assert.equal(new Regex(source).test(text), new RegExp(source, 'u').test(text))
      },
    ),
    { numRuns: 3000 },
  )
})
