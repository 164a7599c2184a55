import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Raw } from '../../src/http/testing-sockets.ts'
import { find, missing } from '../peers.ts'
import { run, scratch, sluice } from '../program.ts'
import { brokenFrames, frames, listen, looped, publish, radio, sound } from '../radio.ts'
import { freePort, web } from '../web.ts'

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
    // In real time: a publisher that has sent all and left before somebody listens has nothing more to hold.
    const sent = run('ffmpeg', [
      '-hide_banner',
      '-loglevel',
      'error',
      '-re',
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

test('publishers of Shoutcast say the password and are told that it is right, and then send', async (t) => {
  const args = ['--live', '/live.mp3,open', '--shoutcast', '127.0.0.1:0', '--user', 'source', '--pass', 'x']
  const server = await radio(t, ...args)
  const [, port = ''] = /publishers of Shoutcast for \/live\.mp3 on port (\d+)/.exec(server.log()) ?? []
  const wrong = new Raw(Number(port)).send('y\r\n')
  assert.equal(await wrong.end(), 'invalid password\r\n')
  const publisher = new Raw(Number(port)).send('x\r\n')
  await publisher.until((text) => text.startsWith('OK2\r\n') && text.endsWith('\r\n\r\n'))
  publisher.send('icy-name:One\r\nicy-br:128\r\ncontent-type:audio/mpeg\r\n\r\nsound')
  while ((await fetch(`${server.url}live.mp3`, { method: 'HEAD' })).status === 404);
  const listener = await listen(server, '/live.mp3')
  assert.match(listener.head, /content-type: audio\/mpeg\r\n[^]*icy-name: one\r\n[^]*icy-br: 128/)
  await listener.heard('sound')
  const second = new Raw(Number(port)).send('x\n')
  await second.until((text) => text.startsWith('OK2'))
  assert.match(await second.send('icy-name:Two\n\nnoise').end(), /^OK2\r\n[^]*\r\n\r\n$/)
  publisher.send(' and more').socket.end()
  assert.ok(await listener.ended())
  assert.equal(listener.body(), 'sound and more')
})

test('--shoutcast has to name a mount that is there', async () => {
  const { code, stderr } = await sluice(['live', '/live.mp3', '--shoutcast', ':0=/other.mp3', '--addr', '127.0.0.1:0'])
  assert.equal(code, 2)
  assert.match(stderr, /name one of the mounts of --live, such as :0=\/live\.mp3/)
})

test('a program is run again when it fails, and its listeners stay with --reopen', async (t) => {
  const server = await radio(t, '--live', '/a.txt="exec:echo run; sleep 0.2; false",reopen')
  const listener = await listen(server, '/a.txt')
  await listener.heard('run\nrun\n')
  assert.match(server.log(), /the source failed: .*ended with status 1/)
})

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
    looped(t, file, ['-content_type', 'audio/mpeg', '-ice_name', 'Ice', target])
    const title = `http://${at}/admin/metadata?mount=/a.mp3&mode=updinfo&song=Real&charset=UTF-8`
    const headers = { authorization: `Basic ${btoa('source:x')}` }
    while (!/successful/.test(await (await fetch(title, { headers })).text()));
    const server = await radio(t, '--live', `/r.mp3=http://${at}/a.mp3`)
    const listener = await listen(server, '/r.mp3', 'Icy-MetaData: 1')
    assert.match(listener.head, /icy-name: ice\r\n/)
    await listener.raw.until(() => listener.body().includes("StreamTitle='Real';"), 12_000)
  },
)
