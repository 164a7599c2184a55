import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf } from '../../base/body.ts'
import { links } from './listing.ts'

const page = new URL('http://host:8080/pub/dir%20name/')

async function names(html: string, at = page): Promise<string[]> {
  const found: string[] = []
  // In small pieces, so that tags and characters are cut.
  const bytes = Buffer.from(html)
  const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7))
  for await (const { name, directory } of links(bodyOf(...chunks), at)) found.push(directory ? `${name}/` : name)
  return found
}

test('an index of Apache: sort links and the parent are no children', async () => {
  const html = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN"><html><head><title>Index of /pub</title></head><body>
<table><tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th><th><a href="?C=N;O=D">Name</a></th></tr>
<tr><td><a href="/pub/">Parent Directory</a></td></tr>
<tr><td><a href="a%20b.txt">a b.txt</a></td><td align="right">2001-02-03 04:05</td></tr>
<tr><td><a href="sub/">sub/</a></td></tr><tr><td><a href="x&amp;y.iso">x&amp;y.iso</a></td></tr></table></body></html>`
  assert.deepEqual(await names(html), ['a b.txt', 'sub/', 'x&y.iso'])
})

test('an index of nginx', async () => {
  const html = `<html><head><title>Index of /</title></head><body><h1>Index of /</h1><hr><pre><a href="../">../</a>
<a href="dir/">dir/</a>             20-Nov-2026 10:00    -
<a href="%C3%BC.txt">ü.txt</a>      20-Nov-2026 10:00    12
<a href="long%2Dname">long-na..&gt;</a></pre></body></html>`
  assert.deepEqual(await names(html), ['dir/', 'ü.txt', 'long-name'])
})

test('relative, absolute and full links lead to the same children, each once', async () => {
  const html = `<a href="one">1</a><a href='./one'>1</a><a href="/pub/dir%20name/one">1</a><a href=/pub/dir%20name/two>2</a>
<A HREF="http://host:8080/pub/dir name/three/">3</A><a href="//host:8080/pub/dir%20name/fo%75r">4</a><a href="./a:b">5</a>`
  assert.deepEqual(await names(html), ['one', 'two', 'three/', 'four', 'a:b'])
})

test('links to elsewhere are no children', async () => {
  for (const href of [
    'http://other/pub/dir%20name/x',
    'https://host:8080/pub/dir%20name/x',
    'mailto:x@y',
    'javascript:alert(1)',
    'x?download=zip',
    'x#frag',
    '#top',
    '.',
    './',
    '..',
    '../x',
    '/x',
    'a/b',
    'x//',
    '%2e%2e',
    'a%2Fb',
    '%00',
    '%FF',
    'dir/..%2f',
    '',
  ])
    assert.deepEqual(await names(`<a href="${href}">x</a>`), [], href)
})

test('a base element is honoured, links outside of a elements are not', async () => {
  const html =
    '<base href="/pub/dir%20name/"><link href="style.css"><area href="map"><a name="x">no href</a><a href="y">y</a>'
  assert.deepEqual(await names(html, new URL('http://host/pub/dir%20name/')), ['y'])
})
