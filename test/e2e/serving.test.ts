import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { missing } from '../peers.ts'
import { files, run, scratch, serve, sluice } from '../program.ts'

test('a changed file is never served stale, however fast it changes', async (t) => {
  const dir = scratch(t)
  const path = join(dir, 'f.txt')
  writeFileSync(path, 'start')
  const server = await serve(t, ['serve', 'http', dir])
  for (let i = 0; i < 200; i++) {
    const text = `content ${i % 10}`
    writeFileSync(path, text)
    const response = await fetch(new URL('f.txt', server.url))
    assert.equal(await response.text(), text, `change ${i}`)
  }
})

test('a file replaced by one of the same size and time has another ETag', async (t) => {
  const dir = scratch(t)
  const path = join(dir, 'f.txt')
  const time = new Date('2020-01-01')
  const server = await serve(t, ['serve', 'http', dir])
  const etag = async (text: string) => {
    rmSync(path, { force: true })
    writeFileSync(path, text)
    utimesSync(path, time, time)
    return (await fetch(new URL('f.txt', server.url))).headers.get('etag')
  }
  const [a, b] = [await etag('aaaa'), await etag('bbbb')]
  assert.match(a ?? '', /^"[^"]+"$/)
  assert.notEqual(a, b)
})

test('a new file shows in the listing at once', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const server = await serve(t, ['serve', 'http', dir])
  const names = async () => {
    const response = await fetch(server.url, { headers: { Accept: 'application/json' } })
    return ((await response.json()) as { name: string }[]).map(({ name }) => name)
  }
  assert.deepEqual(await names(), ['a.txt'])
  files(dir, { 'b.txt': 'b' })
  const end = Date.now() + 2000
  while ((await names()).length < 2) assert.ok(Date.now() < end, 'the new file does not show')
})

test('SIGHUP makes the listings new and the server lives on', async (t) => {
  const server = await serve(t, ['serve', 'http', scratch(t)])
  server.child.kill('SIGHUP')
  await server.logged(/SIGHUP received/)
  assert.equal((await fetch(server.url)).status, 200)
})

test(
  'a file that is cut while it is read ends as a broken transfer, not as a short success',
  { skip: missing('curl') },
  async (t) => {
    const dir = scratch(t)
    const path = join(dir, 'big.bin')
    writeFileSync(path, Buffer.alloc(64 << 20, 'x'))
    const server = await serve(t, ['serve', 'http', dir])
    const response = await new Promise<IncomingMessage>((resolve) =>
      request(new URL('big.bin', server.url), { agent: false }, resolve).end(),
    )
    await once(response, 'readable')
    truncateSync(path, 1000)
    response.resume()
    const [error] = (await once(response, 'error')) as [Error]
    assert.match(error.message, /aborted|reset/)
    assert.equal((await fetch(new URL('big.bin', server.url))).status, 200)
  },
)

test('a large file arrives as it is at a client that stops in between, and the connection serves on', async (t) => {
  const dir = scratch(t)
  const content = randomBytes(24 << 20)
  files(dir, { 'big.bin': content, 'small.txt': 'small' })
  const log = join(scratch(t), 'access.log')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const get = async (url: URL) => {
    const asked = request(url, { agent }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const hash = createHash('sha256')
    let taken = 0
    for await (const chunk of response) {
      hash.update(chunk as Buffer)
      // Long enough for the socket to be full when it goes on.
      if (Math.floor(taken / (8 << 20)) < Math.floor((taken += (chunk as Buffer).length) / (8 << 20))) await sleep(50)
    }
    return { hash: hash.digest('hex'), reused: asked.reusedSocket }
  }
  const whole = createHash('sha256').update(content).digest('hex')
  for (const flags of [[], ['--local-no-sendfile'], ['--bwlimit', '100M']]) {
    const server = await serve(t, ['serve', 'http', dir, '--access-log', log, ...flags])
    assert.equal((await get(new URL('big.bin', server.url))).hash, whole, flags.join(' '))
    const next = await get(new URL('small.txt', server.url))
    assert.equal(next.reused, true)
    assert.equal(next.hash, createHash('sha256').update('small').digest('hex'))
    await server.stop()
    assert.match(
      readFileSync(log, 'utf8'),
      /big\.bin HTTP\/1\.1" 200 25165824 .*\n.*small\.txt HTTP\/1\.1" 200 5 [^\n]*\n$/,
    )
  }
})

test('an unreadable file is 403 and a fifo is not served', { skip: missing('setpriv', 'mkfifo') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'open.txt': 'o', 'shut.txt': 's' })
  chmodSync(join(dir, 'shut.txt'), 0)
  chmodSync(dir, 0o755)
  await run('mkfifo', [join(dir, 'fifo')])
  // Nobody is refused when root reads: give the right to read everything up.
  const child = spawn(
    'setpriv',
    [
      '--bounding-set=-dac_override,-dac_read_search',
      '--inh-caps=-dac_override,-dac_read_search',
      process.execPath,
      'bin/sluice.js',
      'serve',
      'http',
      dir,
      '--addr',
      '127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  t.after(() => child.kill('SIGKILL'))
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
  while (!/started on/.test(log)) await once(child.stderr, 'data')
  const url = /started on \[([^\]]+)/.exec(log)?.[1] ?? ''
  assert.equal((await fetch(`${url}open.txt`)).status, 200)
  assert.equal((await fetch(`${url}shut.txt`)).status, 403)
  assert.equal((await fetch(`${url}fifo`)).status, 404)
})

test('links are not followed unless asked to, and then only inside the root', async (t) => {
  const dir = scratch(t)
  const outside = scratch(t)
  files(outside, { 'secret.txt': 'secret' })
  files(dir, { 'pub/real.txt': 'real' })
  await run('ln', ['-s', 'real.txt', join(dir, 'pub/in.txt')])
  await run('ln', ['-s', join(outside, 'secret.txt'), join(dir, 'pub/out.txt')])
  const plain = await serve(t, ['serve', 'http', join(dir, 'pub')])
  for (const name of ['in.txt', 'out.txt']) assert.equal((await fetch(new URL(name, plain.url))).status, 404, name)
  const followed = await serve(t, ['serve', 'http', join(dir, 'pub'), '-L'])
  assert.equal(await (await fetch(new URL('in.txt', followed.url))).text(), 'real')
  assert.equal((await fetch(new URL('out.txt', followed.url))).status, 404)
})

test('--bwlimit holds', async (t) => {
  const dir = scratch(t)
  files(dir, { 'f.bin': Buffer.alloc(400_000) })
  const server = await serve(t, ['serve', 'http', dir, '--bwlimit', '200k'])
  const begin = performance.now()
  await (await fetch(new URL('f.bin', server.url))).arrayBuffer()
  const seconds = (performance.now() - begin) / 1000
  assert.ok(seconds > 1.5 && seconds < 3, `${seconds} s`)
})

test('running transfers end before the server does', async (t) => {
  const dir = scratch(t)
  files(dir, { 'f.bin': Buffer.alloc(300_000) })
  const server = await serve(t, ['serve', 'http', dir, '--bwlimit', '300k', '-v'])
  const response = await fetch(new URL('f.bin', server.url))
  server.child.kill('SIGTERM')
  await server.logged(/ending/)
  assert.equal((await response.arrayBuffer()).byteLength, 300_000)
  if (server.child.exitCode === null) await once(server.child, 'exit')
  assert.equal(server.child.exitCode, 0)
})

test('a second signal ends at once', async (t) => {
  const dir = scratch(t)
  files(dir, { 'f.bin': Buffer.alloc(1_000_000) })
  const server = await serve(t, ['serve', 'http', dir, '--bwlimit', '10k', '-v'])
  const response = await fetch(new URL('f.bin', server.url))
  server.child.kill('SIGTERM')
  await server.logged(/ending/)
  await new Promise((resolve) => setTimeout(resolve, 300)) // two signals within a quarter of a second are one
  server.child.kill('SIGTERM')
  await once(server.child, 'exit')
  await assert.rejects(response.arrayBuffer())
})

test('the access log has a line for each answer and no credentials', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'hello' })
  const log = join(scratch(t), 'access.log')
  const server = await serve(t, ['serve', 'http', dir, '--access-log', log, '--user', 'bob', '--pass', 'hush', '-vv'])
  const authorization = `Basic ${Buffer.from('bob:hush').toString('base64')}`
  await (
    await fetch(new URL('a.txt?x=1', server.url), { headers: { authorization, 'user-agent': 'tester\u00e9' } })
  ).text()
  await fetch(new URL('nope', server.url))
  await server.stop()
  const { stdout } = await run('cat', [log])
  assert.match(stdout, /^127\.0\.0\.1 - bob \[.*\] "GET \/a\.txt\?x=1 HTTP\/1\.1" 200 5 "-" "tester/m)
  assert.match(stdout, /"GET \/nope HTTP\/1\.1" 401/)
  assert.doesNotMatch(stdout + server.log(), /hush|Ym9iOmh1c2g/)
})

test('a full log disk does not end the server', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const probe = openSync('/dev/null', 'r')
  assert.ok(probe >= 0)
  const server = await serve(t, ['serve', 'http', dir, '--access-log', '/dev/full'])
  for (let i = 0; i < 3; i++) assert.equal((await fetch(new URL('a.txt', server.url))).status, 200)
})

test('two servers over one :memory: name see the same objects within one process only', async (t) => {
  const server = await serve(t, ['serve', 'http', ':memory:'])
  assert.equal((await fetch(server.url)).status, 200)
})

test('wrong settings end the start with a sentence', async (t) => {
  const dir = scratch(t)
  mkdirSync(join(dir, 'd'))
  files(dir, { 'bad.html': '{{range .Entries}', 'cert.pem': 'no certificate' })
  const start = (...args: string[]) => sluice(['serve', 'http', dir, '--addr', '127.0.0.1:0', ...args])
  for (const [args, sentence] of [
    [['--cert', join(dir, 'cert.pem')], /need both --cert and --key/],
    [['--cert', join(dir, 'cert.pem'), '--key', join(dir, 'cert.pem')], /cert\.pem/],
    [['--htpasswd', join(dir, 'nobody')], /password file/],
    [['--template', join(dir, 'bad.html')], /bad\.html/],
    [['--bwlimit', '25:00,1M'], /invalid hour/],
    [['--min-age', '2d', '--max-age', '1d'], /min-age/],
    [['--response-header', 'no colon'], /header/i],
    [['--user-from-header', 'X-User', '--trusted-proxies', 'x'], /network/],
  ] as const) {
    const { code, stderr } = await start(...args)
    assert.ok(code !== 0 && code !== null, args.join(' '))
    assert.match(stderr, sentence, args.join(' '))
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack')
  }
})

test('a server says what it is, or what it is told to say, or nothing', async (t) => {
  const says = async (...args: string[]) =>
    (await fetch((await serve(t, ['serve', 'http', ':memory:', ...args])).url)).headers.get('server')
  assert.match((await says()) ?? '', /^sluice\/\d/)
  assert.equal(await says('--server-name', 'Origin 7'), 'Origin 7')
  assert.equal(await says('--server-name', ''), null)
})

test('no server gives away the passwords and the configuration of the program, whichever of its servers they are for', async (t) => {
  const dir = scratch(t)
  const line = 'me:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n'
  files(dir, { 'd/users': line, 'd/rc-users': line, 'd/rclone.conf': '[a]\ntype = memory\n', 'd/shown.txt': 'x' })
  const at = (name: string) => join(dir, 'd', name)
  const rc = ['--rc', '--rc-addr', '127.0.0.1:0', '--rc-htpasswd', at('rc-users')]
  const own = ['--htpasswd', at('users'), '--config', at('rclone.conf')]
  const server = await serve(t, ['serve', 'http', join(dir, 'd'), ...rc, ...own])
  const headers = { authorization: `Basic ${btoa('me:test')}` }
  const get = (name: string) => fetch(server.url + name, { headers })
  assert.equal((await get('shown.txt')).status, 200)
  for (const name of ['users', 'rc-users', 'rclone.conf']) assert.equal((await get(name)).status, 404, name)
  assert.doesNotMatch(await (await get('')).text(), /users|rclone\.conf/)
})

test('links and folders laid over each other lead to no secret of the program', async (t) => {
  const dir = scratch(t)
  const line = 'me:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n'
  const conf = `[both]\ntype = union\nupstreams = ${dir}/d/private ${dir}/d/sub\n`
  files(dir, { 'd/private/users': line, 'd/private/rclone.conf': conf, 'd/sub/shown.txt': 'x', 'conf/users': line })
  symlinkSync('../private/users', join(dir, 'd/sub/link'))
  symlinkSync('../private', join(dir, 'd/sub/folder'))
  symlinkSync(join(dir, 'conf/users'), join(dir, 'd/sub/far'))
  symlinkSync('shown.txt', join(dir, 'd/sub/good'))
  const headers = { authorization: `Basic ${btoa('me:test')}` }
  const logins = ['--config', join(dir, 'd/private/rclone.conf'), '-L', '--copy-links-outside']
  const near = ['link', 'folder/users', 'folder/rclone.conf']
  for (const [remote, prefix, users, secrets] of [
    [join(dir, 'd'), 'sub/', 'd/private/users', near],
    [join(dir, 'd'), 'sub/', 'conf/users', ['far', 'folder/rclone.conf']],
    ['both:', '', 'd/private/users', near],
  ] as const) {
    const server = await serve(t, [
      'serve',
      'http',
      remote,
      '--write',
      remote,
      '--htpasswd',
      join(dir, users),
      ...logins,
    ])
    const ask = (name: string, init = {}) => fetch(server.url + prefix + name, { headers, ...init })
    const listed = (await (await ask('')).text()) + (await (await ask('folder/')).text())
    // Twice: the second time it may be remembered.
    for (const name of [...secrets, ...secrets]) {
      assert.equal((await ask(name)).status, 404, name)
      assert.ok(!listed.includes(`"${name.split('/').at(-1)}"`), name)
      assert.equal((await ask(name, { method: 'PUT', body: 'x' })).status, 403, name)
    }
    assert.equal(await (await ask('good')).text(), 'x')
    // The file is replaced, as an editor does it.
    writeFileSync(join(dir, 'new'), line)
    renameSync(join(dir, 'new'), join(dir, users))
    for (const name of secrets) assert.equal((await ask(name)).status, 404, name)
  }
})
