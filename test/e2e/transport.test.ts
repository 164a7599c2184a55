import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificate } from '../certificate.ts'
import { missing } from '../peers.ts'
import { files, run, scratch, serve } from '../program.ts'

const curl = (...args: string[]) => run('curl', ['-s', '-S', ...args])

test(
  'with a certificate HTTP/2 is spoken, and HTTP/1.1 to those who want it',
  { skip: missing('curl', 'openssl') },
  async (t) => {
    const [dir, certs] = [scratch(t), scratch(t)]
    files(dir, { 'a.txt': 'hello world\n' })
    const { cert, key } = certificate(certs, 'localhost')
    const server = await serve(t, ['serve', 'http', dir, '--cert', cert, '--key', key])
    assert.match(server.url, /^https:/)
    const version = [
      '-w',
      '\n%{http_version} %{http_code}',
      '--cacert',
      cert,
      '--resolve',
      `localhost:${server.port}:127.0.0.1`,
    ]
    const url = `https://localhost:${server.port}/a.txt`
    assert.equal((await curl(...version, url)).stdout, 'hello world\n\n2 200')
    assert.equal((await curl(...version, '--http1.1', url)).stdout, 'hello world\n\n1.1 200')
    assert.equal((await curl(...version, '-r', '6-', url)).stdout, 'world\n\n2 206')
    const plain = await curl('-i', `http://127.0.0.1:${server.port}/`)
    assert.match(plain.stdout, /^HTTP\/1\.[01] 400 [^]*Client sent an HTTP request to an HTTPS server\./)
  },
)

test('without one, HTTP/2 works by prior knowledge on the same port', { skip: missing('curl') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'hello' })
  const server = await serve(t, ['serve', 'http', dir])
  const both = await curl('--http2-prior-knowledge', '-w', '%{http_version}', `${server.url}a.txt`)
  assert.equal(both.stdout, 'hello2')
  assert.equal((await curl('-w', '%{http_version}', `${server.url}a.txt`)).stdout, 'hello1.1')
})

test(
  'clients without a certificate of the authority are refused, others are known by name',
  { skip: missing('curl', 'openssl') },
  async (t) => {
    const [dir, certs] = [scratch(t), scratch(t)]
    files(dir, { 'a.txt': 'hello' })
    const { cert, key } = certificate(certs, 'localhost')
    const authority = certificate(certs, 'authority')
    const alice = certificate(certs, 'alice', { authority })
    const args = ['--cert', cert, '--key', key, '--client-ca', join(certs, 'authority.pem')]
    const log = join(certs, 'access.log')
    const server = await serve(t, ['serve', 'http', dir, ...args, '--access-log', log])
    assert.notEqual((await curl('-k', `${server.url}a.txt`)).code, 0)
    const known = await curl('-k', '--cert', alice.cert, '--key', alice.key, `${server.url}a.txt`)
    assert.equal(known.stdout, 'hello', known.stderr)
    await server.stop()
    assert.match((await run('cat', [log])).stdout, /^127\.0\.0\.1 - alice /)
  },
)

test('TLS below 1.2 is refused', { skip: missing('openssl') }, async (t) => {
  const [dir, certs] = [scratch(t), scratch(t)]
  const { cert, key } = certificate(certs, 'localhost')
  const server = await serve(t, ['serve', 'http', dir, '--cert', cert, '--key', key])
  const shake = (version: string) =>
    run('openssl', ['s_client', '-connect', `127.0.0.1:${server.port}`, version, '-cipher', 'DEFAULT@SECLEVEL=0'])
  assert.notEqual((await shake('-tls1_1')).code, 0)
  assert.equal((await shake('-tls1_2')).code, 0)
})

test('a new certificate is used when its file changes, without a restart', { skip: missing('openssl') }, async (t) => {
  const [dir, certs] = [scratch(t), scratch(t)]
  const { cert, key } = certificate(certs, 'localhost')
  const server = await serve(t, ['serve', 'http', dir, '--cert', cert, '--key', key])
  const other = certificate(certs, 'newname')
  await run('cp', [other.key, key])
  await run('cp', [other.cert, cert])
  server.child.kill('SIGHUP')
  const subject = async () => (await run('openssl', ['s_client', '-connect', `127.0.0.1:${server.port}`])).stdout
  const end = Date.now() + 5000
  while (!/CN ?= ?newname/.test(await subject())) assert.ok(Date.now() < end, 'still the old certificate')
})

test('a unix socket and several addresses are served at once', { skip: missing('curl') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'hello' })
  const socket = join(scratch(t), 's.sock')
  const server = await serve(t, ['serve', 'http', dir], {
    addr: ['--addr', '127.0.0.1:0', '--addr', `unix://${socket}`],
  })
  assert.equal((await curl('--unix-socket', socket, 'http://any/a.txt')).stdout, 'hello')
  assert.equal((await curl(`${server.url}a.txt`)).stdout, 'hello')
})

test(
  'a foreign host name is refused on a loopback server without login, as DNS rebinding would use',
  { skip: missing('curl') },
  async (t) => {
    const server = await serve(t, ['serve', 'http', scratch(t)])
    const status = async (host: string) =>
      (await curl('-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${host}`, server.url)).stdout
    assert.equal(await status('evil.example'), '421')
    for (const host of ['localhost', 'LOCALHOST:99', '[::1]', '127.0.0.1'])
      assert.equal(await status(host), '200', host)
    const open = await serve(t, ['serve', 'http', scratch(t), '--allowed-hosts', 'files.example'])
    assert.equal(
      (await curl('-o', '/dev/null', '-w', '%{http_code}', '-H', 'Host: files.example', open.url)).stdout,
      '200',
    )
  },
)

test('h2load finds no error over many streams', { skip: missing('h2load') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'x'.repeat(5000) })
  const server = await serve(t, ['serve', 'http', dir])
  const { stdout } = await run('h2load', ['-n', '2000', '-c', '4', '-m', '20', `${server.url}a.txt`])
  assert.match(stdout, /2000 succeeded, 0 failed, 0 errored/)
})
