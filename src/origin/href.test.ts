import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isEntryName } from '../base/path.ts'
import { encodeName, hrefOf } from './href.ts'

test('links are escaped as rclone escapes them', () => {
  const table: [string, string][] = [
    ['plain-name_1.2~txt', 'plain-name_1.2~txt'],
    ['a b', 'a%20b'],
    ['a:b.txt', './a:b.txt'],
    ['100%.txt', '100%25.txt'],
    [`we<ird>&"name#1?.txt`, 'we%3Cird%3E&%22name%231%3F.txt'],
    [`x'(y)*!`, 'x%27%28y%29%2A%21'],
    ['ünï', '%C3%BCn%C3%AF'],
    ['$&+,;=@', '$&+,;=@'],
    ['a\\b', 'a%5Cb'],
    ['a\r\nb', 'a%0D%0Ab'],
    ['%2e%2e', '%252e%252e'],
    ['...', '...'],
  ]
  for (const [name, href] of table) assert.equal(hrefOf(name, false), href)
  assert.equal(hrefOf('sub dir', true), 'sub%20dir/')
  assert.equal(encodeName('\ud800'), '%EF%BF%BD')
})

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '..',
        '.',
        '%',
        '2f',
        '%2e',
        ':',
        '//',
        '?',
        '#',
        '\\',
        ' ',
        '\t',
        'javascript:',
        '&amp;',
        '"',
        "'",
        '<',
        'ü',
        '\u202e',
        '\u{1f600}',
      ),
    )
    .map((parts) => parts.join('')),
)
const name = nasty.map((text) => text.toWellFormed()).filter(isEntryName)

test('the link to any name leads back to it, from wherever the page is', () => {
  fc.assert(
    fc.property(name, fc.boolean(), fc.constantFrom('/', '/base/', '/a%20b/c:d/'), (name, directory, page) => {
      const href = hrefOf(name, directory)
      const url = new URL(href, `http://host${page}`)
      assert.equal(url.origin, 'http://host')
      assert.equal(url.search + url.hash, '')
      assert.ok(url.pathname.startsWith(page))
      const rest = url.pathname.slice(page.length)
      assert.equal(rest.endsWith('/'), directory)
      assert.equal(decodeURIComponent(rest.replace(/\/$/, '')), name)
    }),
    { numRuns: 3000 },
  )
})
