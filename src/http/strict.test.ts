import assert from 'node:assert/strict'
import test from 'node:test'
import { checkHead, checkHead2, isAllowedHost, isHost, localHosts, MAX_HEADERS } from './strict.ts'

function check(headers: readonly string[], { method = 'GET', major = 1, minor = 1 } = {}): number {
  const rawHeaders = headers.flatMap((line) => line.split(': '))
  return checkHead({ method, httpVersionMajor: major, httpVersionMinor: minor, rawHeaders })?.status ?? 200
}

test('a good head passes', () => {
  assert.equal(check(['Host: 127.0.0.1:8080', 'Accept: */*', 'Range: bytes=0-1', 'If-None-Match: "x"']), 200)
  assert.equal(check(['host: x', 'X-A: 1', 'X-A: 2', 'Accept: a', 'Accept: b']), 200)
  assert.equal(check([], { minor: 0 }), 200)
})

test('a field that may come once does not come twice', () => {
  for (const name of [
    'Host',
    'Range',
    'Content-Type',
    'Authorization',
    'If-Match',
    'If-None-Match',
    'If-Range',
    'If-Modified-Since',
    'If-Unmodified-Since',
    'Content-Length',
    'Content-Range',
  ])
    assert.equal(check(['Host: x', `${name}: 1`, `${name.toLowerCase()}: 1`]), 400, name)
})

test('the version is 1.0 or 1.1, and 1.1 needs a Host', () => {
  assert.equal(check(['Host: x'], { major: 2, minor: 0 }), 505)
  assert.equal(check(['Host: x'], { major: 0, minor: 9 }), 505)
  assert.equal(check(['Host: x'], { minor: 2 }), 505)
  assert.equal(check(['Accept: x']), 400)
})

test('bodies are framed in one way that can be counted', () => {
  assert.equal(check(['Host: x', 'Transfer-Encoding: chunked'], { method: 'PUT' }), 200)
  assert.equal(check(['Host: x', 'Transfer-Encoding: gzip, chunked'], { method: 'PUT' }), 501)
  assert.equal(check(['Host: x', 'Transfer-Encoding: chunked', 'Content-Length: 3'], { method: 'PUT' }), 400)
  assert.equal(check(['Transfer-Encoding: chunked'], { method: 'PUT', minor: 0 }), 400)
  assert.equal(check(['Host: x', 'Content-Length: 9007199254740993'], { method: 'PUT' }), 413)
  assert.equal(check(['Host: x'], { method: 'POST' }), 200)
})

test('some methods are never served, and headers have a count', () => {
  assert.equal(check(['Host: x'], { method: 'TRACE' }), 405)
  assert.equal(check(['Host: x', ...Array.from({ length: MAX_HEADERS - 1 }, () => 'a: b')]), 200)
  assert.equal(check(['Host: x', ...Array.from({ length: MAX_HEADERS }, () => 'a: b')]), 431)
})

test('a Host is a host', () => {
  for (const host of ['', 'a', 'a.example:80', '127.0.0.1', '[::1]:8080', '[fe80::1%25eth0]', 'a_b', 'xn--nxa', 'a:'])
    assert.ok(isHost(host), host)
  for (const host of ['a/b', 'a b', 'a\tb', 'u@h', 'a:b', '[::1', '::1', 'a?x', 'a#x', '127.0.0.1/../x', 'a%', 'é'])
    assert.ok(!isHost(host), host)
})

test('HTTP/2: a scheme of ours and one authority, which a Host header agrees with', () => {
  const get = { method: 'GET', scheme: 'https', host: 'a', rawHeaders: [] }
  const ok = (host: string, rawHeaders: readonly string[]) => checkHead2({ ...get, host, rawHeaders })?.status ?? 200
  assert.equal(ok('a', [':method', 'GET', ':authority', 'a', 'host', 'a']), 200)
  assert.equal(ok('a', [':authority', 'a', 'host', 'evil']), 400)
  assert.equal(ok('a/b', [':authority', 'a/b']), 400)
  assert.equal(ok('a', ['range', 'x', 'range', 'y']), 400)
  assert.equal(ok('', []), 400)
  assert.equal(checkHead2({ ...get, scheme: 'ftp' })?.status, 400)
  assert.equal(checkHead2({ ...get, method: 'CONNECT', scheme: undefined })?.status, 405)
})

test('a local server answers to its own names', () => {
  const names = localHosts(['192.168.1.5', '[fd00::1]'], ['Media.LAN'])
  for (const host of [
    'localhost',
    'LOCALHOST:8080',
    '127.0.0.1:1',
    '[::1]:80',
    '192.168.1.5',
    '[FD00::1]:9',
    'media.lan',
  ])
    assert.ok(isAllowedHost(host, names), host)
  for (const host of ['evil.example', '', 'localhost.evil.example', '127.0.0.1.nip.io', '[::2]'])
    assert.ok(!isAllowedHost(host, names), host)
})
