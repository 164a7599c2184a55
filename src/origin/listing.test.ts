import { test } from 'node:test'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { missing } from '../../test/peers.ts'
import { collect } from '../base/body.ts'
import { isEntryName } from '../base/path.ts'
import { testContext } from '../core/testing.ts'
import { received, testRequest } from '../http/testing.ts'
import type { TestRequest } from '../http/testing.ts'
import type { Entry } from '../remote/remote.ts'
import { compileTemplate } from '../template/template.ts'
import type { DirNode } from '../vfs/node.ts'
import { Files } from './file.ts'
import { Listings } from './listing.ts'
import type { ListingSettings } from './listing.ts'
import { formatSize } from './listing-size.ts'
import { FakeTree } from './testing.ts'
import type { FakeSpec } from './testing.ts'

const ctx = testContext()
const spec: FakeSpec = {
  'hello.txt': { content: 'hello world\n', time: '2001-02-03T04:05:06.789Z' },
  'a:b.txt': 'col',
  '100%.txt': 'pct',
  'we<ird>&"name#1?.txt': '<b>x</b>',
  'ünï.txt': 'uni',
  'dir with space/x.txt': 'x',
  unknown: { content: '', size: -1, time: '' },
}

async function list(
  given: FakeSpec | FakeTree,
  target = '/',
  request: TestRequest = {},
  settings: Partial<ListingSettings> = {},
) {
  const tree = given instanceof FakeTree ? given : new FakeTree(given)
  const asked = testRequest(target, request)
  const response = new Listings({ zip: true, modTimes: true, ...settings }).answer(
    ctx,
    asked,
    tree.directory(asked.path),
  )
  return received(response)
}

/** The links of a page as a plain program sees them. */
function links(html: string): string[] {
  const unescape = (text: string) =>
    text.replace(
      /&(?:amp|lt|gt|#34|#39);/g,
      (e) => ({ '&amp;': '&', '&lt;': '<', '&gt;': '>', '&#34;': '"', '&#39;': "'" })[e] as string,
    )
  return [...html.matchAll(/<a href="([^"]*)"/g)].map(([, href]) => unescape(href as string))
}

test('the page links every entry with a plain relative link, and nothing else but the way up', async () => {
  const root = await list(spec)
  assert.deepEqual(links(root.text), [
    'dir%20with%20space/',
    '100%25.txt',
    './a:b.txt',
    'hello.txt',
    'unknown',
    'we%3Cird%3E&%22name%231%3F.txt',
    '%C3%BCn%C3%AF.txt',
  ])
  const deep = await list({ 'a/b/c.txt': '' }, '/a/b/')
  assert.deepEqual(links(deep.text), ['../../', '../', '../', 'c.txt'])
  assert.match(deep.text, /<li aria-current="page">b/)
})

test('sizes, times and names are shown for people and given for programs', async () => {
  const { text } = await list(spec)
  assert.match(text, /<data value="12">12 B<\/data><td><time datetime="2001-02-03T04:05:06Z">2001-02-03 04:05<\/time>/)
  assert.match(text, /<a href="unknown">unknown<\/a><td>\?<td>&mdash;/)
  assert.match(text, /<bdi>we&lt;ird&gt;&amp;&#34;name#1\?\.txt<\/bdi>/)
  assert.match(text, /1 directory, 6 files, 29 B/)
  const plain = await list(spec, '/', {}, { modTimes: false })
  assert.ok(!/2001-02-03|<time/.test(plain.text))
})

test('a time that no calendar has is shown as the nearest one, in every form', async () => {
  const tree = new FakeTree({ 'a.txt': { content: '', time: 10n ** 24n } })
  assert.match((await list(tree)).text, /<time datetime="9999-12-31T00:00:00Z">/)
  const json = await list(tree, '/', { headers: { accept: 'application/json' } })
  assert.match(json.text, /"modTime":"9999-12-31T00:00:00Z"/)
  const template = compileTemplate('t.html', '{{range .Entries}}{{.ModTime}}{{end}}')
  assert.match((await list(tree, '/', {}, { template })).text, /^9999-12-31 /)
})

test('sizes are written in few digits', () => {
  const table: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [102_348, '99.9 KiB'],
    [102_400, '100 KiB'],
    [1_023_999, '1000 KiB'],
    [1_048_576, '1.0 MiB'],
    [2 ** 53, '8.0 PiB'],
  ]
  for (const [bytes, text] of table) assert.equal(formatSize(bytes), text)
})

test('the column heads tell the order and turn it round', async () => {
  const heads = async (query: string) =>
    [
      ...(await list(spec, `/${query}`)).text.matchAll(
        /<th scope="col"( aria-sort="\w+")?>.*?name="order" value="(\w+)".*?value="(\w+)">/g,
      ),
    ].map(([, state = '', order, key]) => `${state.trim()} ${key} ${order}`.trim())
  assert.deepEqual(await heads(''), ['aria-sort="ascending" namedirfirst desc', 'size desc', 'time desc'])
  assert.deepEqual(await heads('?sort=name&order=desc'), ['aria-sort="descending" name asc', 'size desc', 'time desc'])
  assert.deepEqual(await heads('?sort=size&order=desc'), [
    'namedirfirst asc',
    'aria-sort="descending" size asc',
    'time desc',
  ])
})

test('zip buttons are there unless switched off', async () => {
  assert.match(
    (await list(spec)).text,
    /<button form="z" formaction="dir%20with%20space\/" name="download" value="zip" aria-label="Download dir with space as ZIP">/,
  )
  assert.ok(!(await list(spec, '/', {}, { zip: false })).text.includes('download'))
})

test('Accept decides between page, JSON and plain text', async () => {
  const json = await list(spec, '/', { headers: { accept: 'application/json' } })
  assert.equal(json.header('content-type'), 'application/json; charset=utf-8')
  assert.equal(json.header('vary'), 'Accept')
  const rows = JSON.parse(json.text) as Record<string, unknown>[]
  assert.deepEqual(rows[0], {
    name: 'dir with space',
    url: 'dir%20with%20space/',
    isDir: true,
    size: -1,
    modTime: '2020-01-02T03:04:05Z',
  })
  assert.deepEqual(rows[3], {
    name: 'hello.txt',
    url: 'hello.txt',
    isDir: false,
    size: 12,
    modTime: '2001-02-03T04:05:06.789Z',
  })
  assert.deepEqual(rows[4], { name: 'unknown', url: 'unknown', isDir: false, size: -1 })
  assert.ok(!json.text.includes('<'))
  const plain = await list(spec, '/?sort=name&order=desc', { headers: { accept: 'text/plain' } })
  assert.equal(plain.text, 'ünï.txt\nwe<ird>&"name#1?.txt\nunknown\nhello.txt\ndir with space/\na:b.txt\n100%.txt\n')
  assert.deepEqual(
    JSON.parse((await list({ 'd/x': '' }, '/', { headers: { accept: 'application/json' } })).text).length,
    1,
  )
  assert.equal((await list({ d: null }, '/d/', { headers: { accept: 'application/json' } })).text, '[\n]\n')
})

test('the headers keep the page to itself', async () => {
  const { header, text } = await list(spec)
  const policy = header('content-security-policy') ?? ''
  assert.match(
    policy,
    /^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
  )
  assert.ok(!/\son\w+=|style="/.test(text))
  assert.deepEqual(
    ['x-content-type-options', 'referrer-policy', 'x-frame-options', 'cache-control', 'last-modified'].map(header),
    ['nosniff', 'no-referrer', 'DENY', 'no-cache', 'Thu, 02 Jan 2020 03:04:05 GMT'],
  )
  assert.match(header('server-timing') ?? '', /^list;dur=[\d.]+, render;dur=[\d.]+$/)
})

test('a listing that did not change is 304, by its tag or by the newest time in it', async () => {
  const tree = new FakeTree(spec)
  const etag = (await list(tree)).header('etag') ?? ''
  const ask = (headers: Record<string, string>, target = '/') => list(tree, target, { headers })
  const again = await ask({ 'if-none-match': etag })
  assert.deepEqual(
    [again.status, again.header('etag'), again.header('content-type'), again.text],
    [304, etag, undefined, ''],
  )
  assert.equal(again.header('vary'), 'Accept')
  assert.equal((await ask({ 'if-none-match': etag }, '/?sort=name')).status, 200)
  assert.equal((await ask({ 'if-none-match': etag, accept: 'application/json' })).status, 200)
  assert.equal((await ask({ 'if-modified-since': 'Thu, 02 Jan 2020 03:04:05 GMT' })).status, 304)
  tree.add('newer.txt', { content: '', time: '2024-01-01T00:00:00Z' })
  assert.equal((await ask({ 'if-none-match': etag })).status, 200)
  assert.equal((await ask({ 'if-modified-since': 'Thu, 02 Jan 2020 03:04:05 GMT' })).status, 200)
  assert.equal((await list(tree, '/', { method: 'HEAD' })).length, (await list(tree)).length)
})

test('a page is rendered once while the directory stays the same', async () => {
  const tree = new FakeTree(spec)
  const listings = new Listings({ zip: true, modTimes: true })
  const ask = (query = '') => listings.answer(ctx, testRequest(`/${query}`), tree.directory())
  const first = await ask()
  assert.equal((await ask()).body, first.body)
  assert.notEqual((await ask('?sort=size')).body, first.body)
  tree.add('new.txt', '')
  assert.notEqual((await ask()).body, first.body)
})

test('a directory too large to sort is streamed as the storage lists it, a chunk at a time', async () => {
  const count = 100_000
  let made = 0
  const node: DirNode = {
    kind: 'directory',
    entry: { kind: 'directory', path: 'big', modTime: 0n },
    entries: () => Promise.resolve(undefined),
    async *scan() {
      for (; made < count; made++)
        yield {
          kind: 'file',
          path: `big/file-${made}`,
          size: made,
          modTime: 1_600_000_000_000_000_000n,
        } satisfies Entry
    },
  }
  const listings = new Listings({ zip: true, modTimes: true })
  const response = await listings.answer(ctx, testRequest('/big/'), node)
  assert.equal(response.length, undefined)
  let size = 0
  let largest = 0
  let text = ''
  let rows = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    if (size === 0) assert.ok(made < 2000, `${made} entries were read before the first chunk`)
    size += chunk.length
    largest = Math.max(largest, chunk.length)
    text = Buffer.from(chunk).toString()
    rows += text.split('<a href="file-').length - 1
    if (size === chunk.length) assert.match(text, /too many entries here to sort/)
  }
  assert.equal(rows, count)
  assert.ok(largest < 256 * 1024)
  assert.match(text, /<\/table>/)
  made = 0
  const json = await listings.answer(ctx, testRequest('/big/', { headers: { accept: 'application/json' } }), node)
  assert.equal(
    (JSON.parse(Buffer.from(await collect(json.body as AsyncIterable<Uint8Array>)).toString()) as unknown[]).length,
    count,
  )
})

test('a template gets what rclone gives it', async () => {
  const text =
    '{{.Name}}|{{.Title}}|{{.Sort}}|{{.Order}}|{{.ZipURL}}|{{.DisableZip}}\n{{range .Breadcrumb}}[{{.Link}},{{.Text}}]{{end}}\n' +
    '{{range .Entries}}{{.URL}};{{.Leaf}};{{.IsDir}};{{.Size}};{{.ZipURL}};{{.ModTime.Unix}};{{.ModTime.IsZero}}\n{{end}}'
  const tree = new FakeTree({ 'keep/k.txt': 'k2', 'keep/s/x': '', 'keep/t:.txt': { content: '', time: '' } })
  const page = await list(tree, '/keep/', {}, { template: compileTemplate('t.html', text) })
  assert.equal(
    page.text,
    '/keep|Directory listing of /keep|||?download=zip|false\n[../,/][,keep]\ns/;s/;true;0;s/?download=zip;1577934245;false\n' +
      'k.txt;k.txt;false;2;;1577934245;false\n./t:.txt;t:.txt;false;0;;-62135596800;true\n',
  )
  assert.equal(page.header('content-security-policy'), undefined)
  const sorted = await list(
    tree,
    '/keep/?sort=x%3Cy&order=desc',
    {},
    { template: compileTemplate('t.html', '{{.Sort}} {{.Order}}{{range .Entries}} {{.Leaf}}{{end}}'), zip: false },
  )
  assert.equal(sorted.text, 'x&lt;y desc t:.txt k.txt s/')
})

const nasty = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.constantFrom(
      '<script>alert(1)<∕script>',
      'javascript:alert(1)',
      '"><img src=x onerror=alert(1)>',
      '{{x}}',
      '../x',
      'a&lt;b',
      '\u202etxt.exe',
      '--',
      '%00',
    ),
  )
  .map((name) => name.toWellFormed())
  .filter(isEntryName)

test('whatever the names, each is linked once and none breaks the page', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(nasty, { maxLength: 8 }), fc.boolean(), async (names, directories) => {
      const tree = new FakeTree(Object.fromEntries(names.map((name) => [name, directories ? null : ''])))
      const { text } = await list(tree)
      const found = links(text).map((href) =>
        decodeURIComponent(new URL(href, 'http://host/').pathname.slice(1).replace(/\/$/, '')),
      )
      assert.deepEqual(found.toSorted(), names.toSorted())
      assert.ok(
        !/<script(?!>\(\(\))|<img|javascript:alert/i.test(
          text.replace(/<bdi>[^<]*<\/bdi>|aria-label="[^"]*"/g, '').replaceAll('./javascript:', ''),
        ),
      )
      const json = JSON.parse((await list(tree, '/', { headers: { accept: 'application/json' } })).text) as {
        name: string
      }[]
      assert.deepEqual(json.map(({ name }) => name).toSorted(), names.toSorted())
    }),
  )
})

/** A plain server over a fake tree, for programs that read listings. */
async function serve(tree: FakeTree) {
  const listings = new Listings({ zip: true, modTimes: true })
  const files = new Files('bytes')
  const answer = async (target: string, method: string) => {
    const request = testRequest(target, { method })
    const node = await tree.lookup(ctx, request.path)
    if (!node || (node.kind === 'directory') !== request.directory) return { status: 404, headers: [] }
    return node.kind === 'file' ? await files.serve(ctx, request, node) : await listings.answer(ctx, request, node)
  }
  const server = createServer((incoming, outgoing) => {
    received(answer(incoming.url ?? '', incoming.method ?? '')).then(
      ({ status, bytes, header, length }) => {
        for (const name of ['content-type', 'last-modified', 'etag'])
          if (header(name)) outgoing.setHeader(name, header(name) as string)
        outgoing.writeHead(status, length === undefined ? {} : { 'content-length': length }).end(bytes)
      },
      // `/./a:b.txt` is how this rclone asks for the link `./a:b.txt`.
      () => outgoing.writeHead(400).end(),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url, close }
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const out = await collect(child.stdout)
  if (child.exitCode === null) await once(child, 'exit')
  return Buffer.from(out).toString()
}

test('rclone reads the page as its own', { skip: missing('rclone') }, async (t) => {
  const { url, close } = await serve(new FakeTree(spec))
  t.after(close)
  const out = await run('rclone', ['lsf', '-R', '--format', 'ps', '--config', '/dev/null', ':http:', '--http-url', url])
  // It loses names with a colon, from its own server as well.
  const expected = [
    '100%.txt;3',
    'dir with space/;-1',
    'dir with space/x.txt;1',
    'hello.txt;12',
    'unknown;-1',
    'we<ird>&"name#1?.txt;8',
    'ünï.txt;3',
  ]
  assert.deepEqual(out.trim().split('\n').toSorted(), expected.toSorted())
})

test('wget -r takes each file once and no more', { skip: missing('wget') }, async (t) => {
  const { url, close } = await serve(new FakeTree(spec))
  const root = mkdtempSync(join(tmpdir(), 'wget-'))
  t.after(async () => {
    await close()
    rmSync(root, { recursive: true })
  })
  await run('wget', ['-q', '-r', '-np', '-nH', '-e', 'robots=off', '-P', root, `${url}/`])
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()
  assert.deepEqual(
    names,
    [
      '100%.txt',
      'a:b.txt',
      'dir with space',
      'dir with space/index.html',
      'dir with space/x.txt',
      'hello.txt',
      'index.html',
      'unknown',
      'we<ird>&"name#1?.txt',
      'ünï.txt',
    ].toSorted(),
  )
  assert.equal(readFileSync(join(root, 'hello.txt'), 'utf8'), 'hello world\n')
})
