import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, run, scratch, serve } from '../program.ts'

test('a listing is JSON for those who ask for it', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'hello', 'sub/b.txt': '' })
  const server = await serve(t, ['serve', 'http', dir])
  const response = await fetch(server.url, { headers: { Accept: 'application/json' } })
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  const list = (await response.json()) as { name: string; size: number; isDir?: boolean }[]
  assert.deepEqual(
    list.map(({ name }) => name),
    ['sub', 'a.txt'],
  )
})

test('a listing is not sent twice while nothing changed', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const server = await serve(t, ['serve', 'http', dir])
  const etag = (await fetch(server.url)).headers.get('etag') ?? ''
  assert.equal((await fetch(server.url, { headers: { 'If-None-Match': etag } })).status, 304)
})

test('a folder comes as a zip that unzip finds whole, with its length known', { skip: missing('unzip') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'top/a.txt': 'aaaa', 'top/ünï/b c.txt': 'b'.repeat(100_000), 'top/empty/': '', 'other.txt': 'no' })
  const server = await serve(t, ['serve', 'http', dir])
  const response = await fetch(new URL('top/?download=zip', server.url))
  const bytes = Buffer.from(await response.arrayBuffer())
  assert.equal(Number(response.headers.get('content-length')), bytes.length)
  assert.match(response.headers.get('content-disposition') ?? '', /attachment; filename="?top\.zip/)
  const zip = join(scratch(t), 'top.zip')
  writeFileSync(zip, bytes)
  const { code, stdout } = await run('unzip', ['-l', zip])
  assert.equal(code, 0)
  for (const name of ['a.txt', 'b c.txt', 'empty/']) assert.ok(stdout.includes(name), name)
  assert.ok(!stdout.includes('other.txt'))
  assert.equal((await run('unzip', ['-t', zip])).code, 0)
})

test('a template of your own draws the page', async (t) => {
  const dir = scratch(t)
  files(dir, {
    'pub/<b>.txt': 'x',
    't.html': '<h1>{{.Name}}</h1>{{range .Entries}}<a href="{{.URL}}">{{.Leaf}}</a>{{end}}',
  })
  const server = await serve(t, ['serve', 'http', join(dir, 'pub'), '--template', join(dir, 't.html')])
  assert.equal(await (await fetch(server.url)).text(), '<h1>/</h1><a href="%3Cb%3E.txt">&lt;b&gt;.txt</a>')
})

test('compression is for whole answers to those who accept it', async (t) => {
  const dir = scratch(t)
  files(dir, { 'big.txt': 'sluice '.repeat(10_000) })
  const server = await serve(t, ['serve', 'http', dir])
  const ask = (headers: Record<string, string>) =>
    run('curl', [
      '-s',
      '-D',
      '-',
      '-o',
      '/dev/null',
      ...Object.entries(headers).flatMap(([k, v]) => ['-H', `${k}: ${v}`]),
      `${server.url}big.txt`,
    ])
  assert.match((await ask({ 'Accept-Encoding': 'gzip' })).stdout, /content-encoding: gzip/i)
  assert.doesNotMatch((await ask({ 'Accept-Encoding': 'gzip;q=0' })).stdout, /content-encoding/i)
  assert.doesNotMatch((await ask({ 'Accept-Encoding': 'gzip', Range: 'bytes=0-99' })).stdout, /content-encoding/i)
})
