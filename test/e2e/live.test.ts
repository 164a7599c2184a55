import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Raw } from '../../src/http/testing-sockets.ts'
import { find, missing } from '../peers.ts'
import { run, scratch, serve, type Server } from '../program.ts'
import { freePort, web } from '../web.ts'

/** A server with live mounts, over an empty folder. */
function radio(t: TestContext, ...args: readonly string[]): Promise<Server> {
  return serve(t, ['serve', 'http', scratch(t), ...args])
}

/** A publisher that speaks byte by byte; `data` sends a chunk. */
async function publish(server: Server, path: string, ...headers: readonly string[]) {
  const raw = new Raw(server.port)
  raw.send([`PUT ${path} HTTP/1.1`, 'Host: x', 'Transfer-Encoding: chunked', ...headers, '', ''].join('\r\n'))
  await raw.until((text) => text.includes('100 Continue'))
  return {
    raw,
    data: (text: string) => raw.send(`${text.length.toString(16)}\r\n${text}\r\n`),
    end: () => raw.send('0\r\n\r\n').until((text) => / 200 OK/.test(text)),
  }
}

/** A listener; `until` waits for what it has heard to fit. */
async function listen(server: Server, path: string, ...headers: readonly string[]) {
  const raw = new Raw(server.port).send([`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n'))
  await raw.until((text) => text.includes('\r\n\r\n'))
  const body = () => unchunked(raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4))
  return {
    raw,
    head: raw.text.slice(0, raw.text.indexOf('\r\n\r\n')).toLowerCase(),
    body: () => body().text,
    heard: (text: string) => raw.until(() => body().text.includes(text)),
    /** True when the body had its end. */
    ended: async () => {
      await raw.end()
      return body().complete
    },
  }
}

function unchunked(coded: string): { text: string; complete: boolean } {
  let text = ''
  for (let at = 0; ;) {
    const line = coded.indexOf('\r\n', at)
    if (line < 0) return { text, complete: false }
    const size = Number.parseInt(coded.slice(at, line), 16)
    if (size === 0) return { text, complete: true }
    text += coded.slice(line + 2, line + 2 + size)
    at = line + 4 + size
  }
}

/** A sound of some seconds, by ffmpeg. */
async function sound(t: TestContext, name: string, ...args: readonly string[]): Promise<string> {
  const file = join(scratch(t), name)
  const generator = ['-hide_banner', '-loglevel', 'error', '-f', 'lavfi', '-i', 'sine=440:d=4']
  const { code, stderr } = await run('ffmpeg', [...generator, ...args, file])
  assert.equal(code, 0, stderr)
  return file
}

/** MP3 of 320 kbit/s and nothing but frames. */
async function frames(t: TestContext): Promise<Buffer> {
  return readFileSync(await sound(t, 'x.mp3', '-b:a', '320k', '-write_xing', '0', '-id3v2_version', '0'))
}

/** How many of them do not begin where the one before ends: each is 1044 or 1045 bytes long. */
function brokenFrames(body: Buffer): number {
  let odd = 0
  for (let at = 0; at + 4 < body.length;) {
    if (body[at] !== 0xff || ((body[at + 1] as number) & 0xe0) !== 0xe0) odd++
    at += Math.floor((144 * 320_000) / 44_100) + (((body[at + 2] as number) >> 1) & 1)
  }
  return odd
}

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

test('titles come after every 16000 bytes of sound, the first block always with one, and where they belong', async (t) => {
  const server = await radio(t, '--live', '/live.mp3')
  const publisher = await publish(server, '/live.mp3', 'Content-Type: audio/mpeg')
  const tell = async (song: string) => {
    const url = `${server.url}admin/metadata?mount=/live.mp3&mode=updinfo&song=${encodeURIComponent(song)}`
    const answer = await fetch(url)
    assert.match(await answer.text(), /<return>1<\/return>/)
  }
  publisher.data('a'.repeat(16_000))
  const listener = await listen(server, '/live.mp3', 'Icy-MetaData: 1')
  assert.match(listener.head, /icy-metaint: 16000/)
  await listener.raw.until(() => listener.body().length > 16_000)
  await tell("Art - Ti'tle")
  publisher.data('b'.repeat(32_000))
  const block = (text: string) =>
    String.fromCharCode(Math.ceil(text.length / 16)) + text.padEnd(Math.ceil(text.length / 16) * 16, '\0')
  const expected =
    'a'.repeat(16_000) +
    block("StreamTitle='';") +
    'b'.repeat(16_000) +
    block("StreamTitle='Art - Ti'tle';") +
    'b'.repeat(16_000) +
    '\0'
  await listener.raw.until(() => listener.body().length >= expected.length)
  assert.equal(listener.body(), expected)
})

test('status-json.xsl has no source, one object, or a list', async (t) => {
  const server = await radio(t, '--live', '/a.mp3,name=First', '--live', '/b.mp3')
  const status = async () => {
    const { icestats } = (await (await fetch(`${server.url}status-json.xsl`)).json()) as {
      icestats: { source?: { listenurl: string; server_name: string }[] & { listenurl: string; server_name: string } }
    }
    return icestats.source
  }
  assert.equal(await status(), undefined)
  const a = await publish(server, '/a.mp3')
  a.data('x')
  assert.deepEqual([(await status())?.listenurl, (await status())?.server_name], [`${server.url}a.mp3`, 'First'])
  const b = await publish(server, '/b.mp3')
  b.data('x')
  assert.deepEqual(
    (await status())?.map((source) => source.listenurl),
    [`${server.url}a.mp3`, `${server.url}b.mp3`],
  )
  assert.equal(await (await fetch(`${server.url}a.mp3.m3u`)).text(), `${server.url}a.mp3\r\n`)
})

test('the pages of the administration list and end listeners, but not for pages of other sites', async (t) => {
  const server = await radio(t, '--live', '/a.mp3')
  const publisher = await publish(server, '/a.mp3')
  publisher.data('x')
  const listener = await listen(server, '/a.mp3', 'User-Agent: <Ear>')
  const clients = await (await fetch(`${server.url}admin/listclients?mount=/a.mp3`)).text()
  const id = /<ID>(\d+)<\/ID>/.exec(clients)?.[1]
  assert.match(clients, /&lt;Ear&gt;/)
  const kill = `${server.url}admin/killclient?mount=/a.mp3&id=${id}`
  assert.equal((await fetch(kill, { headers: { origin: 'https://evil.example' } })).status, 403)
  assert.equal((await fetch(kill, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
  assert.equal((await fetch(kill)).status, 200)
  assert.equal(await listener.ended(), false)
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
  'with --hold a reader gets every byte of what is piped in, and a clean end',
  { skip: missing('ffmpeg') },
  async (t) => {
    const file = await sound(t, 'x.mp3')
    const child = spawn(
      'sh',
      ['-c', `cat ${file} | ${process.execPath} bin/sluice.js live /live.mp3 --hold --from - --addr 127.0.0.1:0`],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    t.after(() => child.kill())
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
    while (!log.includes('listen at ')) await once(child.stderr, 'data')
    const [, url = ''] = /listen at (\S+)/.exec(log) ?? []
    assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), readFileSync(file))
    if (child.exitCode === null) await once(child, 'exit')
    assert.equal(child.exitCode, 0, log)
  },
)

test('another server is passed on while somebody listens, with its titles', async (t) => {
  let open = 0
  let hangUp = () => {}
  const left = new Promise<void>((resolve) => (hangUp = resolve))
  const upstream = await web(t, (req, res) => {
    open++
    res.on('close', () => hangUp())
    assert.equal(req.headers['icy-metadata'], '1')
    res.writeHead(200, { 'content-type': 'audio/mpeg', 'icy-metaint': '4', 'icy-name': 'Up' })
    res.write("abcd\x01StreamTitle='';\0efgh\0ijkl")
  })
  const server = await radio(t, '--live', `/r.mp3=${upstream}x,linger=0s`)
  assert.equal(open, 0)
  const listener = await listen(server, '/r.mp3')
  assert.match(listener.head, /icy-name: up/)
  await listener.heard('abcdefghijkl')
  assert.equal(open, 1)
  listener.raw.socket.destroy()
  await left
})

for (const [name, args] of [
  ['icecast://', ['-content_type', 'audio/mpeg', '-ice_name', 'Ff']],
  ['icecast:// as SOURCE', ['-content_type', 'audio/mpeg', '-ice_name', 'Ff', '-legacy_icecast', '1']],
  ['http:// without a length', ['-chunked_post', '0', '-auth_type', 'basic']],
  ['http:// with PUT', ['-method', 'PUT', '-auth_type', 'basic']],
] as const)
  test(`ffmpeg publishes by ${name}, and is heard to its end`, { skip: missing('ffmpeg') }, async (t) => {
    const file = await sound(t, 'x.mp3')
    const server = await radio(t, '--live', '/live.mp3,hold', '--user', 'source', '--pass', 'x')
    const scheme = name.startsWith('icecast') ? 'icecast' : 'http'
    const target = `${scheme}://source:x@127.0.0.1:${server.port}/live.mp3`
    const sent = run('ffmpeg', [
      '-hide_banner',
      '-loglevel',
      'error',
      '-i',
      file,
      '-c',
      'copy',
      '-f',
      'mp3',
      ...args,
      target,
    ])
    await server.logged(/listening|PUT|./)
    const authorization = `Basic ${btoa('source:x')}`
    let response = await fetch(`${server.url}live.mp3`, { headers: { authorization } })
    while (response.status === 404) response = await fetch(`${server.url}live.mp3`, { headers: { authorization } })
    const bytes = Buffer.from(await response.arrayBuffer())
    assert.equal((await sent).code, 0)
    // ffmpeg writes a header of its own and the same frames.
    assert.deepEqual(bytes.subarray(-20_000), readFileSync(file).subarray(-20_000))
  })

for (const login of [true, false])
  test(`libshout publishes, ${login ? 'with' : 'without'} a login`, { skip: missing('shout', 'ffmpeg') }, async (t) => {
    const file = await sound(t, 'x.ogg', '-c:a', 'libvorbis')
    const server = await radio(t, '--live', '/live.ogg,hold', ...(login ? ['--user', 'source', '--pass', 'x'] : []))
    const args = ['--host', '127.0.0.1', '--port', String(server.port), '--user', 'source', '--pass', 'x']
    const shout = spawn('shout', [...args, '--mount', '/live.ogg', '--format', 'ogg'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    t.after(() => shout.kill())
    shout.stdin.end(readFileSync(file))
    const headers = { authorization: `Basic ${btoa('source:x')}` }
    let response = await fetch(`${server.url}live.ogg`, { headers })
    while (response.status === 404) response = await fetch(`${server.url}live.ogg`, { headers })
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), readFileSync(file))
  })

test('the remote control lists, adds, names and ends what is live, and metrics count it', async (t) => {
  const rc = ['--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0', '--rc-enable-metrics']
  const server = await radio(t, '--live', '/a.mp3,name=A', ...rc)
  const [, control = ''] = /Serving remote control on (\S+)/.exec(server.log()) ?? []
  const call = async (method: string, input: object = {}) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(control + method, { method: 'POST', headers, body: JSON.stringify(input) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const events = await fetch(`${control}events?types=live`)
  const publisher = await publish(server, '/a.mp3', 'Content-Type: audio/mpeg')
  publisher.data('x')
  const listener = await listen(server, '/a.mp3', 'User-Agent: ear')
  assert.equal((await call('live/metadata', { mount: '/a.mp3', title: 'Song' })).status, 200)
  const [mount] = (await call('live/list')).body.list as Record<string, unknown>[]
  assert.deepEqual(
    [mount?.mount, mount?.listeners, mount?.title, mount?.source, mount?.station],
    ['/a.mp3', 1, 'Song', 'publisher', { name: 'A' }],
  )
  const [who] = (await call('live/listeners', { mount: '/a.mp3' })).body.listeners as { id: number; agent: string }[]
  assert.equal(who?.agent, 'ear')
  assert.match(
    await (await fetch(`${control}metrics`)).text(),
    /sluice_live_listeners\{server="[^"]+",mount="\/a\.mp3"\} 1\n/,
  )
  assert.equal((await call('live/kick', { mount: '/a.mp3', id: who?.id })).status, 200)
  assert.equal(await listener.ended(), false)
  assert.equal((await call('live/start', { mount: '/b.mp3=exec:id' })).status, 403)
  assert.deepEqual((await call('live/start', { mount: '/b.mp3' })).body, { mount: '/b.mp3' })
  const added = await publish(server, '/b.mp3')
  added.data('y')
  assert.equal((await call('live/stop', { mount: '/b.mp3' })).status, 200)
  await added.raw.end()
  assert.equal((await call('live/stop', { mount: '/b.mp3' })).status, 404)
  const reader = (events.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  while (!text.includes('"left"')) text += Buffer.from((await reader.read()).value ?? []).toString()
  assert.match(text, /event: live\ndata: .*"mount":"\/a.mp3","what":"published"/)
  await reader.cancel()
})

test('a program is run again when it fails, and its listeners stay with --reopen', async (t) => {
  const server = await radio(t, '--live', '/a.txt="exec:echo run; sleep 0.2; false",reopen')
  const listener = await listen(server, '/a.txt')
  await listener.heard('run\nrun\n')
  assert.match(server.log(), /the source failed: .*ended with status 1/)
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
    const made = await run('openssl', [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'.split(' '),
      '-keyout',
      join(dir, 'k.pem'),
      '-out',
      join(dir, 'c.pem'),
    ])
    assert.equal(made.code, 0, made.stderr)
    const tls = ['--cert', join(dir, 'c.pem'), '--key', join(dir, 'k.pem')]
    const server = await radio(t, '--live', '/live.mp3,hold', '--live', '/two.mp3,hold', ...tls)
    const source = new Raw(server.port, {}).send('SOURCE /live.mp3 HTTP/1.0\r\n\r\nsound')
    const url = `${server.url}live.mp3`
    const heard = run('curl', [
      '-sk',
      '--http2',
      '--max-time',
      '10',
      '-w',
      ' %{http_version}',
      '--retry',
      '20',
      '--retry-delay',
      '1',
      '-f',
      url,
    ])
    await source.until((text) => text.includes('200 OK'), 10_000).catch(() => '')
    source.socket.end()
    assert.deepEqual(await heard, { code: 0, stdout: 'sound 2', stderr: '' })
    const upload = run('curl', ['-sk', '--http2', '--max-time', '10', '-T', '-', `${server.url}two.mp3`], {
      stdin: 'over h2',
    })
    const listener = await run('curl', [
      '-sk',
      '--http1.1',
      '--max-time',
      '10',
      '--retry',
      '20',
      '-f',
      `${server.url}two.mp3`,
    ])
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
      const ffmpeg = spawn('ffmpeg', [
        '-loglevel',
        'quiet',
        '-re',
        '-stream_loop',
        '-1',
        '-i',
        file,
        '-c',
        'copy',
        '-f',
        'mp3',
        '-method',
        'PUT',
        target,
      ])
      t.after(() => ffmpeg.kill('SIGKILL'))
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

test(
  'a mount of a real Icecast is passed on with its titles',
  { skip: missing('icecast2', 'ffmpeg', 'curl') },
  async (t) => {
    const [dir, port] = [scratch(t), await freePort()]
    chmodSync(dir, 0o777)
    writeFileSync(
      join(dir, 'icecast.xml'),
      `<icecast><authentication><source-password>x</source-password><admin-user>admin</admin-user><admin-password>x</admin-password></authentication>
     <hostname>localhost</hostname><listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
     <paths><basedir>/usr/share/icecast2</basedir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>
     <logging><accesslog>-</accesslog><errorlog>-</errorlog></logging>
     <security><changeowner><user>nobody</user><group>nogroup</group></changeowner></security></icecast>`,
    )
    const icecast = spawn(find('icecast2') ?? '', ['-c', join(dir, 'icecast.xml')], { stdio: 'ignore' })
    t.after(() => icecast.kill())
    const file = await sound(t, 'x.mp3')
    const at = `127.0.0.1:${port}`
    while (!(await fetch(`http://${at}/`).catch(() => undefined)));
    const target = `icecast://source:x@${at}/a.mp3`
    const ffmpeg = spawn('ffmpeg', [
      '-loglevel',
      'quiet',
      '-re',
      '-stream_loop',
      '-1',
      '-i',
      file,
      '-c',
      'copy',
      '-f',
      'mp3',
      '-content_type',
      'audio/mpeg',
      '-ice_name',
      'Ice',
      target,
    ])
    t.after(() => ffmpeg.kill('SIGKILL'))
    const title = `http://${at}/admin/metadata?mount=/a.mp3&mode=updinfo&song=Real&charset=UTF-8`
    const headers = { authorization: `Basic ${btoa('source:x')}` }
    while (!/successful/.test(await (await fetch(title, { headers })).text()));
    const server = await radio(t, '--live', `/r.mp3=http://${at}/a.mp3`)
    const listener = await listen(server, '/r.mp3', 'Icy-MetaData: 1')
    assert.match(listener.head, /icy-name: ice\r\n/)
    await listener.raw.until(() => listener.body().includes("StreamTitle='Real';"), 12_000)
  },
)

test('programs that write to a named pipe come and go, and what they write is one stream', async (t) => {
  const pipe = join(scratch(t), 'pipe')
  assert.equal((await run('mkfifo', [pipe])).code, 0)
  const server = await radio(t, '--live', `/p.txt=${pipe}`)
  const listener = await listen(server, '/p.txt')
  for (const word of ['one ', 'two']) assert.equal((await run('sh', ['-c', `printf '${word}' > ${pipe}`])).code, 0)
  await listener.heard('one two')
})

test('a file plays at its own pace, again and again', { skip: missing('ffmpeg') }, async (t) => {
  const file = await sound(t, 'x.mp3', '-t', '1')
  const server = await radio(t, '--live', `/f.mp3=${file},loop,pace`)
  const began = performance.now()
  const listener = await listen(server, '/f.mp3')
  const { length } = readFileSync(file)
  await listener.raw.until((text) => text.length > length * 2, 10_000)
  const seconds = (performance.now() - began) / 1000
  assert.ok(seconds > 0.9 && seconds < 4, `${seconds} s`)
  assert.match(listener.head, /content-type: audio\/mpeg/)
})

test(
  'over to a fallback and back again frame follows frame, wherever the publisher broke off',
  { skip: missing('ffmpeg') },
  async (t) => {
    const file = await frames(t)
    const server = await radio(t, '--live', '/a.mp3,fallback=/b.mp3', '--live', '/b.mp3')
    const [main, other] = [await publish(server, '/a.mp3'), await publish(server, '/b.mp3')]
    other.data(file.toString('latin1', 0, 7000))
    main.data(file.toString('latin1', 0, 10_500))
    const listener = await listen(server, '/a.mp3')
    await listener.raw.until(() => listener.body().length > 9000)
    main.raw.socket.resetAndDestroy()
    while (/a\.mp3/.test(await (await fetch(`${server.url}status-json.xsl`)).text()));
    other.data(file.toString('latin1', 7000, 30_100))
    await listener.raw.until(() => listener.body().length > 25_000)
    const back = await publish(server, '/a.mp3')
    back.data(file.toString('latin1', 0, 10_500))
    await listener.raw.until(() => listener.body().length > 35_000)
    assert.equal(brokenFrames(Buffer.from(listener.body(), 'latin1')), 0)
  },
)

test("Shoutcast's way to name what is played has its password in the query, and no log shows it", async (t) => {
  const server = await radio(t, '--live', '/a.mp3,open', '--user', 'source', '--pass', 'hidden', '-vv')
  const login = `Authorization: Basic ${btoa('source:hidden')}`
  const publisher = await publish(server, '/a.mp3', login)
  publisher.data('x')
  const named = (pass: string) => fetch(`${server.url}admin.cgi?mode=updinfo&pass=${pass}&song=%C4pfel`)
  assert.equal((await named('wrong')).status, 401)
  assert.equal((await named('hidden')).status, 200)
  const { icestats } = (await (await fetch(`${server.url}status-json.xsl`)).json()) as {
    icestats: { source: { title: string } }
  }
  assert.equal(icestats.source.title, 'Äpfel')
  await server.logged(/pass=\*\*\*&song/)
  assert.doesNotMatch(server.log(), /hidden/)
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
