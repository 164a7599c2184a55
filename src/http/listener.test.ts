import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connect2 } from 'node:http2'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { missing } from '../../test/peers.ts'
import { orAbort } from '../base/abort.ts'
import { inheritedFds, parseAddress } from './address.ts'
import { bodyOf } from '../base/body.ts'
import { testContext } from '../core/testing.ts'
import { defaultsOf } from '../schema/option.ts'
import { Chain, type Link } from '../base/chain.ts'
import { clientKey, plainAddress } from './connection.ts'
import { listen } from './listener.ts'
import type { Handler } from './message.ts'
import { httpOptions } from './options.ts'
import { bodyOfAnswer, get, Raw, serve, statusOf, talk } from './testing-sockets.ts'

const hello: Handler = (_, request) => ({ status: 200, headers: [], body: `hello ${request.peer.address}` })

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'listener-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function open(addr: readonly string[]): Promise<unknown> {
  return listen(testContext(), hello, { ...defaultsOf(httpOptions), addr: [...addr] })
}

test('addresses are read as rclone writes them', () => {
  const read = (text: string) => {
    const { text: _, ...address } = parseAddress(text)
    return address
  }
  assert.deepEqual(read('127.0.0.1:80'), { kind: 'tcp', host: '127.0.0.1', port: 80, tls: undefined })
  assert.deepEqual(read(':0'), { kind: 'tcp', host: undefined, port: 0, tls: undefined })
  assert.deepEqual(read('[::1]:8080'), { kind: 'tcp', host: '::1', port: 8080, tls: undefined })
  assert.deepEqual(read('tls://example:443'), { kind: 'tcp', host: 'example', port: 443, tls: true })
  assert.deepEqual(read('http://:80/'), { kind: 'tcp', host: undefined, port: 80, tls: false })
  assert.deepEqual(read('unix:///run/x.sock'), { kind: 'unix', path: '/run/x.sock', tls: undefined })
  assert.deepEqual(read('/run/x.sock'), { kind: 'unix', path: '/run/x.sock', tls: undefined })
  for (const bad of ['', 'localhost', '8080', '::1:80', 'a:b', 'a:99999', 'unix://x.sock', 'ftp://a:1'])
    assert.throws(() => parseAddress(bad), { code: 'usage' }, bad)
})

test('sockets of systemd are those meant for this process', () => {
  assert.deepEqual(inheritedFds({ LISTEN_FDS: '2', LISTEN_PID: '7' }, 7), [3, 4])
  assert.deepEqual(inheritedFds({ LISTEN_FDS: '2', LISTEN_PID: '8' }, 7), [])
  assert.deepEqual(inheritedFds({}, 7), [])
})

test('an IPv6 client is a /64, an IPv4 one an address', () => {
  assert.equal(clientKey('10.0.0.1'), '10.0.0.1')
  assert.equal(clientKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(clientKey('2001:0DB8:1:2::9'), '2001:db8:1:2::/64')
  assert.equal(clientKey('::1'), '0:0:0:0::/64')
  assert.equal(clientKey('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.equal(plainAddress('::ffff:10.0.0.1'), '10.0.0.1')
})

test('a server listens on several addresses, and says where', async (t) => {
  const socket = join(directory(t), 's')
  const server = await serve(t, hello, { addr: ['127.0.0.1:0', '[::1]:0', `unix://${socket}`], baseurl: 'a b' })
  assert.match(server.urls[0] ?? '', /^http:\/\/127\.0\.0\.1:\d+\/a%20b\/$/)
  assert.match(server.urls[1] ?? '', /^http:\/\/\[::1\]:\d+\/a%20b\/$/)
  assert.equal(server.urls[2], `unix://${socket}`)
  assert.equal(bodyOfAnswer(await talk(server.port, get('/a%20b/'))), 'hello 127.0.0.1')
  assert.equal(bodyOfAnswer(await talk(socket, get('/a%20b/'))), 'hello ')
  await server.close({ drainMs: 0 })
  assert.ok(!existsSync(socket))
})

test('a socket file that nobody listens on is replaced, all others are left alone', async (t) => {
  const dir = directory(t)
  const [stale, taken, file] = [join(dir, 'stale'), join(dir, 'taken'), join(dir, 'file')]
  const dies = `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', dies], { timeout: 10_000 })
  assert.ok(existsSync(stale))
  writeFileSync(file, 'precious')
  const other = createServer().listen(taken)
  await once(other, 'listening')
  t.after(() => other.close())
  const server = await serve(t, hello, { addr: [stale] })
  assert.equal(statusOf(await talk(stale, get('/'))), 200)
  await assert.rejects(open([taken]), { code: 'busy', message: /is in use by another server: stop it or choose/ })
  await assert.rejects(open([file]), { code: 'exists' })
  assert.ok(existsSync(file))
  await server.close({ drainMs: 0 })
})

test('a server starts on all of its addresses or on none', async (t) => {
  const first = await serve(t, hello)
  const socket = join(directory(t), 's')
  await assert.rejects(open([socket, `127.0.0.1:${first.port}`]), {
    code: 'io',
    message: `127.0.0.1:${first.port} is in use by another server: stop it or choose another address with --addr (the remote control: --rc-addr)`,
  })
  assert.ok(!existsSync(socket))
  await assert.rejects(open(['203.0.113.1:0']), { message: /is no address of this machine/ })
  await assert.rejects(open(['/nowhere/at/all/s']), { message: /choose a directory that exists/ })
  await assert.rejects(open([]), { code: 'usage' })
  await assert.rejects(open(['tls://127.0.0.1:0']), { message: 'need both --cert and --key to use a tls:// address' })
})

test('a connection over the limit is told so, and a place that is freed is used again', async (t) => {
  const { port } = await serve(t, hello, { maxConnections: 2 })
  const held = [new Raw(port), new Raw(port)]
  for (const raw of held) await raw.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n').until((text) => text.includes('hello'))
  const refused = await talk(port, get('/'))
  assert.match(refused, /^HTTP\/1.1 503 [^]*retry-after: 1\r\n[^]*connection: close/)
  held[0]?.socket.destroy()
  let status = 0
  while (status !== 200) status = statusOf(await talk(port, get('/')))
  held[1]?.socket.destroy()
})

test('a client has so many busy connections; idle ones are free', async (t) => {
  const begun: string[] = []
  const { port } = await serve(
    t,
    async (ctx, request) => {
      for await (const _ of request.body) begun.push(request.path)
      return hello(ctx, request)
    },
    { maxConnectionsPerIp: 2 },
  )
  const put = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na'
  const held = [new Raw(port).send(put), new Raw(port).send(put)]
  while (begun.length < 2) await new Promise((resolve) => setImmediate(resolve))
  let status = statusOf(await talk(port, get('/')))
  assert.equal(status, 503)
  for (const raw of held) await raw.send('b').until((text) => text.includes('hello'))
  while (status !== 200) status = statusOf(await talk(port, get('/')))
  for (const raw of held) raw.socket.destroy()
})

test('closing lets a response end, takes nothing new, and says so on kept connections', async (t) => {
  let release: (() => void) | undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('first ')
    await held
    yield Buffer.from('last')
  }
  const server = await serve(t, () => ({ status: 200, headers: [], body: slow() }))
  const busy = new Raw(server.port).send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await busy.until((text) => text.includes('first'))
  const idle = new Raw(server.port)
  await once(idle.socket, 'connect')
  const closing = server.close({ drainMs: 5000 })
  await idle.end()
  const again = await serve(t, hello, { addr: [`127.0.0.1:${server.port}`] })
  assert.equal(statusOf(await talk(again.port, get('/'))), 200)
  release?.()
  assert.match(await busy.end(), /last\r\n0\r\n\r\n$/)
  await closing
  assert.equal(server.connections, 0)
})

test('closing does not wait for ever', async (t) => {
  const server = await serve(t, () => new Promise(() => {}))
  const raw = new Raw(server.port).send(get('/'))
  await once(raw.socket, 'connect')
  const now = new AbortController()
  const begun = performance.now()
  const closing = server.close({ drainMs: 60_000, now: now.signal })
  now.abort()
  await closing
  assert.ok(performance.now() - begun < 5000)
  assert.equal(await raw.end(), '')
})

test('closing lets the streams of HTTP/2 end', async (t) => {
  let release: (() => void) | undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('first ')
    await held
    yield Buffer.alloc(200_000, 'x')
  }
  const server = await serve(t, () => ({ status: 200, headers: [], body: slow() }))
  const client = connect2(`http://127.0.0.1:${server.port}`)
  t.after(() => client.destroy())
  client.on('error', () => {})
  const stream = client.request({ ':path': '/' })
  let size = 0
  stream.on('data', (chunk: Buffer) => (size += chunk.length))
  await once(stream, 'data')
  const away = once(client, 'goaway')
  const closing = server.close({ drainMs: 5000 })
  await away
  release?.()
  await once(stream, 'end')
  assert.equal(size, 6 + 200_000)
  await closing
})

test('a socket that was opened for the process is taken over', { skip: missing('sh') }, async (t) => {
  const outer = createServer().listen(0, '127.0.0.1')
  await once(outer, 'listening')
  const { port } = outer.address() as AddressInfo
  const { fd } = (outer as unknown as { _handle: { fd: number } })._handle
  const script = `
    const { listen } = await import(${JSON.stringify(import.meta.resolve('./listener.ts'))})
    const { inheritedFds } = await import(${JSON.stringify(import.meta.resolve('./address.ts'))})
    const { httpOptions } = await import(${JSON.stringify(import.meta.resolve('./options.ts'))})
    const { defaultsOf } = await import(${JSON.stringify(import.meta.resolve('../schema/option.ts'))})
    const { testContext } = await import(${JSON.stringify(import.meta.resolve('../core/testing.ts'))})
    const fds = inheritedFds(process.env, process.pid)
    const { urls } = await listen(testContext(), () => ({ status: 200, headers: [], body: 'inherited' }), { ...defaultsOf(httpOptions), fds })
    console.log(urls.join())`
  const shell = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --input-type=module -e "$1"'
  const child = spawn('sh', ['-c', shell, process.execPath, script], { stdio: ['ignore', 'pipe', 'inherit', fd] })
  t.after(() => child.kill('SIGKILL'))
  assert.ok(child.stdout)
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  assert.equal(line.toString().trim(), `http://127.0.0.1:${port}/`)
  outer.close()
  assert.equal(bodyOfAnswer(await talk(port, get('/'))), 'inherited')
})

test('what comes and goes leaves nothing behind', () => {
  const item = (name: string) => ({ name, next: undefined, previous: undefined }) as Item
  interface Item extends Link<Item> {
    readonly name: string
  }
  const [a, b, c] = [item('a'), item('b'), item('c')] as const
  const chain = new Chain<Item>()
  const names = () => [...chain].map(({ name }) => name).join('')
  for (const one of [a, b, c]) chain.add(one)
  assert.deepEqual([names(), chain.size], ['abc', 3])
  assert.ok(chain.remove(b))
  assert.ok(!chain.remove(b))
  assert.deepEqual([names(), b.next, b.previous], ['ac', undefined, undefined])
  for (const one of chain) chain.remove(one)
  assert.deepEqual([names(), chain.size, chain.remove(a)], ['', 0, false])
  chain.add(b)
  assert.equal(names(), 'b')
})

test('two servers in one process do not know of each other', async (t) => {
  const a = await serve(t, () => ({ status: 200, headers: [], body: bodyOf('a') }))
  const b = await serve(t, () => ({ status: 200, headers: [], body: bodyOf('b') }), { maxConnections: 1 })
  await a.close({ drainMs: 0 })
  assert.match(await talk(b.port, get('/')), /\r\nb\r\n/)
})

test('a client that ends its side behind its requests gets all answers, and then the end', async (t) => {
  const server = await serve(t, async (_, request) => {
    for await (const _chunk of request.body);
    await new Promise((resolve) => setTimeout(resolve, 50))
    return { status: 200, headers: [], body: `<${request.path}>` }
  })
  const raw = new Raw(server.port)
  const put = (path: string) => `PUT /${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`
  raw.socket.end(put('one') + put('two') + put('three'))
  assert.deepEqual((await raw.end()).match(/<\w+>/g), ['<one>', '<two>', '<three>'])
})

test('the work for a client that has ended its side ends when it is sent nothing for a while', async (t) => {
  const server = await serve(t, (ctx, request) => {
    async function* once(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('begun')
      await orAbort(ctx.signal, new Promise(() => {}))
    }
    if (request.path === 'stream') return { status: 200, headers: [], body: once() }
    return orAbort(ctx.signal, new Promise<never>(() => {}))
  })
  const [waiting, stream] = ['/', '/stream'].map((path) => new Raw(server.port).send(get(path)))
  waiting?.socket.end()
  stream?.socket.end()
  assert.equal(statusOf((await waiting?.end()) ?? ''), 503)
  assert.doesNotMatch((await stream?.end()) ?? '', /\r\n0\r\n\r\n$/)
})
