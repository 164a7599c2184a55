import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { test, type TestContext } from 'node:test'
import { missing } from '../peers.ts'
import { files, scratch, serve, touch } from '../program.ts'
import { freePort } from '../web.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

function ask(port: number, method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      const done = () =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('latin1'),
        })
      response.once('end', done).once('error', done) // rclone ends some answers short of their length
    })
    outgoing.once('error', reject).end()
  })
}

async function rclone(t: TestContext, dir: string): Promise<number> {
  const port = await freePort()
  const child = spawn('rclone', ['serve', 'http', dir, '--addr', `127.0.0.1:${port}`], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  const end = Date.now() + 10_000
  for (;;) {
    try {
      await ask(port, 'HEAD', '/')
      return port
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Requests for which both must answer alike, and those where Sluice does better, each with the reason and our answer. */
const requests: readonly {
  name: string
  method?: string
  path: string
  headers?: Record<string, string>
  ours?: number
  /** Headers in which we differ on purpose. */
  except?: readonly string[]
  why?: string
}[] = [
  { name: 'file', path: '/hello.txt' },
  { name: 'file, HEAD', method: 'HEAD', path: '/hello.txt' },
  { name: 'empty file', path: '/zero.bin' },
  { name: 'JSON', path: '/a.json' },
  { name: 'picture', path: '/p.png' },
  { name: 'no extension', path: '/noext' },
  { name: 'percent sign', path: '/100%25.txt' },
  { name: 'encoded slash', path: '/sub%2Fs.txt' },
  { name: 'colon', path: '/a:b.txt' },
  { name: 'plus stays plus', path: '/a+b.txt' },
  { name: 'query is ignored', path: '/hello.txt?x=1&download=zip' },
  { name: 'missing', path: '/nope' },
  { name: 'missing directory', path: '/nope/' },
  { name: 'file with slash', path: '/hello.txt/' },
  { name: 'directory without slash', path: '/sub', ours: 308, why: 'browsers need the slash; rclone answers 404' },
  { name: 'bad percent', path: '/%zz' },
  {
    name: 'hidden',
    path: '/.hidden',
    except: ['content-type'],
    why: 'a name without extension is sniffed; rclone takes .hidden for one',
  },
  { name: 'range', path: '/hello.txt', headers: { Range: 'bytes=0-4' } },
  { name: 'suffix range', path: '/hello.txt', headers: { Range: 'bytes=-5' } },
  { name: 'open range', path: '/hello.txt', headers: { Range: 'bytes=6-' } },
  { name: 'clipped range', path: '/hello.txt', headers: { Range: 'bytes=0-100' } },
  { name: 'suffix longer than the file', path: '/hello.txt', headers: { Range: 'bytes=-100' } },
  { name: 'unsatisfiable part dropped', path: '/hello.txt', headers: { Range: 'bytes=100-200,0-1' } },
  { name: 'empty member', path: '/hello.txt', headers: { Range: 'bytes=0-1,' } },
  { name: 'empty range set', path: '/hello.txt', headers: { Range: 'bytes=' } },
  { name: 'beyond the end', path: '/hello.txt', headers: { Range: 'bytes=100-' } },
  { name: 'range of an empty file', path: '/zero.bin', headers: { Range: 'bytes=0-0' } },
  {
    name: 'unknown unit',
    path: '/hello.txt',
    headers: { Range: 'lines=1-2' },
    ours: 200,
    why: 'RFC 9110 14.2: ignore',
  },
  {
    name: 'malformed range',
    path: '/hello.txt',
    headers: { Range: 'bytes=5-2' },
    ours: 200,
    why: 'RFC 9110 14.2: ignore',
  },
  {
    name: 'suffix of nothing',
    path: '/hello.txt',
    headers: { Range: 'bytes=-0' },
    ours: 416,
    why: 'rclone sends an empty 206',
  },
  { name: 'not modified', path: '/hello.txt', headers: { 'If-Modified-Since': 'Sat, 03 Feb 2001 04:05:06 GMT' } },
  { name: 'modified', path: '/hello.txt', headers: { 'If-Modified-Since': 'Sat, 03 Feb 2001 04:05:05 GMT' } },
  { name: 'date that is none', path: '/hello.txt', headers: { 'If-Modified-Since': 'yesterday' } },
  { name: 'any version will do', path: '/hello.txt', headers: { 'If-None-Match': '*' } },
  { name: 'another version', path: '/hello.txt', headers: { 'If-Match': '"x"' } },
  { name: 'unmodified since', path: '/hello.txt', headers: { 'If-Unmodified-Since': 'Sat, 03 Feb 2001 04:05:06 GMT' } },
  { name: 'modified since', path: '/hello.txt', headers: { 'If-Unmodified-Since': 'Sat, 03 Feb 2001 04:05:05 GMT' } },
  {
    name: 'If-Range with the date',
    path: '/hello.txt',
    headers: { Range: 'bytes=0-4', 'If-Range': 'Sat, 03 Feb 2001 04:05:06 GMT' },
  },
  {
    name: 'If-Range with another date',
    path: '/hello.txt',
    headers: { Range: 'bytes=0-4', 'If-Range': 'Sun, 04 Feb 2001 04:05:06 GMT' },
  },
  {
    name: 'not modified, HEAD',
    method: 'HEAD',
    path: '/hello.txt',
    headers: { 'If-None-Match': '*' },
    ours: 304,
    why: 'RFC 9110 13.2: HEAD is as GET',
  },
  { name: 'PUT', method: 'PUT', path: '/hello.txt' },
  { name: 'DELETE', method: 'DELETE', path: '/hello.txt' },
  { name: 'unknown method', method: 'PROPFIND', path: '/hello.txt' },
]

const alike = ['content-type', 'content-length', 'content-range', 'last-modified', 'accept-ranges']

test('Sluice answers as rclone does, save where rclone is wrong', { skip: missing('rclone') }, async (t) => {
  const dir = scratch(t)
  files(dir, {
    'hello.txt': 'hello world\n',
    'zero.bin': '',
    'a.json': '{}',
    'p.png': 'PNG',
    noext: 'plain words',
    '100%.txt': 'pct',
    'a:b.txt': 'col',
    'a+b.txt': 'plus',
    '.hidden': 'h',
    'sub/s.txt': 's',
  })
  touch(`${dir}/hello.txt`, '2001-02-03T04:05:06.789Z')
  const theirs = await rclone(t, dir)
  const { port } = await serve(t, ['serve', 'http', dir])
  for (const { name, method = 'GET', path, headers, ours, except = [] } of requests)
    await t.test(name, async () => {
      const [a, b] = [await ask(port, method, path, headers), await ask(theirs, method, path, headers)]
      assert.equal(a.status, ours ?? b.status)
      if (ours !== undefined) return assert.notEqual(b.status, ours, 'no longer a difference: take it off the list')
      if (a.status !== 200 && a.status !== 206) return undefined
      assert.equal(a.body, b.body)
      for (const header of alike.filter((h) => !except.includes(h)))
        assert.equal(a.headers[header], b.headers[header], header)
      return undefined
    })
})
