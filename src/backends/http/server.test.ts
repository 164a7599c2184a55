import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { testContext } from '../../core/testing.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { httpOptions } from './index.ts'
import { HttpRemote } from './remote.ts'

const ctx = testContext()

/** A remote on a server that answers as the test wants; gives the requests it saw too. */
async function remote(
  t: TestContext,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  change: Partial<Values<typeof httpOptions>> = {},
  root = '',
) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    handler(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const config = { ...defaultsOf(httpOptions), url, ...change }
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const opened = HttpRemote.open(ctx, { name: ':http', root, config, openRemote })
  t.after(() => opened.close())
  return { remote: opened, seen, server }
}

const page = (...names: string[]) => names.map((name) => `<a href="${name}">${name}</a>`).join('\n')
const html = { 'content-type': 'text/html' }
const read = async (from: HttpRemote, file: FileEntry, start = 0, end = Infinity) =>
  Buffer.from(await collect(await from.open(ctx, file, { start, end }))).toString()

test('with no_head files are listed without a request for each, their size is unknown', async (t) => {
  const { remote: http, seen } = await remote(
    t,
    (_request, response) => response.writeHead(200, html).end(page('a', 'd/')),
    {
      noHead: true,
    },
  )
  const entries = await listed(ctx, http, '')
  assert.equal((entries.get('a') as FileEntry).size, -1)
  assert.equal(entries.get('d')?.kind, 'directory')
  assert.deepEqual(seen, ['GET /'])
})

test('with no_slash a page is a directory', async (t) => {
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/') response.writeHead(200, html).end(page('file', 'dir'))
    else if (request.url === '/dir') response.writeHead(200, html).end(page('x'))
    else response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 4 }).end('text')
  }
  const { remote: http } = await remote(t, handler, { noSlash: true })
  const entries = await listed(ctx, http, '')
  assert.equal(entries.get('dir')?.kind, 'directory')
  assert.equal((entries.get('file') as FileEntry).size, 4)
})

test('names are escaped, or not with no_escape, and headers are sent', async (t) => {
  const headers: unknown[] = []
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    headers.push(request.headers['x-token'])
    response.writeHead(404).end()
  }
  const { remote: http, seen } = await remote(t, handler, { headers: ['X-Token', 'a, b'] }, 'base dir')
  await http.stat(ctx, 'a b?#%.txt')
  assert.deepEqual(seen, ['HEAD /base%20dir/a%20b%3F%23%25.txt', 'HEAD /base%20dir/a%20b%3F%23%25.txt/'])
  assert.deepEqual(headers, ['a, b', 'a, b'])
  const raw = await remote(t, handler, { noEscape: true })
  await raw.remote.stat(ctx, 'a;b,c.txt')
  assert.equal(raw.seen[0], 'HEAD /a;b,c.txt')
})

test('a server that knows no ranges is read from the start and cut', async (t) => {
  const text = '0123456789'.repeat(50_000)
  const { remote: http } = await remote(t, (_request, response) => response.writeHead(200).end(text))
  const file: FileEntry = { kind: 'file', path: 'f', size: text.length, modTime: 0n }
  assert.equal(await read(http, file, 11, 25), '12345678901234')
  assert.equal(await read(http, file, text.length - 3), '789')
  assert.equal(await read(http, file, 5, 5), '')
  assert.equal((await read(http, file)).length, text.length)
})

test('a file of unknown size is read to its end', async (t) => {
  const { remote: http } = await remote(t, (request, response) => {
    if (request.headers.range === 'bytes=50-') response.writeHead(416).end()
    else response.writeHead(200).end('text')
  })
  const file: FileEntry = { kind: 'file', path: 'f', size: -1, modTime: 0n }
  assert.equal(await read(http, file), 'text')
  assert.equal(await read(http, file, 50), '')
})

test('an answer of another version, range or length is an error', async (t) => {
  const file: FileEntry = { kind: 'file', path: 'f', size: 4, modTime: 981_173_106_000_000_000n, version: 'one' }
  const answers: [number, Record<string, string>, string, AppError['code']][] = [
    [200, { etag: '"two"' }, 'text', 'not-found'],
    [200, { 'content-length': '5' }, 'texts', 'not-found'],
    [200, { 'last-modified': 'Sat, 03 Feb 2001 04:05:07 GMT' }, 'text', 'not-found'],
    [206, { 'content-range': 'bytes 2-3/4' }, 'xt', 'io'],
    [206, { 'content-range': 'bytes 1-3/9' }, 'ext', 'not-found'],
    [404, {}, '', 'not-found'],
    [403, {}, '', 'denied'],
    [500, {}, '', 'io'],
  ]
  for (const [status, headers, body, code] of answers) {
    const { remote: http } = await remote(t, (_request, response) => response.writeHead(status, headers).end(body))
    await rejectsWith(read(http, file, status === 206 ? 1 : 0), code)
  }
  const { remote: short } = await remote(t, (_request, response) => {
    response.writeHead(206, { 'content-range': 'bytes 1-3/4' }).end('e')
  })
  await assert.rejects(read(short, file, 1), (error: unknown) => error instanceof AppError && error.retry === 'now')
  const { remote: same } = await remote(t, (_request, response) =>
    response.writeHead(200, { etag: '"one"', 'last-modified': 'Sat, 03 Feb 2001 04:05:06 GMT' }).end('text'),
  )
  assert.equal(await read(same, file), 'text')
})

test('a directory that is redirected to elsewhere is listed by where it is', async (t) => {
  const { remote: http } = await remote(t, (request, response) => {
    if (request.url === '/old/') response.writeHead(301, { location: '/new/' }).end()
    else if (request.url === '/new/') response.writeHead(200, html).end(page('x', '/new/y', '/old/z'))
    else response.writeHead(200, { 'content-length': 1 }).end('1')
  })
  assert.deepEqual([...(await listed(ctx, http, 'old')).keys()].sort(), ['old/x', 'old/y'])
})

test('what is no page is no directory, and nothing can be written', async (t) => {
  const { remote: http } = await remote(t, (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  )
  await rejectsWith(listed(ctx, http, 'x'), 'not-directory')
  await rejectsWith(putText(ctx, http, 'x', 'y'), 'denied')
})

test('HEAD that is not allowed is replaced by GET; files that are gone are left out', async (t) => {
  const { remote: http } = await remote(t, (request, response) => {
    if (request.method === 'HEAD') response.writeHead(405).end()
    else if (request.url === '/') response.writeHead(200, html).end(page('here', 'gone'))
    else if (request.url === '/here') response.writeHead(200, { 'content-length': 2 }).end('hi')
    else response.writeHead(404).end()
  })
  assert.deepEqual([...(await listed(ctx, http, '')).keys()], ['here'])
  assert.equal((await fileAt(ctx, http, 'here')).size, 2)
})

test('a URL that is none is refused when the remote is opened', async (t) => {
  for (const url of ['', 'nowhere', 'ftp://host/', 'file:///etc'])
    await assert.rejects(
      remote(t, () => {}, { url }),
      AppError,
    )
  await assert.rejects(
    remote(t, () => {}, { headers: ['only-a-name'] }),
    AppError,
  )
})
