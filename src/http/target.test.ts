import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { posix } from 'node:path'
import { encodePath, normalBase, parseTarget, type Target } from './target.ts'

function read(url: string, { method = 'GET', host = 'h', base = '' } = {}): Target | number {
  const target = parseTarget(url, method, host, normalBase(base))
  return 'status' in target ? target.status : target
}

function pathOf(url: string): string | number {
  const target = read(url)
  return typeof target === 'number' ? target : `${target.path}${target.directory ? '/' : ''}`
}

test('a plain target is its path', () => {
  assert.deepEqual(read('/dir/a.txt?x=1&y'), {
    rawPath: '/dir/a.txt',
    path: 'dir/a.txt',
    directory: false,
    query: 'x=1&y',
    base: '',
  })
  assert.deepEqual(read('/'), { rawPath: '/', path: '', directory: true, query: '', base: '' })
  assert.deepEqual(read('/?q'), { rawPath: '/', path: '', directory: true, query: 'q', base: '' })
  assert.equal(pathOf('/dir/'), 'dir/')
})

test('percent signs are decoded once, as strict UTF-8', () => {
  for (const [url, path] of [
    ['/100%25.txt', '100%.txt'],
    ['/%252e%252e%252fx', '%2e%2e%2fx'],
    ['/%C3%BCn%c3%af.txt', 'ünï.txt'],
    ['/a+b', 'a+b'],
    ['/a%20b', 'a b'],
    ['/we%3Cird%3E&%22name%231%3F.txt', 'we<ird>&"name#1?.txt'],
    ['/a%2Fb', 'a/b'],
    ['/a%2f', 'a/'],
    ['/..\\x', '..\\x'],
    ['/.hidden', '.hidden'],
    ['/...', '...'],
    ['/caf\u00c3\u00a9.txt', 'café.txt'],
    ['/%EF%BB%BFx', '\ufeffx'],
    ['/%7f', '\x7f'],
  ] as const)
    assert.equal(pathOf(url), path, url)
})

test('slashes in a row count as one', () => {
  assert.equal(pathOf('//a///b//'), 'a/b/')
  assert.equal(pathOf('//'), '/')
})

test('a dot before a file name with a colon is passed over, as clients write it to tell the name from a scheme', () => {
  assert.equal(pathOf('/./a:b'), 'a:b')
  assert.equal(pathOf('/x/./a:b'), 'x/a:b')
  assert.equal(pathOf('/x/./a:dir/'), 400)
  assert.equal(read('/../a:b'), 400)
  assert.equal(read('/././a:b'), 400)
})

test('what cannot be a path is refused', () => {
  for (const url of [
    '/%',
    '/a%2',
    '/%zz',
    '/%00',
    '/a%00b',
    '/\x01',
    '/a\nb',
    '/%c0%ae%c0%ae/x',
    '/%ed%a0%80',
    '/%ff',
    '/caf\xe9',
    '/..',
    '/../x',
    '/a/../b',
    '/./a',
    '/a/.',
    '/%2e%2e/x',
    '/..%2fx',
    'a.txt',
    '',
    '*',
    '127.0.0.1:80',
    'file:///etc/passwd',
    'http://other/a.txt',
    'http://h@other/a.txt',
  ])
    assert.equal(read(url), 400, JSON.stringify(url))
})

test('the absolute form is taken for the host that was asked', () => {
  for (const url of ['http://h/a.txt', 'HTTPS://H/a.txt']) assert.equal(pathOf(url), 'a.txt')
  assert.equal(pathOf('http://h'), '/')
  assert.deepEqual(read('http://h?q'), { rawPath: '/', path: '', directory: true, query: 'q', base: '' })
})

test('* is for OPTIONS', () => {
  const target = read('*', { method: 'OPTIONS', base: 'b' })
  assert.equal(typeof target === 'object' && target.rawPath, '*')
})

test('the base URL is taken off, and what lies outside is not found', () => {
  const base = '/pub/my files/'
  const inside = read('/pub/my%20files/a.txt', { base })
  assert.deepEqual(inside, {
    rawPath: '/pub/my%20files/a.txt',
    path: 'a.txt',
    directory: false,
    query: '',
    base: '/pub/my files',
  })
  assert.deepEqual(read('/rclone/', { base: 'rclone' }), {
    rawPath: '/rclone/',
    path: '',
    directory: true,
    query: '',
    base: '/rclone',
  })
  for (const url of ['/', '/a.txt', '/rclonex', '/rclonex/a', '/RCLONE/a'])
    assert.equal(read(url, { base: 'rclone' }), 404, url)
  assert.equal(read('/rclone/../x', { base: 'rclone' }), 400)
  const moved = parseTarget('/pub/my%20files?x=1', 'GET', 'h', normalBase(base))
  assert.ok('status' in moved)
  assert.equal(moved.status, 308)
  assert.equal(moved.headers[moved.headers.indexOf('location') + 1], '/pub/my%20files/?x=1')
})

test('a base URL is written in any way', () => {
  for (const text of ['', '/', '//']) assert.equal(normalBase(text), '')
  for (const text of ['a/b', '/a/b', 'a/b/', '//a//b//']) assert.equal(normalBase(text), '/a/b')
})

test('no target leads out of the root', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%5c',
    '\\',
    'a',
    '%00',
    '%',
    '%c3%bc',
    '?',
    '\xe9',
    ';',
    '//',
  )
  const url = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(url, (text) => {
      const target = read(text)
      if (typeof target === 'number') return target === 400
      const { path, directory } = target
      assert.ok(posix.join('/root', path).startsWith('/root'))
      assert.equal(posix.normalize(`/${path}`), `/${path}`)
      assert.ok(!path.startsWith('/') && !path.endsWith('/'))
      assert.ok(!path.includes('\0'))
      return path !== '' || directory
    }),
    { numRuns: 2000 },
  )
})

test('a path that is encoded comes back', () => {
  const segment = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((s) => !/[/\0]|^\.{1,2}$/.test(s) && s.isWellFormed())
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
      const target = read(`/${encodePath(segments.join('/'))}`)
      return typeof target === 'object' && target.path === segments.join('/')
    }),
  )
})
