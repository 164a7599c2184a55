import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { files, rcd, type Rcd, scratch } from '../program.ts'

const basic = (user: string, pass: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`,
})

/** A folder with some files, and a server that may serve it. */
async function started(t: TestContext, args: readonly string[] = ['--rc-no-auth']) {
  const dir = scratch(t)
  files(dir, {
    'pub/file.txt': 'this is file.txt\n',
    'pub/dir/inner name.txt': 'inner',
    'pub/page.html': '<script>document.title = 1</script>',
    'pub/pic.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'pub/photo.jpg': 'not really',
    'pub/sw.js': 'self.x = 1',
    'rclone.conf': `[pub]\ntype = alias\nremote = ${dir}/pub\n\n[home]\ntype = alias\nremote = ${dir}\n`,
  })
  const server = await rcd(t, ['--config', join(dir, 'rclone.conf'), ...args])
  return { dir, server, get: getter(server) }
}

function getter(server: Rcd) {
  return (path: string, init: RequestInit = {}) =>
    fetch(server.url + path, { redirect: 'manual', headers: { connection: 'close' }, ...init })
}

async function start(server: Rcd, input: object): Promise<{ id: string; addr: string }> {
  const { status, body } = await server.call('serve/start', { type: 'http', addr: '127.0.0.1:0', ...input })
  assert.equal(status, 200, JSON.stringify(body))
  return body as { id: string; addr: string }
}

test('a server that a call starts serves, is listed with its parameters, and stops', async (t) => {
  const { dir, server } = await started(t)
  const { id, addr } = await start(server, { fs: 'pub:', dir_cache_time: '10s', pass: 'pw-secret', user: 'me' })
  assert.match(id, /^http-[0-9a-f]{8}$/)
  assert.equal((await fetch(`http://${addr}/file.txt`)).status, 401)
  assert.equal((await fetch(`http://${addr}/file.txt`, { headers: basic('me', 'pw-secret') })).status, 200)
  const { body } = await server.call('serve/list')
  const params = {
    addr: '127.0.0.1:0',
    dir_cache_time: '10s',
    fs: 'pub:',
    pass: '*** redacted ***',
    type: 'http',
    user: 'me',
  }
  assert.deepEqual(body, { list: [{ addr, id, params }] })
  assert.deepEqual((await server.call('serve/stop', { id })).body, {})
  await assert.rejects(fetch(`http://${addr}/file.txt`))
  const again = await server.call('serve/stop', { id })
  assert.equal(again.status, 500)
  assert.equal(again.body.error, `server with id="${id}" not found`)
  assert.deepEqual((await server.call('serve/list')).body, { list: [] })
  assert.doesNotMatch(server.log(), /pw-secret/)
  assert.ok(dir)
})

test('the options of a started server have the names of flags, of rclone and of its older releases', async (t) => {
  const { server } = await started(t)
  const spellings: readonly object[] = [
    { opt: { Auth: { BasicUser: 'u', BasicPass: 'p' }, HTTP: { BaseURL: '/x' } } },
    { opt: { BasicUser: 'u', BasicPass: 'p', BaseURL: '/x' } },
    { opt: { user: 'u', pass: 'p', baseurl: '/x' }, vfsOpt: { CacheMode: 0, DirCacheTime: '5s', read_only: true } },
    { opt: '{"user":"u","pass":"p"}', baseurl: '/x', proxyOpt: { AuthProxy: '' } },
  ]
  for (const more of spellings) {
    const { addr } = await start(server, { fs: 'pub:', ...more })
    assert.equal((await fetch(`http://${addr}/x/file.txt`)).status, 401, JSON.stringify(more))
    assert.equal((await fetch(`http://${addr}/x/file.txt`, { headers: basic('u', 'p') })).status, 200)
  }
})

test('what a started server does not know, or may not run, is refused', async (t) => {
  const { server } = await started(t)
  const failures: readonly (readonly [input: object, status: number, error: RegExp])[] = [
    [{ type: 'http', fs: 'pub:', zz: 1, opt: { aa: 2 } }, 400, /^unknown parameters: aa, zz$/],
    [{ type: 'ftp', fs: 'pub:' }, 500, /^could not find serve type="ftp"$/],
    [{ fs: 'pub:' }, 400, /^Didn't find key "type" in input$/],
    [{ type: 'http' }, 400, /^Didn't find key "fs" in input$/],
    [{ type: 'http', fs: 'nope:' }, 500, /^could not start serve "http": didn't find section in config file/],
    [{ type: 'http', fs: 'pub:', dir_cache_time: 'soon' }, 400, /^dir_cache_time: /],
    [{ type: 'http', fs: 'pub:', auth_proxy: 'touch /tmp/x' }, 403, /it runs a program/],
    [{ type: 'http', fs: 'pub:', proxyOpt: { AuthProxy: 'touch /tmp/x' } }, 403, /it runs a program/],
    [{ type: 'http', fs: 'pub:', user: 'only' }, 500, /^could not start serve "http": --user needs --pass/],
  ]
  for (const [input, status, error] of failures) {
    const answer = await server.call('serve/start', { addr: '127.0.0.1:0', ...input })
    assert.equal(answer.status, status, JSON.stringify(input))
    assert.match(String(answer.body.error), error)
  }
  assert.deepEqual((await server.call('serve/list')).body, { list: [] })
})

test('a web interface starts a server on any port for its downloads, and pages of any origin may read it', async (t) => {
  const { server } = await started(t)
  const { addr } = await start(server, { fs: 'pub:', addr: ':0', allow_origin: '*' })
  const [, port] = /^\[::\]:(\d+)$/.exec(addr) ?? assert.fail(addr)
  const response = await fetch(`http://127.0.0.1:${port}/file.txt`, { headers: { origin: 'http://gui.example' } })
  assert.equal(response.headers.get('access-control-allow-origin'), '*')
  assert.equal(await response.text(), 'this is file.txt\n')
})

test('filter and options of the call hold for the server it starts', async (t) => {
  const { server } = await started(t)
  const { addr } = await start(server, { fs: 'pub:', _filter: { IncludeRule: ['*.txt'] } })
  assert.equal((await fetch(`http://${addr}/file.txt`)).status, 200)
  assert.equal((await fetch(`http://${addr}/page.html`)).status, 404)
})

test('the program ends in order while a server that a call started has a client', async (t) => {
  const { server } = await started(t)
  const { addr } = await start(server, { fs: 'pub:' })
  const socket = connect(Number(addr.split(':').at(-1)), '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  assert.equal(await server.stop('SIGTERM'), 0)
})

test('objects of remotes are served with ranges, conditions and compression', async (t) => {
  const { dir, get } = await started(t, ['--rc-no-auth', '--rc-serve'])
  for (const path of [
    '[pub:]/file.txt',
    '[pub:]file.txt',
    '%5Bpub:%5D/file.txt',
    `[${dir}/pub]/file.txt`,
    `[:local:${dir}/pub]/file.txt`,
  ]) {
    const response = await get(path)
    assert.equal(response.status, 200, path)
    assert.equal(await response.text(), 'this is file.txt\n')
    assert.equal(response.headers.get('accept-ranges'), 'bytes')
  }
  const whole = await get('[pub:]/file.txt')
  const etag = whole.headers.get('etag') ?? assert.fail('no entity tag')
  assert.ok(whole.headers.get('last-modified'))
  assert.equal((await get('[pub:]/file.txt', { headers: { 'if-none-match': etag } })).status, 304)
  const part = await get('[pub:]/file.txt', { headers: { range: 'bytes=8-11' } })
  assert.deepEqual([part.status, await part.text()], [206, 'file'])
  const suffix = await get('[pub:]/file.txt', { headers: { range: 'bytes=-100' } })
  assert.deepEqual([suffix.status, await suffix.text()], [206, 'this is file.txt\n'])
  assert.equal((await get('[pub:]/file.txt', { headers: { range: 'bytes=100-' } })).status, 416)
  const head = await get('[pub:dir]/inner%20name.txt', { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, '5'])
})

test('directories of remotes are listed as pages, JSON and zips', async (t) => {
  const { get } = await started(t, ['--rc-no-auth', '--rc-serve'])
  const page = await (await get('[pub:]/')).text()
  assert.ok(page.indexOf('href="dir/"') < page.indexOf('href="file.txt"'), 'directories come first')
  assert.match(await (await get('[pub:]')).text(), /href="file\.txt"/)
  const json = (await (await get('[pub:dir]/', { headers: { accept: 'application/json' } })).json()) as object[]
  assert.partialDeepStrictEqual(json, [{ name: 'inner name.txt', isDir: false, size: 5 }])
  const zip = await get('[pub:]/?download=zip')
  assert.equal(zip.headers.get('content-type'), 'application/zip')
  assert.equal(
    Buffer.from(await zip.arrayBuffer())
      .subarray(0, 2)
      .toString(),
    'PK',
  )
  const redirect = await get('[pub:]/dir?sort=size')
  assert.equal(redirect.status, 308)
  const at = new URL(redirect.headers.get('location') ?? '', 'http://host/')
  assert.equal(decodeURIComponent(at.pathname) + at.search, '/[pub:]/dir/?sort=size')
})

test('--rc-serve-no-modtime leaves times out of listings', async (t) => {
  const { get } = await started(t, ['--rc-no-auth', '--rc-serve', '--rc-serve-no-modtime'])
  const json = (await (await get('[pub:]/', { headers: { accept: 'application/json' } })).json()) as object[]
  assert.ok(json.every((entry) => !('modTime' in entry)))
})

test('a template of the user makes the pages of remotes and of the list of remotes', async (t) => {
  const dir = scratch(t)
  files(dir, { 't.html': '{{.Title}}|{{range .Entries}}{{.URL}} {{end}}' })
  const { get } = await started(t, ['--rc-no-auth', '--rc-serve', '--rc-template', join(dir, 't.html')])
  assert.equal(await (await get('*')).text(), 'List of all rclone remotes.|./%5Bhome:%5D/ ./%5Bpub:%5D/ ')
  assert.equal(await (await get('[pub:dir]/')).text(), 'Directory listing of /|inner%20name.txt ')
})

test('the remotes are listed at / and at *, and their links lead to them', async (t) => {
  const { server, get } = await started(t, ['--rc-no-auth', '--rc-serve', '--rc-baseurl', '/pre'])
  for (const path of ['', '*']) {
    const text = await (await get(path)).text()
    assert.match(text, /List of all rclone remotes\./)
    const [, href = ''] = /href="(\.\/%5Bpub[^"]*)"/.exec(text) ?? []
    assert.equal((await fetch(new URL(href, server.url + path))).status, 200)
  }
})

test('what is not there is told in JSON', async (t) => {
  const { dir, get } = await started(t, ['--rc-no-auth', '--rc-serve'])
  const failures: readonly (readonly [path: string, status: number, error: string | RegExp, rest: string])[] = [
    ['[pub:]/nope', 404, 'failed to find object: object not found', 'nope'],
    ['[pub:]/no/where/', 404, 'failed to list directory: directory not found', 'no/where'],
    ['[pub:]/file.txt/', 404, 'failed to list directory: directory not found', 'file.txt'],
    [`[${dir}/nowhere]/`, 404, 'failed to list directory: directory not found', ''],
    [`[${dir}/pub/file.txt]/`, 500, 'failed to make Fs: is a file not a directory', ''],
    ['[nope:]/', 500, /^failed to make Fs: didn't find section in config file/, ''],
    ['[:nope:]/x', 500, /^failed to make Fs: didn't find backend called "nope"/, 'x'],
    ['[pub,global.dump=bodies:]/x', 403, 'setting "global.dump" on a served remote is not allowed', 'x'],
  ]
  for (const [path, status, error, rest] of failures) {
    const response = await get(path)
    const body = (await response.json()) as { error: string }
    assert.equal(response.status, status, path)
    assert.partialDeepStrictEqual(body, { input: null, path: rest, status })
    if (typeof error === 'string') assert.equal(body.error, error)
    else assert.match(body.error, error)
  }
})

test('without any login only remotes of the configuration are served, and they are not listed', async (t) => {
  const { dir, get } = await started(t, ['--rc-serve'])
  assert.equal((await get('[pub:]/file.txt')).status, 200)
  const tail = ' requires authentication to be set up on the rc server or the --rc-no-auth flag'
  const refused: readonly (readonly [path: string, error: string])[] = [
    ['', 'listing the remotes'],
    ['*', 'listing the remotes'],
    [`[${dir}/pub]/file.txt`, 'serving local paths'],
    ['[relative]/x', 'serving local paths'],
    [`[:local:${dir}/pub]/file.txt`, 'serving inline remotes'],
    [`[:alias,remote='${dir}':]/file.txt`, 'serving inline remotes'],
    [`[pub,remote='${dir}':]/file.txt`, 'serving remotes with connection string parameters'],
  ]
  for (const [path, error] of refused) {
    const response = await get(path)
    assert.equal(response.status, 403, path)
    assert.equal(((await response.json()) as { error: string }).error, error + tail)
  }
  // The program's own secrets are in no remote.
  assert.equal((await get('[home:]/rclone.conf')).status, 404)
  assert.doesNotMatch(await (await get('[home:]/')).text(), /rclone\.conf/)
})

test('what others have stored cannot run with the rights of who looks at it', async (t) => {
  const { get } = await started(t, ['--rc-no-auth', '--rc-serve'])
  for (const name of ['page.html', 'pic.svg', 'sw.js']) {
    const { headers } = await get(`[pub:]/${name}`)
    assert.equal(headers.get('content-security-policy'), 'sandbox', name)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
  }
  assert.equal((await get('[pub:]/photo.jpg')).headers.get('content-security-policy'), null)
  assert.match((await get('[pub:]/')).headers.get('content-security-policy') ?? '', /default-src 'none'/)
  const worker = await get('[pub:]/sw.js', { headers: { 'service-worker': 'script' } })
  assert.equal(worker.status, 403)
})

test('a path that leads out of a remote is refused, wherever it is written', async (t) => {
  const { get, server } = await started(t, ['--rc-no-auth', '--rc-serve'])
  for (const path of [
    '[pub:]../rclone.conf',
    '[pub:]/%2e%2e/rclone.conf',
    '[pub:]..%2frclone.conf',
    '[pub:]/a/..%2f..%2frclone.conf',
  ]) {
    const socket = connect(server.port, '127.0.0.1')
    socket.end(`GET /${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
    let text = ''
    for await (const chunk of socket.setEncoding('utf8')) text += chunk as string
    assert.match(text, /^HTTP\/1\.1 40[04] /, path)
    assert.doesNotMatch(text, /type = alias/)
  }
  assert.equal((await get('[pub:]/file.txt')).status, 200)
})
