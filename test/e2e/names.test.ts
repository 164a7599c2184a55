import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratch, serve } from '../program.ts'

const names = [
  'plain.txt',
  'line\nbreak.txt',
  'tab\tand\u001b[31mescape.txt',
  'carriage\rreturn',
  ' blanks around ',
  'a?b#c%d&e;f=g+h,i',
  '%41',
  'a:b.txt',
  `"quote's" <script>.html`,
  'back\\slash',
  '...',
  '..hidden',
  '-dash',
  '\u202eltr.exe',
  '😀 🏴‍☠️.txt',
  'e\u0301 decomposed',
  '\u00e9 composed',
  '\u0085\u2028\ufeff',
  'x'.repeat(255),
]
const bytes = [Buffer.from('latin1 gr\xfc\xdfe', 'latin1'), Buffer.from([0x66, 0xed, 0xa0, 0x80])]

test('whatever a file is called, its link in the page and in the JSON leads to it', async (t) => {
  const dir = scratch(t)
  const all = [...names.map((name) => Buffer.from(name)), ...bytes]
  for (const name of all)
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), name]), Buffer.concat([name, Buffer.from('|')]))
  mkdirSync(join(dir, 'a:folder\n?'))
  writeFileSync(join(dir, 'a:folder\n?', 'inside'), 'inside|')
  const { url } = await serve(t, ['serve', 'http', dir])

  const contents = async (links: readonly string[]) => {
    const found = new Set<string>()
    for (const link of links) {
      const response = await fetch(new URL(link, url))
      assert.equal(response.status, 200, link)
      found.add(Buffer.from(await response.arrayBuffer()).toString('latin1'))
    }
    return found
  }
  const expected = new Set(all.map((name) => `${name.toString('latin1')}|`))
  const items = (await (await fetch(url, { headers: { accept: 'application/json' } })).json()) as {
    url: string
    isDir: boolean
  }[]
  assert.deepEqual(await contents(items.filter(({ isDir }) => !isDir).map((item) => item.url)), expected)
  const page = await (await fetch(url)).text()
  const links = [...page.matchAll(/<tr class="\w"><td><a href="([^"]*[^/"])"/g)].map(([, href = '']) => unescaped(href))
  assert.deepEqual(await contents(links), expected)

  const folder = items.find(({ isDir }) => isDir)?.url ?? ''
  assert.deepEqual(await contents([`${folder}inside`]), new Set(['inside|']))
  const redirect = await fetch(new URL(folder.slice(0, -1), url), { redirect: 'manual' })
  assert.equal(redirect.headers.get('location'), '/a%3Afolder%0A%3F/')
})

function unescaped(text: string): string {
  return text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? "'",
  )
}
