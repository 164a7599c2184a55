import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connect2 } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { certificate } from '../../test/certificate.ts'
import { missing } from '../../test/peers.ts'
import type { Handler } from './message.ts'
import { bodyOfAnswer, get, Raw, serve, statusOf, talk } from './testing-sockets.ts'
import { wantsTls } from './tls.ts'

const who: Handler = (_, request) => ({
  status: 200,
  headers: [],
  body: `${request.protocol} ${request.peer.secure} ${request.peer.certificate ?? '-'}`,
})
const skip = missing('openssl')

interface Certificates {
  readonly dir: string
  readonly cert: string
  readonly key: string
  readonly ca: string
}

/** A certificate for localhost, and an authority with two client certificates: one for alice, one for nobody. */
function certificates(t: TestContext): Certificates {
  const dir = mkdtempSync(join(tmpdir(), 'tls-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const authority = certificate(dir, 'ca', { subject: '/CN=Test authority' })
  certificate(dir, 'alice', { authority })
  certificate(dir, 'nobody', { subject: '/O=nobody', authority })
  return { dir, ...certificate(dir, 'server', { subject: '/CN=localhost' }), ca: authority.cert }
}

async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

test('HTTP/1.1 and HTTP/2 are spoken on one port', { skip }, async (t) => {
  const { cert, key } = certificates(t)
  const server = await serve(t, who, { cert, key })
  assert.match(server.urls[0] ?? '', /^https:/)
  assert.equal(bodyOfAnswer(await talk(server.port, get('/'), {})), 'HTTP/1.1 true -')
  assert.equal(bodyOfAnswer(await talk(server.port, get('/'), { ALPNProtocols: ['http/1.1'] })), 'HTTP/1.1 true -')
  const client = connect2(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false })
  t.after(() => client.destroy())
  const stream = client.request({ ':path': '/' }).setEncoding('utf8')
  const [body] = (await once(stream, 'data')) as [string]
  assert.equal(body, 'HTTP/2.0 true -')
})

test('without HTTP/2 a client is offered HTTP/1.1 only', { skip }, async (t) => {
  const { cert, key } = certificates(t)
  const { port } = await serve(t, who, { cert, key, http2: 'off' })
  const socket = await handshake(port, { ALPNProtocols: ['h2', 'http/1.1'] })
  assert.equal(socket.alpnProtocol, 'http/1.1')
  socket.destroy()
})

test('an address may ask for TLS or for none', { skip }, async (t) => {
  const { cert, key, dir } = certificates(t)
  const socket = join(dir, 's')
  const server = await serve(t, who, { cert, key, addr: ['http://127.0.0.1:0', 'tls://127.0.0.1:0', socket] })
  assert.deepEqual(
    server.urls.map((url) => url.split(':')[0]),
    ['http', 'https', 'unix'],
  )
  assert.equal(bodyOfAnswer(await talk(server.port, get('/'))), 'HTTP/1.1 false -')
  assert.equal(bodyOfAnswer(await talk(socket, get('/'), {})), 'HTTP/1.1 true -')
})

test('who speaks plain HTTP to a TLS port is told so', { skip }, async (t) => {
  const { cert, key } = certificates(t)
  const { port } = await serve(t, who, { cert, key, headerTimeout: 300 })
  const text = await talk(port, get('/'))
  assert.equal(statusOf(text), 400)
  assert.equal(bodyOfAnswer(text), 'Client sent an HTTP request to an HTTPS server.\n')
  assert.equal(await talk(port, ''), '')
})

test('TLS starts at the version asked for', { skip }, async (t) => {
  const { cert, key } = certificates(t)
  const usual = await serve(t, who, { cert, key })
  const strict = await serve(t, who, { cert, key, minTlsVersion: 'tls1.3' })
  const lax = await serve(t, who, { cert, key, minTlsVersion: 'tls1.0' })
  const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
  await assert.rejects(handshake(usual.port, old))
  await assert.rejects(handshake(strict.port, { maxVersion: 'TLSv1.2' }))
  ;(await handshake(usual.port, { maxVersion: 'TLSv1.2' })).destroy()
  ;(await handshake(strict.port)).destroy()
  ;(await handshake(lax.port, old)).destroy()
  assert.match(lax.lines.join(), /warning: --min-tls-version tls1.0 accepts connections that are no longer safe/)
})

test('with --client-ca only verified clients get in, and have a name', { skip }, async (t) => {
  const { dir, cert, key, ca } = certificates(t)
  const { port } = await serve(t, who, { cert, key, clientCa: ca })
  const client = (name: string) => ({
    cert: readFileSync(join(dir, `${name}.pem`)),
    key: readFileSync(join(dir, `${name}.key`)),
  })
  assert.equal(bodyOfAnswer(await talk(port, get('/'), client('alice'))), 'HTTP/1.1 true alice')
  assert.equal(bodyOfAnswer(await talk(port, get('/'), client('nobody'))), 'HTTP/1.1 true ')
  assert.equal(await talk(port, get('/'), {}), '')
  assert.equal(await talk(port, get('/'), client('server')), '')
})

test('a certificate that changes is taken up, a bad one is not', { skip }, async (t) => {
  const { dir, cert, key } = certificates(t)
  const server = await serve(t, who, { cert, key })
  const subject = async () => {
    const socket = await handshake(server.port)
    const { CN } = socket.getPeerCertificate().subject
    socket.destroy()
    return CN
  }
  assert.equal(await subject(), 'localhost')
  writeFileSync(cert, '-----BEGIN')
  await server.reload()
  await server.reload()
  assert.equal(await subject(), 'localhost')
  copyFileSync(join(dir, 'alice.pem'), cert)
  await server.reload()
  assert.equal(await subject(), 'localhost')
  copyFileSync(join(dir, 'alice.key'), key)
  await server.reload()
  assert.equal(await subject(), 'alice')
  assert.equal(server.lines.filter((line) => line.startsWith('error: keeping the TLS certificate')).length, 2)
})

test('half of what TLS needs is an error that says what is missing', { skip }, async (t) => {
  const { dir, cert, key } = certificates(t)
  const message = 'need both --cert and --key to use TLS'
  assert.throws(() => wantsTls({ cert, key: '', clientCa: '' }), { code: 'usage', message })
  assert.throws(() => wantsTls({ cert: '', key, clientCa: '' }), { code: 'usage', message })
  assert.throws(() => wantsTls({ cert: '', key: '', clientCa: cert }), { code: 'usage' })
  const start = (change: object) => serve(t, who, { cert, key, ...change })
  await assert.rejects(start({ cert: join(dir, 'none') }), { message: /cannot read --cert: / })
  await assert.rejects(start({ cert: key }), { message: /--cert .* holds no PEM certificate/ })
  await assert.rejects(start({ key: join(dir, 'alice.key') }), { message: /cannot be used/ })
  await assert.rejects(start({ clientCa: key }), { message: /unable to parse client certificate authority/ })
})

test('renegotiation is refused', { skip }, async (t) => {
  const { cert, key } = certificates(t)
  const { port } = await serve(t, who, { cert, key })
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', '-alpn', 'http/1.1'])
  t.after(() => client.kill())
  let output = ''
  const ended = new Promise<void>((resolve) => client.once('close', () => resolve()))
  for (const stream of [client.stdout, client.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      const ready = output.includes('Verify return code')
      output += text
      if (!ready && output.includes('Verify return code')) client.stdin.write('R\n')
    })
  // Its input stays open: only the server ends it.
  await ended
  assert.match(output, /RENEGOTIATING/)
})

test('a large response comes whole over TLS', { skip }, async (t) => {
  const { cert, key } = certificates(t)
  const { FileSlice } = await import('../base/body.ts')
  const content = Buffer.alloc(2_000_003, 'abcdefghijk')
  const source = {
    read: (into: Uint8Array, at: number) => Promise.resolve(content.copy(into, 0, at)),
    close: () => Promise.resolve(),
  }
  const { port } = await serve(
    t,
    () => ({ status: 200, headers: [], body: new FileSlice(source, { start: 0, end: content.length }) }),
    { cert, key },
  )
  const raw = new Raw(port, {}).send(get('/'))
  assert.ok(Buffer.from(bodyOfAnswer(await raw.end()), 'latin1').equals(content))
})
