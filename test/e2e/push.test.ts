import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { certificate } from '../certificate.ts'
import { missing } from '../peers.ts'
import { files, scratch, serve, sluice } from '../program.ts'
import { web } from '../web.ts'

const program = join(import.meta.dirname, '..', '..', 'bin', 'sluice.js')

/** Starts `sluice push ARGS`; it ends with the test. `ended` resolves with its status. */
function push(t: TestContext, args: readonly string[]): ChildProcess & { readonly ended: Promise<number | null> } {
  const child = spawn(process.execPath, [program, 'push', '-v', ...args], { stdio: ['pipe', 'ignore', 'pipe'] })
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text))
  child.stdin?.on('error', () => {})
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return Object.assign(child, { ended: exited.then(([code]) => code as number | null), log: () => log })
}

/** Resolves when `what` is true; what it looks at comes over a network. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await what());) {
    if (Date.now() > end) throw new Error(`never: ${String(what)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A folder that takes uploads, and its server. */
async function origin(t: TestContext) {
  const dir = scratch(t)
  const server = await serve(t, ['serve', dir, '--write', dir])
  return { dir, url: server.url }
}

interface Received {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
  whole: boolean
}

/** A server that remembers what it gets; `meddle` may end a request before. */
async function recorder(t: TestContext, meddle: (count: number, bytes: number) => 'cut' | number | void = () => {}) {
  const requests: Received[] = []
  const url = await web(t, (request, response) => {
    const { method = '', url: path = '', headers } = request
    const received: Received = { method, url: path, headers, body: '', whole: false }
    const count = requests.push(received)
    request.setEncoding('latin1').on('data', (text: string) => {
      received.body += text
      if (meddle(count, received.body.length) === 'cut') request.socket.destroy()
    })
    request.on('error', () => {})
    request.on('end', () => {
      received.whole = true
      const status = meddle(count, -1)
      response.writeHead(typeof status === 'number' ? status : 201).end()
    })
  })
  return { url, requests }
}

test('a file, a folder and standard input arrive, by the names and with the headers that were asked for', async (t) => {
  const { dir, url } = await origin(t)
  const source = scratch(t)
  files(source, { 'a.txt': 'alpha', 'sub/b c.txt': 'beta', 'sub/ü': 'umlaut', empty: '' })
  assert.equal((await sluice(['push', source, `${url}tree/`])).code, 0)
  assert.deepEqual(readdirSync(join(dir, 'tree'), { recursive: true, encoding: 'utf8' }).sort(), [
    'a.txt',
    'empty',
    'sub',
    'sub/b c.txt',
    'sub/ü',
  ])
  assert.equal(readFileSync(join(dir, 'tree/sub/b c.txt'), 'utf8'), 'beta')
  assert.equal((await sluice(['push', join(source, 'a.txt'), `${url}into/`])).code, 0)
  assert.equal((await sluice(['push', join(source, 'a.txt'), `${url}as.txt`])).code, 0)
  assert.equal((await sluice(['push', '-', `${url}stdin.txt`], { stdin: 'from a pipe' })).code, 0)
  const read = (path: string) => readFileSync(join(dir, path), 'utf8')
  assert.deepEqual([read('into/a.txt'), read('as.txt'), read('stdin.txt')], ['alpha', 'alpha', 'from a pipe'])

  const { url: other, requests } = await recorder(t)
  const login = other.replace('//', '//me:p%40ss@')
  await sluice(['push', '-', `${login}x.mp3`, '--header', 'X-A: b'], { stdin: 'body' })
  await sluice(['push', '-', `${other}x`, '--method', 'POST', '--no-chunked', '--user', 'u', '--pass', 'p'], {
    stdin: 'body',
  })
  await sluice(['push', join(source, 'a.txt'), `${other}y`])
  const seen = requests.map(({ method, url: path, body, headers: h }) => [
    method,
    path,
    body,
    h['transfer-encoding'],
    h['content-length'],
  ])
  assert.deepEqual(seen, [
    ['PUT', '/x.mp3', 'body', 'chunked', undefined],
    ['POST', '/x', 'body', undefined, '4'],
    ['PUT', '/y', 'alpha', undefined, '5'],
  ])
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  const [first, second] = requests.map(({ headers }) => headers)
  assert.deepEqual(
    [first?.authorization, first?.['content-type'], first?.['x-a']],
    [basic('me:p@ss'), 'audio/mpeg', 'b'],
  )
  assert.equal(second?.authorization, basic('u:p'))
})

test('--http2 speaks HTTP/2 in clear, and our own server takes it', async (t) => {
  const { dir, url } = await origin(t)
  const source = scratch(t)
  files(source, { a: 'x'.repeat(3_000_000), b: 'y' })
  assert.equal((await sluice(['push', source, `${url}h2/`, '--http2'])).code, 0)
  assert.equal(readFileSync(join(dir, 'h2/a')).length, 3_000_000)
  const versions: string[] = []
  const server = createHttp2((request, response) => {
    versions.push(request.httpVersion)
    request.resume().on('end', () => response.writeHead(201).end())
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.equal((await sluice(['push', source, `http://127.0.0.1:${port}/`, '--http2'])).code, 0)
  assert.deepEqual(versions, ['2.0', '2.0'])
})

test('--http2 over TLS checks the certificate of the server', { skip: missing('openssl') }, async (t) => {
  const dir = scratch(t)
  const { cert, key } = certificate(dir, 'localhost')
  files(dir, { 'in/a': 'secret', 'out/': '' })
  const out = join(dir, 'out')
  const { url } = await serve(t, ['serve', out, '--write', out, '--cert', cert, '--key', key])
  const args = ['push', join(dir, 'in/a'), `${url}a`, '--low-level-retries', '1']
  assert.equal((await sluice([...args, '--http2', '--ca-cert', cert])).code, 0)
  assert.equal(readFileSync(join(out, 'a'), 'utf8'), 'secret')
  for (const more of [['--http2'], []]) {
    const { code, stderr } = await sluice([...args, ...more])
    assert.notEqual(code, 0)
    assert.match(stderr, /self-signed|certificate/i)
  }
})

test('what was sent into a connection that broke is sent again, from the file or the replay buffer', async (t) => {
  const source = scratch(t)
  files(source, { big: 'b'.repeat(2_000_000) })
  for (const args of [[join(source, 'big')], ['-']]) {
    const { url, requests } = await recorder(t, (count, bytes) => {
      if (count === 1 && bytes > 500_000) return 'cut'
      return count === 2 && bytes === -1 ? 503 : undefined
    })
    const stdin = readFileSync(join(source, 'big'), 'latin1')
    const { code, stderr } = await sluice(['push', ...args, `${url}big`], { stdin })
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      requests.map(({ whole }) => whole),
      [false, true, true],
    )
    assert.equal(requests[2]?.body, stdin)
  }
})

test('a server that refuses is not asked again, and a stream that can not be sent again is an error', async (t) => {
  const refusing = await recorder(t, () => 403)
  const { code, stderr } = await sluice(['push', '-', `${refusing.url}x`], { stdin: 'body' })
  assert.equal(code, 1)
  assert.match(stderr, /PUT 127\.0\.0\.1:\d+\/x: the server answered 403/)
  assert.equal(refusing.requests.length, 1)
  const cutting = await recorder(t, (_count, bytes) => (bytes > 900_000 ? 'cut' : undefined))
  const stdin = 's'.repeat(3_000_000)
  const lost = await sluice(['push', '-', `${cutting.url}x`, '--replay-buffer', '200k'], { stdin })
  assert.equal(lost.code, 1)
  assert.match(lost.stderr, /more than --replay-buffer holds/)
})

test('with --keep-input a stream goes on behind a connection that broke, and its input never waits', async (t) => {
  const { url, requests } = await recorder(t, (count, bytes) => (count === 1 && bytes > 300_000 ? 'cut' : undefined))
  const child = push(t, ['-', `${url}live`, '--ka', '--replay-buffer', '100k'])
  const block = (i: number) => `${String(i).padStart(9, '0')}\n`.repeat(1000)
  let blocks = 0
  await until(() => {
    child.stdin?.write(block(blocks++))
    return requests.length === 2
  })
  child.stdin?.end('the end\n')
  assert.equal(await child.ended, 0)
  assert.ok(requests[1]?.body.endsWith('the end\n') && requests[1].whole)
})

test('a folder that is watched is mirrored: files are followed while they grow, removals are deletions', async (t) => {
  const { dir, url } = await origin(t)
  const source = scratch(t)
  files(source, { 'old.txt': 'old' })
  const child = push(t, [source, `${url}live/`, '--watch', '--settle', '500ms'])
  const at = (path: string) => join(dir, 'live', path)
  const is = (path: string, text: string) =>
    until(() => existsSync(at(path)) && readFileSync(at(path), 'utf8') === text)
  await is('old.txt', 'old')
  mkdirSync(join(source, 'seg'))
  writeFileSync(join(source, 'seg/1.m4s'), 'first ')
  // It can be read at the server before it is whole.
  let early = ''
  await until(async () => {
    const response = await fetch(`${url}live/seg/1.m4s`, { headers: { connection: 'close' } })
    if (response.status !== 200 || !response.body) return false
    const reader = response.body.getReader()
    early = new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    return true
  })
  assert.equal(early, 'first ')
  appendFileSync(join(source, 'seg/1.m4s'), 'second')
  await is('seg/1.m4s', 'first second')
  for (const text of ['#EXTM3U 1', '#EXTM3U 1 2', '#EXTM3U 3']) {
    writeFileSync(join(source, 'new'), text)
    renameSync(join(source, 'new'), join(source, 'a.m3u8'))
    await is('a.m3u8', text)
  }
  rmSync(join(source, 'seg/1.m4s'))
  await until(() => !existsSync(at('seg/1.m4s')))
  child.kill('SIGTERM')
  assert.equal(await child.ended, 0)
})

test('of a file that has grown only the tail is sent, where the server knows that', async (t) => {
  const { url, requests } = await recorder(t)
  const source = scratch(t)
  writeFileSync(join(source, 'log'), 'one\n')
  push(t, [source, url, '--watch', '--settle', '50ms', '--patch', 'content-range'])
  const bodies = () =>
    requests.filter(({ whole }) => whole).map(({ body, headers }) => [body, headers['content-range']])
  await until(() => bodies().length === 1)
  appendFileSync(join(source, 'log'), 'two\n')
  await until(() => bodies().length === 2)
  // The head is another one: all of it has to go.
  writeFileSync(join(source, 'log'), 'ONE\ntwo\nthree\n')
  await until(() => bodies().length === 3)
  assert.deepEqual(bodies(), [
    ['one\n', undefined],
    ['two\n', 'bytes 4-7/8'],
    ['ONE\ntwo\nthree\n', undefined],
  ])
})

test('what ffmpeg packages into a folder is at the server, byte by byte', { skip: missing('ffmpeg') }, async (t) => {
  const { dir, url } = await origin(t)
  const source = scratch(t)
  const child = push(t, [source, `${url}hls/`, '--watch', '--settle', '300ms'])
  const ffmpeg = spawn(
    'ffmpeg',
    [
      '-loglevel',
      'error',
      '-re',
      '-f',
      'lavfi',
      '-i',
      'sine=frequency=440:duration=4',
      '-c:a',
      'aac',
      '-f',
      'hls',
    ].concat(['-hls_time', '1', '-hls_list_size', '2', '-hls_flags', 'delete_segments', join(source, 'a.m3u8')]),
    { stdio: 'ignore' },
  )
  assert.deepEqual(await once(ffmpeg, 'exit'), [0, null])
  const tree = (at: string) => {
    try {
      const names = readdirSync(at).filter((name) => !name.startsWith('.'))
      return names.sort().map((name) => `${name} ${readFileSync(join(at, name), 'latin1')}`)
    } catch {
      return [] // something went away between the two
    }
  }
  await until(() => JSON.stringify(tree(join(dir, 'hls'))) === JSON.stringify(tree(source)))
  assert.ok(readdirSync(source).length >= 3)
  child.kill('SIGTERM')
  assert.equal(await child.ended, 0)
})
