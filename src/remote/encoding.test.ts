import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { missing } from '../../test/peers.ts'
import { isEntryName } from '../base/path.ts'
import { decodePath, encodePath, parseEncoding } from './encoding.ts'

const windows =
  'Slash,LtGt,DoubleQuote,Colon,Question,Asterisk,Pipe,BackSlash,Ctl,Del,RightSpace,RightPeriod,InvalidUtf8,Dot'

test('what a storage cannot have is written with look-alikes and comes back', () => {
  const encoding = parseEncoding(windows)
  for (const [name, stored] of [
    ['plain', 'plain'],
    ['a:b', 'a：b'],
    ['a：b', 'a‛：b'],
    ['a<b>|c"', 'a＜b＞｜c＂'],
    ['ends with a space ', 'ends with a space␠'],
    ['ends with a dot.', 'ends with a dot．'],
    ['ends like one．', 'ends like one‛．'],
    ['tab\tdel\x7f', 'tab␉del␡'],
    ['a‛b', 'a‛‛b'],
    ['no UTF-8: ‛FF', 'no UTF-8： ‛FF'],
    ['a／b', 'a／b'],
    ['a‛／b', 'a‛／b'],
    ['．．', '．．'],
  ] as const) {
    assert.equal(encoding.encodeName(name), stored)
    assert.equal(encoding.decodeName(stored), name)
  }
})

test('a storage that has all characters shows those that a path cannot have with look-alikes', () => {
  for (const set of ['None', 'Raw']) {
    const encoding = parseEncoding(set)
    assert.equal(encoding.decodeName('..'), '．．')
    assert.equal(encoding.decodeName('a\0b'), 'a␀b')
    assert.equal(encoding.encodeName('a:b'), 'a:b')
  }
  for (const name of ['‛', '．', '‛．．', '␀', 'a‛／'])
    for (const way of ['encodeName', 'decodeName'] as const) assert.equal(parseEncoding('Raw')[way](name), name)
})

test('paths are encoded name by name', () => {
  const encoding = parseEncoding('Slash,LeftSpace,RightPeriod')
  assert.equal(encodePath(encoding, ' a./ b.'), '␠a．/␠b．')
  assert.equal(decodePath(encoding, '␠a．/␠b．'), ' a./ b.')
})

test('words that there are not are an error that names those there are', () => {
  assert.throws(() => parseEncoding('Slash,Comma'), /bad encoding "Comma", use some of: Slash, LtGt/)
})

const characters = fc.constantFrom(...Array.from(`ab.~ :/?"'<>|*#%\\[];!\t\n\r\x7f␀␠␉␍␡‛：／．～＜！FF0é𐐀`))
const names = fc.string({ unit: characters, minLength: 1, maxLength: 8 })
const sets = fc.subarray([
  ...windows.split(','),
  'LeftSpace',
  'LeftPeriod',
  'LeftTilde',
  'LeftCrLfHtVt',
  'RightCrLfHtVt',
  'Hash',
  'Exclamation',
])

test('a quote before an end that is replaced is not its own, and what is like two dots is not two dots', () => {
  for (const set of ['RightSpace,LeftSpace', 'RightPeriod,Dot', 'LeftPeriod,Dot', 'RightPeriod,LeftPeriod,Dot']) {
    const encoding = parseEncoding(set)
    for (const name of ['‛ ', '‛␠', '‛‛ ', ' ‛ ', '␠‛␠', '．.', '.．', '．．', '‛．.', '.‛．', '‛．．'])
      assert.equal(encoding.decodeName(encoding.encodeName(name)), name, set)
  }
})

test('every name that a path can have is a name in storage, never a path there, and comes back', () => {
  fc.assert(
    fc.property(sets, names, (set, name) => {
      fc.pre(isEntryName(name))
      for (const text of ['Raw', ['None', ...set].join(',')]) {
        const encoding = parseEncoding(text)
        const stored = encoding.encodeName(name)
        assert.ok(isEntryName(stored), text)
        assert.equal(encoding.decodeName(stored), name, text)
      }
    }),
  )
})

test('names are encoded as rclone does', { skip: missing('rclone') }, (t) => {
  const sets = [
    windows,
    'Slash,Dot,LeftSpace,LeftPeriod,LeftTilde,LeftCrLfHtVt,RightCrLfHtVt',
    'Slash,Hash,Percent,Semicolon,SquareBracket,CrLf',
  ]
  const samples = fc
    .sample(names, { numRuns: 60, seed: 1 })
    .map((name) => name.replaceAll(/[/‛␀]/g, '').replaceAll(/^\.*$/g, 'x'))
  for (const set of sets) {
    const encoding = parseEncoding(set)
    const from = folder(t)
    for (const name of new Set(samples)) writeFileSync(join(from, name), '')
    const to = folder(t)
    const raw = `:local,encoding="Slash,Dot":${from}`
    execFileSync('rclone', ['copy', '--config', '', '--no-check-dest', raw, `:local,encoding="${set}":${to}`], {
      stdio: 'ignore',
    })
    const expected = readdirSync(from).map((name) => encoding.encodeName(parseEncoding('Slash,Dot').decodeName(name)))
    assert.deepEqual(readdirSync(to).sort(), expected.sort())
  }
})

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-encoding-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
