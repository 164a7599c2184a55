import { test } from 'node:test'
import assert from 'node:assert/strict'
import { AppError } from '../base/error.ts'
import { testContext, recordingLogger } from '../core/testing.ts'
import { cors } from '../http/cors.ts'
import { compose, type Middleware } from '../http/message.ts'
import { errors } from '../http/error.ts'
import { received, testRequest } from '../http/testing.ts'
import type { TestRequest } from '../http/testing.ts'
import { defaultsOf } from '../schema/option.ts'
import { originOptions } from './options.ts'
import type { OriginOptions } from './options.ts'
import { originHandler, pipeline } from './origin.ts'
import { FakeTree } from './testing.ts'
import type { FakeSpec } from './testing.ts'

const spec: FakeSpec = {
  'hello.txt': 'hello world\n',
  'sub/s.txt': 's',
  'sub/index.html': '<h1>i</h1>',
  'dir with space/x': 'x',
  empty: null,
  'locked.txt': { content: 'x', failure: new AppError('denied', 'permission denied') },
  'broken.txt': { content: 'x', failure: new AppError('io', 'disk error at /dev/sda') },
}

function server(options: Partial<OriginOptions> = {}, tree = new FakeTree(spec)) {
  const handler = originHandler({
    tree: () => tree,
    options: { ...defaultsOf(originOptions), ...options },
    listing: { zip: options.disableZip !== true, modTimes: true },
    seekable: true,
    locked: false,
  })
  const log = recordingLogger()
  const ctx = testContext({ log })
  const ask = (target: string, request?: TestRequest) =>
    received(compose(handler, errors())(ctx, testRequest(target, request)))
  return { ask, tree, log, ctx, handler }
}

test('each kind of path has its answer', async () => {
  const { ask } = server()
  const table: [string, number, string][] = [
    ['/hello.txt', 200, 'hello world\n'],
    ['/hello.txt?sort=name', 200, 'hello world\n'],
    ['/hello.txt/', 404, 'Not a directory\n'],
    ['/nope', 404, 'File not found\n'],
    ['/nope/', 404, 'Directory not found\n'],
    ['/locked.txt', 403, 'permission denied\n'],
    ['/broken.txt', 500, 'Internal Server Error\n'],
    ['/robots.txt', 404, 'File not found\n'],
  ]
  for (const [target, status, body] of table) {
    const got = await ask(target)
    assert.deepEqual([got.status, got.text], [status, body], target)
  }
  assert.match((await ask('/')).text, /<!DOCTYPE html>/)
  assert.match((await ask('/empty/')).text, /0 directories, 0 files, 0 B/)
})

test('a directory without its slash redirects to it, below the base URL, with the query, never to another host', async () => {
  const { ask } = server()
  const table: [string, TestRequest, string][] = [
    ['/sub', {}, '/sub/'],
    ['/sub?sort=size&order=desc', {}, '/sub/?sort=size&order=desc'],
    ['/base/sub', { base: '/base' }, '/base/sub/'],
    ['/dir%20with%20space', {}, '/dir%20with%20space/'],
    ['//sub', {}, '/sub/'],
    ['//sub', { method: 'HEAD' }, '/sub/'],
  ]
  for (const [target, request, location] of table) {
    const got = await ask(target, request)
    assert.deepEqual([got.status, got.header('location')], [308, location], target)
  }
})

test('with --strict-slash it is 404, as with rclone', async () => {
  const got = await server({ strictSlash: true }).ask('/sub')
  assert.deepEqual([got.status, got.text], [404, 'Not a file\n'])
})

test('methods that change nothing are refused with the list of those that work', async () => {
  const { ask } = server()
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'X']) {
    const got = await ask('/hello.txt', { method })
    assert.deepEqual([got.status, got.header('allow')], [405, 'GET, HEAD, OPTIONS'], method)
  }
  const options = await ask('/hello.txt', { method: 'OPTIONS' })
  assert.deepEqual([options.status, options.header('allow'), options.text], [204, 'GET, HEAD, OPTIONS', ''])
})

test('with --disable-dir-list directories cannot be told from what is missing', async () => {
  const { ask } = server({ disableDirList: true })
  for (const target of ['/', '/sub/', '/sub', '/nope', '/nope/', '/sub/?download=zip']) {
    const got = await ask(target)
    assert.deepEqual([got.status, got.text], [404, '404 page not found\n'], target)
  }
  assert.equal((await ask('/sub/s.txt')).text, 's')
})

test('index.html is an ordinary file until --index asks for it', async () => {
  assert.match((await server().ask('/sub/')).text, /<a href="index.html">/)
  const { ask } = server({ index: 'index.html' })
  const got = await ask('/sub/')
  assert.deepEqual([got.text, got.header('content-type')], ['<h1>i</h1>', 'text/html; charset=utf-8'])
  assert.equal((await ask('/sub')).status, 308)
  assert.match((await ask('/')).text, /<!DOCTYPE html>/)
})

test('--favicon and --robots answer when the remote has none', async () => {
  const { ask, tree } = server({ favicon: true, robots: true })
  assert.equal((await ask('/favicon.ico')).header('content-type'), 'image/svg+xml')
  assert.equal((await ask('/favicon.ico')).header('cache-control'), 'max-age=86400')
  assert.equal((await ask('/robots.txt')).text, 'User-agent: *\nDisallow: /\n')
  tree.add('robots.txt', 'mine')
  assert.equal((await ask('/robots.txt')).text, 'mine')
})

test('what is served and what is missing is logged', async () => {
  const { ask, log } = server()
  for (const target of ['/hello.txt', '/', '/sub/', '/nope', '/sub/?download=zip']) await ask(target)
  assert.deepEqual(
    log.lines.filter((line) => line.startsWith('info')),
    [
      'info: hello.txt: 127.0.0.1:4321: Serving file',
      'info: : 127.0.0.1:4321: Serving directory',
      'info: sub: 127.0.0.1:4321: Serving directory',
      'info: nope: 127.0.0.1:4321: File not found',
      'info: sub: 127.0.0.1:4321: Zipping directory',
    ],
  )
})

test('a file that went away between being found and being opened is 404', async () => {
  const tree = new FakeTree({ 'gone.txt': { content: 'x', failure: new AppError('not-found', 'gone') } })
  assert.equal((await server({}, tree).ask('/gone.txt')).status, 404)
})

test('the tree may be another one for each request, and may have to be waited for', async () => {
  const handler = originHandler({
    tree: (_, request) => Promise.resolve(new FakeTree({ 'a.txt': request.user?.name ?? 'nobody' })),
    options: defaultsOf(originOptions),
    listing: { zip: true, modTimes: true },
    seekable: true,
    locked: false,
  })
  const request = testRequest('/a.txt')
  request.user = { name: 'bob', by: 'basic' }
  assert.equal((await received(handler(testContext(), request))).text, 'bob')
})

test('the layers around the router stand in one order', () => {
  const order: string[] = []
  const layer =
    (name: string) =>
    (next: Parameters<typeof pipeline>[0]) =>
    (...args: Parameters<typeof next>) => {
      order.push(name)
      return next(...args)
    }
  const names = ['access', 'hosts', 'ready', 'headers', 'cors', 'errors', 'auth', 'encoding'] as const
  const around = Object.fromEntries(names.map((name) => [name, layer(name)])) as unknown as Parameters<
    typeof pipeline
  >[1]
  void pipeline(() => ({ status: 204, headers: [] }), around)(testContext(), testRequest())
  assert.deepEqual(order, names)
})

test('a page of another origin may read what failed, as it may read what is served', async () => {
  const straight: Middleware = (next) => next
  const log = recordingLogger()
  const handler = pipeline(() => Promise.reject(new AppError('range', 'no such part')), {
    access: straight,
    hosts: straight,
    ready: straight,
    headers: straight,
    cors: cors({ origins: ['http://friend.example'], methods: 'GET', log }),
    errors: errors(),
    auth: straight,
    encoding: straight,
  })
  const got = await received(handler(testContext({ log }), testRequest('/x')))
  assert.deepEqual([got.status, got.header('access-control-allow-origin')], [416, 'http://friend.example'])
})
