import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { Raw } from '../../src/http/testing-sockets.ts'
import { certificate } from '../certificate.ts'
import { missing } from '../peers.ts'
import { run, scratch, serve } from '../program.ts'
import { brokenFrames, frames, listen, looped, publish, radio, sound } from '../radio.ts'

test('all who listen get what is published, each from a little while ago on, and end when it ends', async (t) => {
  const server = await radio(t, '--live', '/live.mp3')
  const publisher = await publish(server, '/live.mp3', 'Content-Type: audio/mpeg', 'Ice-Name: One')
  publisher.data('first ')
  const early = await listen(server, '/live.mp3', 'Range: bytes=3-4')
  assert.match(early.head, /^http\/1\.1 200 ok/)
  assert.match(early.head, /content-type: audio\/mpeg\r\n/)
  assert.match(early.head, /cache-control: no-cache, no-store/)
  assert.match(early.head, /icy-name: one/)
  assert.doesNotMatch(early.head, /content-length|content-range|icy-metaint/)
  await early.heard('first ')
  publisher.data('second ')
  const late = await listen(server, '/live.mp3')
  await late.heard('first second ')
  await publisher.end()
  assert.deepEqual([await early.ended(), await late.ended()], [true, true])
  assert.equal(early.body(), 'first second ')
  assert.equal((await fetch(`${server.url}live.mp3`)).status, 404)
})

test('listeners of a publisher that vanishes are cut off, and the mount is free again', async (t) => {
  const server = await radio(t, '--live', '/live.mp3')
  const publisher = await publish(server, '/live.mp3')
  publisher.data('sound')
  const listener = await listen(server, '/live.mp3')
  await listener.heard('sound')
  publisher.raw.socket.resetAndDestroy()
  assert.equal(await listener.ended(), false)
  const next = await publish(server, '/live.mp3')
  next.data('again')
  await (await listen(server, '/live.mp3')).heard('again')
})

test('a mount has one publisher: another one gets 403 and harms nobody', async (t) => {
  const server = await radio(t, '--live', '/live.mp3')
  const publisher = await publish(server, '/live.mp3')
  publisher.data('one')
  const listener = await listen(server, '/live.mp3')
  const second = await fetch(`${server.url}live.mp3`, { method: 'PUT', body: 'two' })
  assert.deepEqual([second.status, await second.text()], [403, 'Mountpoint in use\n'])
  publisher.data('!')
  await listener.heard('one!')
})

test('with --reopen listeners stay when the publisher dies, and hear the next one', async (t) => {
  const server = await radio(t, '--live', '/live.mp3,reopen')
  const first = await publish(server, '/live.mp3')
  first.data('one ')
  const listener = await listen(server, '/live.mp3')
  await listener.heard('one ')
  first.raw.socket.resetAndDestroy()
  while ((await (await fetch(`${server.url}status-json.xsl`)).text()).includes('"source"'));
  const second = await publish(server, '/live.mp3')
  second.data('two')
  await listener.heard('one two')
})

test('a fallback is heard while a mount has no source, which is heard again as soon as it is back', async (t) => {
  const server = await radio(t, '--live', '/live.mp3,fallback=/b.mp3', '--live', '/b.mp3')
  const main = await publish(server, '/live.mp3')
  const other = await publish(server, '/b.mp3')
  other.data('[b0]')
  main.data('[a1]')
  const listener = await listen(server, '/live.mp3')
  await listener.heard('[a1]')
  main.raw.socket.resetAndDestroy()
  await listener.heard('[b0]')
  other.data('[b1]')
  await listener.heard('[b1]')
  const back = await publish(server, '/live.mp3')
  back.data('[a2]')
  await listener.heard('[a2]')
  other.data('[b2]')
  back.data('[a3]')
  await listener.heard('[a3]')
  assert.equal(listener.body(), '[a1][b0][b1][a2][a3]')
})

test('requests before a body without a length are answered first; SOURCE and PUT end with their connection', async (t) => {
  const server = await radio(t, '--live', '/live.mp3')
  const raw = new Raw(server.port)
  raw.send('OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1\r\n\r\n')
  await raw.until((text) => /204 No Content/.test(text))
  assert.match(raw.text, /allow: .*PUT, POST, SOURCE/i)
  raw.send(
    'GET /admin/!POKE HTTP/1.1\r\nHost: x\r\n\r\nPUT /live.mp3 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n',
  )
  await raw.until((text) => /404 Not Found[\s\S]*100 Continue\r\n\r\nHTTP\/1\.1 200 OK/.test(text))
  raw.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const listener = await listen(server, '/live.mp3')
  await listener.heard('GET / HTTP/1.1')
  raw.socket.end()
  assert.equal(await listener.ended(), true)
  const source = new Raw(server.port).send('SOURCE /live.mp3 HTTP/1.0\r\nContent-Type: audio/mpeg\r\n\r\n')
  await source.until((text) => text.startsWith('HTTP/1.0 200 OK\r\n'))
  source.send('sound')
  await (await listen(server, '/live.mp3')).heard('sound')
})

test('where nobody may publish a body without a length is refused, and never read as requests', async (t) => {
  const dir = scratch(t)
  for (const [args, status] of [
    [['--live', '/live.mp3'], 405],
    [['--live', '/live.mp3', '--user', 'u', '--pass', 'p'], 401],
    [['--write', dir], 411],
  ] as const) {
    const server = await radio(t, ...args)
    for (const head of ['PUT /x.mp3 HTTP/1.1\r\nHost: x\r\n\r\n', 'SOURCE /x.mp3 HTTP/1.0\r\n\r\n']) {
      const raw = new Raw(server.port).send(`${head}GET / HTTP/1.1\r\nHost: x\r\n\r\n`)
      const text = await raw.end()
      assert.equal(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), head.startsWith('PUT') || status === 401 ? status : 405)
      assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1)
    }
  }
})

test('a PUT that asks for another protocol at the same time is an ordinary one', async (t) => {
  const server = await radio(t, '--live', '/live.mp3')
  const headers = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA']
  const publisher = await publish(server, '/live.mp3', ...headers)
  publisher.data('sound')
  await (await listen(server, '/live.mp3')).heard('sound')
})

test('an empty PUT only asks: it publishes nothing, and with a login it is refused', async (t) => {
  const open = await radio(t, '--live', '/live.mp3')
  assert.equal((await fetch(`${open.url}live.mp3`, { method: 'PUT' })).status, 200)
  assert.equal((await fetch(`${open.url}live.mp3`)).status, 404)
  const locked = await radio(t, '--live', '/live.mp3,open', '--user', 'source', '--pass', 'x')
  const raw = new Raw(locked.port).send('SOURCE /live.mp3 HTTP/1.0\r\nContent-Length: 0\r\n\r\n')
  assert.match(await raw.until((text) => text.includes('\r\n\r\n')), /^HTTP\/1\.1 401 [\s\S]*www-authenticate: Basic/i)
  // Listening to an open mount needs no login.
  assert.equal((await fetch(`${locked.url}live.mp3`)).status, 404)
  assert.equal((await fetch(`${locked.url}other`)).status, 401)
})

test('what a held publisher has sent stays for the first listener, although it has left', async (t) => {
  const server = await radio(t, '--live', '/live.mp3,hold', '--live', '/other.mp3,hold')
  const sent = async (path: string, length: number) => {
    const publisher = new Raw(server.port).send(
      `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\nall of it`,
    )
    await new Promise<void>((resolve) => publisher.socket.end(() => resolve()))
    publisher.socket.destroySoon()
  }
  await sent('/live.mp3', 9)
  await sent('/other.mp3', 10)
  const listener = await listen(server, '/live.mp3')
  assert.ok(await listener.ended())
  assert.equal(listener.body(), 'all of it')
  for (let status = 200; status !== 404;) status = (await fetch(`${server.url}other.mp3`, { method: 'HEAD' })).status
})

test('a mount takes no more listeners than it may, and ends those who listened long enough', async (t) => {
  const server = await radio(t, '--live', '/a.mp3,max-listeners=1', '--live', '/b.mp3,max-duration=200ms')
  const publisher = await publish(server, '/a.mp3')
  publisher.data('x')
  await listen(server, '/a.mp3')
  assert.equal((await fetch(`${server.url}a.mp3`)).status, 503)
  const other = await publish(server, '/b.mp3')
  other.data('x')
  assert.equal(await (await listen(server, '/b.mp3')).ended(), true)
})

test('a listener that takes nothing is left, and the others hear all', async (t) => {
  const server = await radio(t, '--live', '/a.bin,max-client-lag=64k')
  const publisher = await publish(server, '/a.bin')
  publisher.data('0')
  const stalled = connect(server.port, '127.0.0.1')
  t.after(() => stalled.destroy())
  stalled.on('error', () => {})
  stalled.write('GET /a.bin HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(stalled, 'readable')
  const listener = await listen(server, '/a.bin')
  const piece = 'x'.repeat(100_000)
  let sent = '0'
  for (let i = 0; i < 120; i++) {
    publisher.data(piece)
    sent += piece
    await listener.raw.until(() => listener.raw.text.length > sent.length)
  }
  await publisher.end()
  assert.equal(await listener.ended(), true)
  assert.equal(listener.body(), sent)
  const stats = await (await fetch(`${server.url}admin/stats`)).text()
  assert.doesNotMatch(stats, /<listeners>[1-9]/)
})

test(
  'with --slow skip a listener that was too slow goes on at a frame near the newest',
  { skip: missing('ffmpeg') },
  async (t) => {
    const file = await frames(t)
    const server = await radio(
      t,
      '--live',
      '/a.mp3,slow=skip,max-client-lag=64k',
      '--rc',
      '--rc-no-auth',
      '--rc-addr',
      ':0',
    )
    const publisher = await publish(server, '/a.mp3')
    publisher.data(file.toString('latin1'))
    const slow = connect({ port: server.port, host: '127.0.0.1' })
    t.after(() => slow.destroy())
    slow.write('GET /a.mp3 HTTP/1.0\r\n\r\n')
    await once(slow, 'readable')
    const skipped = async () => {
      const stats = await (await fetch(`${server.url}admin/stats?mount=/a.mp3`)).text()
      return Number(/<slow_listeners>(\d+)</.exec(stats)?.[1])
    }
    for (let i = 0; i < 400 && (await skipped()) === 0; i++) publisher.data(file.toString('latin1'))
    assert.notEqual(await skipped(), 0)
    const heard: Buffer[] = []
    slow.on('data', (chunk: Buffer) => heard.push(chunk))
    await publisher.end()
    await once(slow, 'end')
    const body = Buffer.concat(heard)
    assert.equal(brokenFrames(body.subarray(body.indexOf('\r\n\r\n') + 4)), 0)
  },
)

test('a client of HTTP/1.0 gets bytes without chunks, and a reset when the publisher breaks off', async (t) => {
  const server = await radio(t, '--live', '/live.mp3')
  const publisher = await publish(server, '/live.mp3')
  publisher.data('sound')
  const socket = connect(server.port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  socket.write('GET /live.mp3 HTTP/1.0\r\n\r\n')
  while (!text.endsWith('\r\n\r\nsound')) await once(socket, 'data')
  assert.match(text, /expires: Mon, 26 Jul 1997/i)
  assert.doesNotMatch(text, /transfer-encoding/i)
  publisher.raw.socket.resetAndDestroy()
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
})

test(
  'over TLS, with HTTP/2 and without: what is published by any is heard by all',
  { skip: missing('openssl', 'curl') },
  async (t) => {
    const dir = scratch(t)
    const { cert, key } = certificate(dir, 'localhost')
    const tls = ['--cert', cert, '--key', key]
    const server = await radio(t, '--live', '/live.mp3,hold', '--live', '/two.mp3,hold', ...tls)
    const source = new Raw(server.port, {}).send('SOURCE /live.mp3 HTTP/1.0\r\n\r\nsound')
    // The publisher holds: whoever is early asks again until the mount is there.
    const listen = async (mount: string, ...args: readonly string[]) => {
      for (let tries = 0; ; tries++) {
        const listener = await run('curl', ['-skf', '--max-time', '10', ...args, server.url + mount])
        if (listener.code === 0 || tries > 50) return listener
      }
    }
    const heard = listen('live.mp3', '--http2', '-w', ' %{http_version}')
    while (!(await run('curl', ['-sk', `${server.url}status-json.xsl`])).stdout.includes('"listeners":1'));
    source.socket.end()
    assert.deepEqual(await heard, { code: 0, stdout: 'sound 2', stderr: '' })
    const upload = run('curl', ['-sk', '--http2', '--max-time', '10', '-T', '-', `${server.url}two.mp3`], {
      stdin: 'over h2',
    })
    const listener = await listen('two.mp3', '--http1.1')
    assert.equal(listener.stdout, 'over h2')
    assert.match((await upload).stdout, /7 bytes taken/)
  },
)

test(
  'wherever a publisher is killed, its listeners are cut off and the next one is heard',
  { skip: missing('ffmpeg') },
  async (t) => {
    const file = await sound(t, 'x.mp3')
    const server = await radio(t, '--live', '/live.mp3')
    for (const ms of [0, 7, 40, 130]) {
      const target = `http://127.0.0.1:${server.port}/live.mp3`
      const ffmpeg = looped(t, file, ['-method', 'PUT', target])
      let response = await fetch(`${server.url}live.mp3`)
      while (response.status !== 200) response = await fetch(`${server.url}live.mp3`)
      const body = response.arrayBuffer()
      setTimeout(() => ffmpeg.kill('SIGKILL'), ms)
      await assert.rejects(body)
      while ((await fetch(`${server.url}live.mp3`)).status !== 404);
    }
  },
)

test('a chunked upload of a playlist is told to go on at once, one of a film, or with --early-continue=false, is not', async (t) => {
  const dir = scratch(t)
  for (const [args, name, told] of [
    [[], 'a.m3u8', true],
    [[], 'a.mp4', false],
    [['--early-continue=false'], 'a.m3u8', false],
  ] as const) {
    const server = await serve(t, ['serve', 'http', dir, '--write', dir, ...args])
    const raw = new Raw(server.port).send(`PUT /${name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
    if (told) await raw.until((text) => text.startsWith('HTTP/1.1 100 Continue'))
    raw.send('1\r\nx\r\n0\r\n\r\n')
    assert.equal(/100 Continue/.test(await raw.until((text) => / 20[14] /.test(text))), told)
    await server.stop()
  }
})

test('the time for a request ends all but those to live mounts', async (t) => {
  const dir = scratch(t)
  const args = ['serve', 'http', dir, '--write', dir, '--live', '/a.mp3', '--server-read-timeout', '400ms']
  const server = await serve(t, args)
  const publisher = await publish(server, '/a.mp3')
  const upload = new Raw(server.port).send('PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1')
  assert.match(await upload.end(), /^HTTP\/1\.1 408 /)
  publisher.data('still there')
  await (await listen(server, '/a.mp3')).heard('still there')
})
