import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { missing } from '../../test/peers.ts'
import { root } from '../base/path.ts'
import { recordingLogger, testContext } from '../core/testing.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { defaultsOf } from '../schema/option.ts'
import { authentication, gateOf } from './authenticate.ts'
import { parseBasic } from './credentials.ts'
import { Guesses } from './guesses.ts'
import { openHtpasswd } from './htpasswd.ts'
import { authOptions, type AuthOptions } from './options.ts'
import { Networks } from './trusted.ts'
import { verifyPassword } from './verify.ts'

function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-auth-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function basic(user: string, pass: string): string {
  return `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`
}

function request(
  headers: Record<string, string>,
  peer: Partial<HttpRequest['peer']> = {},
  method = 'GET',
  rawPath = '/',
): HttpRequest {
  return {
    method,
    rawPath,
    path: root,
    directory: true,
    query: '',
    base: '',
    header: (name) => headers[name],
    body: (async function* () {})(),
    contentLength: undefined,
    peer: { address: '192.0.2.1', port: 4321, secure: false, host: 'localhost', ...peer },
    protocol: 'HTTP/1.1',
    user: undefined,
  }
}

function door(options: Partial<AuthOptions>, clientCa = false, guesses?: Guesses) {
  const log = recordingLogger()
  const ctx = testContext({ log })
  const gate = gateOf(ctx, { ...defaultsOf(authOptions), ...options }, clientCa)
  assert.ok(gate)
  const handler = authentication(
    gate,
    guesses,
  )((_ctx, { user }) => ({ status: 200, headers: [], body: user?.name ?? '' }))
  const knock = async (...parts: Parameters<typeof request>): Promise<HttpResponse> =>
    await handler(ctx, request(...parts))
  return { knock, log }
}

test('every kind of hash that htpasswd writes is understood', { skip: missing('htpasswd', 'openssl') }, async () => {
  const password = 'pässwörd 1'
  for (const kind of ['-m', '-s', '-B', '-2', '-5']) {
    const line = execFileSync('htpasswd', ['-nb', kind, 'user', password], { encoding: 'utf8' }).trim()
    const hash = line.slice('user:'.length)
    assert.equal(await verifyPassword(hash, password), true, `${kind} ${hash}`)
    assert.equal(await verifyPassword(hash, `${password}x`), false, kind)
  }
  for (const kind of ['-1', '-apr1', '-5', '-6']) {
    const hash = execFileSync(
      'openssl',
      ['passwd', kind, 'a much longer password that fills more than one block of the hash, surely'],
      { encoding: 'utf8' },
    ).trim()
    assert.equal(
      await verifyPassword(hash, 'a much longer password that fills more than one block of the hash, surely'),
      true,
      hash,
    )
  }
})

test('the published vectors of sha-crypt hold', async () => {
  const vectors = [
    '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ]
  for (const hash of vectors) assert.equal(await verifyPassword(hash, 'Hello world!'), true, hash)
})

test('plain text, DES, empty and broken hashes let nobody in', async () => {
  for (const hash of [
    'pw',
    '',
    'rqXexS6ZhobKA',
    '{SHA}!!!!',
    '$apr1$x$abc',
    '$2b$31$abcdefghijklmnopqrstuuO5xVqfQ5j8mHfWZ8nE8Qn0d8YvQn5bG',
  ])
    for (const password of ['pw', '']) assert.equal(await verifyPassword(hash, password), false, hash)
})

test('a NUL does not cut a password, and bcrypt does not take the beginning for the whole', async () => {
  const { hash } = await import('@node-rs/bcrypt')
  const long = 'x'.repeat(72)
  assert.equal(await verifyPassword(await hash(long, { cost: 4 }), `${long}y`), false)
  assert.equal(await verifyPassword(await hash('pw', { cost: 4 }), 'pw\0x'), false)
})

test('basic credentials are read as RFC 7617 has them', () => {
  assert.deepEqual(parseBasic(basic('a', 'b:c')), { user: 'a', pass: 'b:c' })
  assert.deepEqual(parseBasic('bAsIc  YTpi'), { user: 'a', pass: 'b' })
  assert.deepEqual(parseBasic(basic('ü', 'é')), { user: 'ü', pass: 'é' })
  for (const wrong of [
    undefined,
    '',
    'Basic',
    'Basic !!!!',
    'Bearer x',
    'Basic YQ==',
    basic('a', 'b\0'),
    basic('a', 'x'.repeat(2000)),
  ])
    assert.equal(parseBasic(wrong), undefined, wrong ?? 'no header')
})

test('one login opens the door and nothing else does', async () => {
  const { knock, log } = door({ user: 'bob', pass: 's3cret', realm: 'My "R"' })
  assert.equal((await knock({ authorization: basic('bob', 's3cret') })).body, 'bob')
  assert.equal((await knock({ authorization: basic('bob', 's3cret') })).body, 'bob', 'the second time from memory')
  for (const authorization of [basic('bob', 'no'), basic('', ''), basic('__proto__', 'x'), basic('bob', '')]) {
    const { status, headers, body } = await knock({ authorization })
    assert.deepEqual([status, body], [401, '401 Unauthorized\n'])
    assert.deepEqual(headers, [
      'content-type',
      'text/plain',
      'www-authenticate',
      'Basic realm="My \\"R\\"", charset="UTF-8"',
    ])
  }
  assert.equal((await knock({})).status, 401)
  assert.match(log.lines.join('\n'), /info: \/: 192\.0\.2\.1:4321: Unauthorized request from bob/)
  assert.doesNotMatch(log.lines.join('\n'), /s3cret/)
})

test('a password file is read again when it changes, and the last good one stays when it goes bad', async (t) => {
  const path = join(scratch(t), 'users')
  const log = recordingLogger()
  writeFileSync(path, '# people\nann:{SHA}a\nbroken line\nbob:plain\n')
  const file = openHtpasswd(path, log)
  assert.equal(file.value.hashOf('ann'), '{SHA}a')
  assert.equal(file.value.hashOf('bob'), undefined)
  writeFileSync(path, 'eve:{SHA}e\n')
  assert.deepEqual([file.value.hashOf('ann'), file.value.hashOf('eve')], [undefined, '{SHA}e'])
  writeFileSync(path, 'ev')
  assert.equal(file.value.hashOf('eve'), '{SHA}e')
  unlinkSync(path)
  assert.equal(file.value.hashOf('eve'), '{SHA}e')
  execFileSync('mkfifo', [path])
  assert.equal(file.value.hashOf('eve'), '{SHA}e')
  writeFileSync(`${path}.new`, 'new:{SHA}n\n')
  renameSync(`${path}.new`, path)
  assert.deepEqual([file.value.hashOf('eve'), file.value.hashOf('new')], [undefined, '{SHA}n'])
  assert.ok(log.lines.some((line) => line.includes('stays in force')))
})

test('a user taken out of the file is out at once, although the password was known', async (t) => {
  const path = join(scratch(t), 'users')
  writeFileSync(path, 'ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n')
  const { knock } = door({ htpasswd: path })
  assert.equal((await knock({ authorization: basic('ann', 'password') })).status, 200)
  writeFileSync(path, 'bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n')
  assert.equal((await knock({ authorization: basic('ann', 'password') })).status, 401)
  assert.equal((await knock({ authorization: basic('bob', 'password') })).status, 200)
})

test('a missing password file is an error at the start', () => {
  const ctx = testContext()
  assert.throws(() => gateOf(ctx, { ...defaultsOf(authOptions), htpasswd: '/nonexistent/users' }, false), {
    code: 'invalid',
  })
})

test('a password file in which nobody can log in is an error at the start, an empty one is not', (t) => {
  const path = join(scratch(t), 'users')
  const open = () => gateOf(testContext(), { ...defaultsOf(authOptions), htpasswd: path }, false)
  for (const text of ['not a password file\n', 'ann:plain text\n', '\0\xff\xfe', '# people\nann:\n']) {
    writeFileSync(path, text)
    assert.throws(open, /no user who can log in; make one with htpasswd -B/, text)
  }
  for (const text of ['', '\n', '# nobody yet\n']) {
    writeFileSync(path, text)
    assert.ok(open(), text)
  }
})

test('a header that cannot be one is an error at the start', () => {
  assert.throws(() => gateOf(testContext(), { ...defaultsOf(authOptions), userFromHeader: 'X User' }, false), {
    code: 'usage',
  })
})

test('half a login is an error at the start', () => {
  const ctx = testContext()
  assert.throws(() => gateOf(ctx, { ...defaultsOf(authOptions), user: 'bob' }, false), { code: 'usage' })
  const named = { user: 'bob:x', pass: 'y' }
  assert.throws(() => gateOf(ctx, { ...defaultsOf(authOptions), ...named }, false), { code: 'usage' })
  assert.throws(() => gateOf(ctx, { ...defaultsOf(authOptions), pass: 'x' }, false), { code: 'usage' })
})

test('guessing is slowed down, and those who know their password get in meanwhile', async () => {
  let now = 0
  const guesses = new Guesses({ burst: 3, every: 1000 }, () => now)
  const { knock } = door({ user: 'bob', pass: 'right' }, false, guesses)
  assert.equal((await knock({ authorization: basic('bob', 'right') })).status, 200)
  for (let i = 0; i < 3; i++) assert.equal((await knock({ authorization: basic('bob', `no${i}`) })).status, 401)
  const refused = await knock({ authorization: basic('bob', 'no') })
  assert.deepEqual([refused.status, refused.headers.slice(-2)], [429, ['retry-after', '1']])
  assert.equal((await knock({ authorization: basic('bob', 'right') })).status, 200, 'a known password is no guess')
  assert.equal(
    (await knock({ authorization: basic('bob', 'no') }, { address: '192.0.2.2' })).status,
    401,
    'others are free',
  )
  now = 5
  assert.equal((await knock({ authorization: basic('bob', 'no') })).status, 429, 'a moment later')
  now = 1000
  assert.equal((await knock({ authorization: basic('bob', 'no') })).status, 401)
})

test('an IPv6 customer is a /64, and this machine stands for many', () => {
  const guesses = new Guesses({ burst: 2, every: 1000 }, () => 0)
  for (const address of ['2001:db8::1', '2001:db8::ffff:2', '127.0.0.1', '127.0.0.1', '', '']) guesses.wrong(address)
  assert.ok(guesses.waitOf('2001:db8:0:0:9::') > 0)
  assert.equal(guesses.waitOf('2001:db8:0:1::1'), 0)
  for (const address of ['127.0.0.1', '']) assert.equal(guesses.waitOf(address), 0)
})

test('the question of a browser before a request, and OPTIONS *, need no login', async () => {
  const { knock } = door({ user: 'bob', pass: 'right' })
  const asked = { origin: 'http://o', 'access-control-request-method': 'GET' }
  assert.equal((await knock(asked, {}, 'OPTIONS')).status, 200)
  assert.equal((await knock(asked)).status, 401)
  assert.equal((await knock({}, {}, 'OPTIONS')).status, 401)
  assert.equal((await knock({}, {}, 'OPTIONS', '*')).status, 200)
})

test('a header names the user only when a trusted proxy sets it', async () => {
  const { knock } = door({ userFromHeader: 'X-User', trustedProxies: ['10.0.0.0/8'] })
  assert.equal((await knock({ 'x-user': ' ann ' }, { address: '10.1.2.3' })).body, 'ann')
  assert.equal((await knock({ 'x-user': 'ann' }, { address: '192.0.2.1' })).status, 401)
  assert.equal((await knock({ 'x-user': 'ann' }, { address: '' })).body, 'ann', 'over a unix socket')
  assert.equal((await knock({ 'x-user': 'a b' }, { address: '10.1.2.3' })).status, 401)
  assert.equal((await knock({}, { address: '10.1.2.3' })).status, 401)
})

test('a certificate names the user, and one without a name does not', async () => {
  const { knock } = door({}, true)
  assert.equal((await knock({}, { certificate: 'alice' })).body, 'alice')
  assert.equal((await knock({}, { certificate: '' })).status, 401)
})

test('networks are addresses or prefixes', () => {
  const networks = new Networks(['10.0.0.0/8', '::1', 'fd00::/8'])
  for (const address of ['10.9.9.9', '::ffff:10.1.1.1', '::1', 'fd12::1']) assert.ok(networks.has(address), address)
  for (const address of ['11.0.0.1', '::2', '', 'x']) assert.ok(!networks.has(address), address)
  assert.throws(() => new Networks(['10.0.0.0/33']), { code: 'usage' })
  assert.throws(() => new Networks(['localhost']), { code: 'usage' })
})

test('a program checks logins and names the backend of each user', async (t) => {
  const program = join(scratch(t), 'check')
  writeFileSync(
    program,
    `#!/bin/sh\nread -r line\ncase "$line" in *good*) echo '{"type":"local","_root":"/srv"}';; *) exit 1;; esac\n`,
  )
  chmodSync(program, 0o755)
  const log = recordingLogger()
  const ctx = testContext({ log })
  const gate = gateOf(ctx, { ...defaultsOf(authOptions), authProxy: [program] }, false)
  assert.ok(gate)
  const handler = authentication(gate)((_ctx, { user }) => ({ status: 200, headers: [], body: JSON.stringify(user) }))
  const good = await handler(ctx, request({ authorization: basic('ann', 'good') }))
  assert.deepEqual(JSON.parse(typeof good.body === 'string' ? good.body : ''), {
    name: 'ann',
    by: 'proxy',
    backend: { type: 'local', _root: '/srv' },
  })
  assert.equal((await handler(ctx, request({ authorization: basic('ann', 'bad') }))).status, 401)
  assert.match(log.lines.join('\n'), /Auth failed from ann/)
})
