import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { missing } from '../peers.ts'
import { files, rcd, run, scratch, serve, sluice } from '../program.ts'

const tree = { 'd/a.txt': 'abcdefghij', 'd/other.txt': 'other', 'd/page.html': `<p>${'text '.repeat(500)}</p>` }

/** A server of a folder with a hook, whose text may be changed. */
async function hooked(t: TestContext, text: string, args: readonly string[] = [], name = 'hook.ts', more = {}) {
  const dir = scratch(t)
  files(dir, { ...tree, users: 'ann:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n', ...more, [name]: text })
  const at = (path: string) => join(dir, path)
  const rest = args.map((arg) => arg.replace(/^@/, dir))
  const server = await serve(t, ['serve', 'http', at('d'), '--hook', at(name), ...rest], { cwd: dir })
  const get = (path: string, init: RequestInit = {}) => fetch(server.url + path, init)
  function set(changed: string): void {
    writeFileSync(at('next'), changed)
    renameSync(at('next'), at(name))
  }
  return { server, at, get, set }
}

const onRequest = (body: string) => `import type { Hook } from 'sluice/hook'
export default {
  async onRequest(request) { ${body} },
} satisfies Hook
`

test('a hook answers with a text, bytes, a stream, or a status alone', async (t) => {
  const { get } = await hooked(
    t,
    onRequest(`
      const { path, method, url, headers } = request
      if (path === '/text') return { body: method + ' ' + url.searchParams.get('q') + ' ' + headers.get('x-in') }
      if (path === '/tea') return { status: 418, body: new TextEncoder().encode('tea'), headers: { 'X-A': ['1', '2'] } }
      if (path === '/gone') return { status: 410 }
      if (path === '/stream') return { headers: { 'content-type': 'text/plain' }, body: (async function* () { yield 'a'; yield new Uint8Array([98]) })() }
      if (path === '/web') return { body: new Response('from a web stream').body ?? '' }
    `),
  )
  const text = await get('text?q=1%202', { headers: { 'x-in': 'in' } })
  assert.equal(await text.text(), 'GET 1 2 in')
  assert.equal(text.headers.get('content-length'), '10')
  const tea = await get('tea')
  assert.deepEqual([tea.status, tea.headers.get('x-a'), await tea.text()], [418, '1, 2', 'tea'])
  const gone = await get('gone')
  assert.deepEqual([gone.status, gone.headers.get('content-length')], [410, '0'])
  assert.equal(await (await get('stream')).text(), 'ab')
  assert.equal(await (await get('web')).text(), 'from a web stream')
  const head = await get('text?q=1', { method: 'HEAD' })
  assert.deepEqual([head.headers.get('content-length'), await head.text()], ['11', ''])
  assert.equal(await (await get('a.txt')).text(), 'abcdefghij', 'it says nothing to all others')
})

test('a stream of a hook is sent piece by piece, and ends when the client leaves', async (t) => {
  const { server } = await hooked(
    t,
    onRequest(`
      const ends = () => console.error('the stream was given up')
      return {
        headers: { 'content-type': 'text/plain' },
        body: (async function* () { try { yield 'x'.repeat(2000); await new Promise(() => {}) } finally { ends() } })(),
        onClose: ({ ok, bytes }) => console.error('closed', ok, bytes),
      }
    `),
  )
  const req = httpRequest(`${server.url}s`, { headers: { 'accept-encoding': 'gzip' } })
  req.on('error', () => {})
  req.end()
  const [res] = (await once(req, 'response')) as [import('node:http').IncomingMessage]
  assert.equal(String((await once(res, 'data'))[0]).length, 2000, 'not held back to be compressed')
  req.destroy()
  await server.logged(/closed false 2000/)
})

test('the server goes on with other headers, another path, slower', async (t) => {
  const { get } = await hooked(
    t,
    onRequest(`
      const { path } = request
      if (path === '/old') return { rewrite: '/other.txt?x=1', headers: { 'X-From': 'old', 'content-type': 'text/x-mine' } }
      if (path === '/bad') return { rewrite: '/../x' }
      if (path === '/a.txt') return { throttle: 50 }
      if (path === '/other.txt') return { throttle: (done, total) => (done === 0 && total === 5 ? 150 : 0) }
    `),
  )
  const moved = await get('old')
  assert.deepEqual(
    [moved.status, moved.headers.get('x-from'), moved.headers.get('content-type'), await moved.text()],
    [200, 'old', 'text/x-mine', 'other'],
  )
  assert.equal((await get('bad')).status, 500)
  for (const path of ['a.txt', 'other.txt']) {
    const began = performance.now()
    const response = await get(path)
    assert.equal(response.headers.get('content-length'), String((await response.text()).length))
    assert.ok(performance.now() - began > 90, path)
  }
})

test('a hook sends another file, ranges and conditions included', async (t) => {
  const { get } = await hooked(
    t,
    `export const onRequest = ({ path }) => path === '/x' ? { file: process.cwd() + '/d/a.txt' } : path === '/none' ? { file: '/nowhere/x' } : undefined`,
    [],
    'hook.mjs',
  )
  const part = await get('x', { headers: { range: 'bytes=2-3' } })
  assert.deepEqual([part.status, await part.text(), part.headers.get('content-range')], [206, 'cd', 'bytes 2-3/10'])
  const etag = part.headers.get('etag') ?? ''
  assert.equal((await get('x', { headers: { 'if-none-match': etag } })).status, 304)
  assert.equal((await get('none')).status, 404)
})

test('a hook changes what the server answers', async (t) => {
  const { get } = await hooked(
    t,
    `import type { Hook } from 'sluice/hook'
    async function* upper(body: AsyncIterable<Uint8Array>) { for await (const chunk of body) yield String(Buffer.from(chunk)).toUpperCase() }
    export default {
      async onResponse({ path }, response) {
        response.headers.set('X-Status', String(response.status))
        if (response.status === 404) { response.status = 410; response.body = 'gone for good' }
        if (path === '/page.html' && typeof response.body === 'object' && Symbol.asyncIterator in response.body) response.body = upper(response.body)
        else if (path === '/page.html' && response.body) response.body = String(Buffer.from(response.body as Uint8Array)).toUpperCase()
      },
    } satisfies Hook`,
  )
  const gone = await get('nothing')
  assert.deepEqual([gone.status, await gone.text(), gone.headers.get('x-status')], [410, 'gone for good', '404'])
  const page = await get('page.html')
  assert.match(await page.text(), /^<P>TEXT TEXT/)
  assert.equal(page.headers.get('etag'), null)
  const plain = await get('a.txt')
  assert.deepEqual([await plain.text(), plain.headers.get('x-status')], ['abcdefghij', '200'])
  assert.ok(plain.headers.get('etag'))
})

test('a hook hears of refusals and failures', async (t) => {
  const { server, get } = await hooked(
    t,
    `export default {
      onRequest({ path }) {
        const onClose = ({ ok, bytes }) => console.error('closed', path, ok, bytes)
        return path === '/none' ? { file: '/nowhere/x', onClose } : { onClose }
      },
      onResponse({ method }, response) {
        if (method === 'PUT') response.headers.set('x-seen', String(response.status))
      },
      onLog({ request, status }) { console.error('log', request.path, status) },
    }`,
    ['--write', '@/d', '--max-upload', '5B'],
  )
  const refused = await get('up', { method: 'PUT', body: 'more than five' })
  assert.deepEqual([refused.status, refused.headers.get('x-seen')], [413, '413'])
  await server.logged(/log \/up 413/)
  assert.equal((await get('none')).status, 404)
  await server.logged(/closed \/none true \d+/)
})

test('a hook reads the body of a request, and hears of uploads and of the end of requests', async (t) => {
  const { server, get, at } = await hooked(
    t,
    `export default {
      async onRequest(request) {
        if (request.path !== '/echo') return
        let text = ''
        for await (const chunk of request.body) text += Buffer.from(chunk)
        return { status: 201, body: text.toUpperCase() }
      },
      onUpload(request, { path, bytes, created }) { console.error('upload', request.method, path, bytes, created) },
      onLog({ request, status, bytes, ok }) { console.error('log', request.method, request.path, status, bytes, ok) },
    }`,
    ['--write', '@/d'],
  )
  const echo = await get('echo', { method: 'POST', body: 'hello' })
  assert.deepEqual([echo.status, await echo.text()], [201, 'HELLO'])
  const foreign = { origin: 'http://evil.example' }
  assert.equal((await get('echo', { method: 'POST', body: 'hello', headers: foreign })).status, 403)
  assert.ok(!existsSync(at('d/echo')))
  assert.equal((await get('up.txt', { method: 'PUT', body: 'stored' })).status, 201)
  assert.equal(readFileSync(at('d/up.txt'), 'utf8'), 'stored')
  await server.logged(/upload PUT \/up.txt 6 true/)
  await server.logged(/log PUT \/up.txt 201 0 true/)
  assert.equal(await (await get('a.txt')).text(), 'abcdefghij')
  await server.logged(/log GET \/a.txt 200 10 true/)
  assert.doesNotMatch(server.log(), /upload POST/)
})

test('what a hook throws is a 500 that the log explains, and the server stays', async (t) => {
  const { server, get } = await hooked(
    t,
    `export default {
      onRequest({ path }) {
        if (path === '/throw') throw new Error('boom')
        if (path === '/reject') return Promise.reject(new Error('rejected'))
        if (path === '/status') return { status: 99 }
        if (path === '/header') return { status: 200, headers: { 'x-a': 'a\\r\\nb' } }
        if (path === '/body') return { body: (async function* () { throw new Error('no body') })() }
        if (path === '/hang') return new Promise(() => {})
      },
    }`,
  )
  for (const path of ['throw', 'reject', 'status', 'header', 'body']) {
    const response = await get(path)
    assert.deepEqual([response.status, await response.text()], [500, 'Internal Server Error\n'], path)
  }
  for (const line of [/hook: boom/, /hook: rejected/, /status 99/, /"x-a" cannot be sent/, /no body/])
    await server.logged(line)
  await assert.rejects(get('hang', { signal: AbortSignal.timeout(100) }))
  assert.equal((await get('a.txt')).status, 200)
})

test('a hook is loaded anew when its file changes, and the last good one stays', async (t) => {
  const text = (word: string) => `export const onRequest = () => ({ body: '${word}' })`
  const { server, get, set } = await hooked(t, text('one'), [], 'hook.mjs')
  assert.equal(await (await get('')).text(), 'one')
  set(text('two'))
  assert.equal(await (await get('')).text(), 'two')
  set('export const onRequest = (')
  assert.equal(await (await get('')).text(), 'two')
  await server.logged(/hook: .*; the one loaded before stays in use/)
  set(text('three'))
  assert.deepEqual(await Promise.all([1, 2, 3].map(async () => (await get('')).text())), ['three', 'three', 'three'])
})

test('rules come before a hook, and hold for where it sends a request; it knows who asks', async (t) => {
  const { get } = await hooked(
    t,
    onRequest(`
      if (request.path.startsWith('/svc')) return { body: request.auth.user + ' ' + request.auth.groups }
      if (request.path === '/way') return { rewrite: '/other.txt' }
    `),
    ['--htpasswd', '@/users', '--rules', '@/rules'],
    'hook.ts',
    { rules: '[gone]\nname=svc\nru=ann\nrg=staff\n[url:/other.txt]\nru=$NONE\n[groups]\nstaff=ann,bob\n' },
  )
  assert.equal((await get('svc/x')).status, 401)
  const named = await get('svc/x', { headers: { authorization: `Basic ${btoa('ann:test')}` } })
  assert.equal(await named.text(), 'ann staff')
  assert.equal((await get('way')).status, 403)
  assert.equal((await get('a.txt')).status, 200)
})

test('the remote control cannot set a hook', async (t) => {
  const server = await rcd(t)
  const { status, body } = await server.call('serve/start', {
    type: 'http',
    fs: scratch(t),
    addr: '127.0.0.1:0',
    hook: '/x.js',
  })
  assert.equal(status, 403)
  assert.match(String(body.error), /setting "hook" over the network is not allowed: it runs a program/)
})

test('a module that is no hook is told at the start', async (t) => {
  const dir = scratch(t)
  files(dir, {
    ...tree,
    'empty.mjs': 'export {}',
    'wrong.mjs': 'export default { onRequest: 1 }',
    'bad.mjs': '(',
    'gpac.js': 'httpout.on_request = 1',
  })
  const start = async (name: string) =>
    (await sluice(['serve', 'http', join(dir, 'd'), '--hook', join(dir, name), '--addr', '127.0.0.1:0'])).stderr
  assert.match(await start('empty.mjs'), /can't load the hook .*empty.mjs: it exports none of onRequest, onResponse/)
  assert.match(await start('wrong.mjs'), /onRequest must be a function/)
  assert.match(await start('bad.mjs'), /can't load the hook/)
  assert.match(await start('gpac.js'), /the script sets no httpout.on_request/)
  assert.match(await start('none.mjs'), /can't load the hook .*no such file/)
})

test('nobody reads or replaces the hook through the server', async (t) => {
  const { get, at } = await hooked(t, `export const onLog = () => {}`, ['--write', '@/d'], 'd/hook.mjs')
  assert.equal((await get('d/hook.mjs')).status, 404)
  assert.equal((await get('hook.mjs')).status, 404)
  assert.equal((await get('hook.mjs', { method: 'PUT', body: 'evil' })).status, 403)
  assert.match(readFileSync(at('d/hook.mjs'), 'utf8'), /onLog/)
})

const gpac = `
import { Sys as sys, File } from 'gpaccore'
import * as path from 'node:path'
import help, { word as kept } from './help.mjs'

httpout.on_request = (req) => {
  req.headers_out.push({ name: 'X-Clock', value: String(sys.clock_ms() > 0 && path.sep) })
  switch (req.url) {
    case '/in':
      req.reply = 200
      req.body = JSON.stringify([req.method, req.IP, req.port > 0, req.tls, req.netid > 0, req.auth_code, req.headers_in.find((h) => h.name === 'X-Case')])
      break
    case '/q?a b=ü': req.reply = 200; req.body = 'decoded'; break
    case '/help': req.reply = 200; req.body = help(kept); break
    case '/file': req.body = 'd/other.txt'; break
    case '/read': {
      const src = new File('d/a.txt', 'rb')
      let turn = 0
      req.reply = 206
      req.headers_out.push({ name: 'Content-Length', value: '10' })
      req.read = (buf) => (turn++ % 2 === 0 ? -1 : src.read(buf))
      req.close = (error) => { src.close(); print('closed with', error, error_string(error)) }
      break
    }
    case '/up': {
      let size = 0
      req.reply = 201
      req.write = (buf) => { if (buf) size += buf.byteLength; else print(GF_LOG_ERROR, 'took ' + size) }
      break
    }
    case '/cut': req.reply = 201; req.close = (error) => print('cut with', error); req.write = () => print('some'); break
    case '/wait': req.close = (error) => print('left with', error); print('waits'); return
    case '/later': setTimeout(() => { req.reply = 200; req.body = 'late'; req.send() }, 20); return
    case '/sent': req.reply = 405; req.send('not that'); return
    case '/twice': req.send(); req.send(); return
    case '/slow': req.body = 'd/a.txt'; req.throttle = (done, total) => (done === 0 && total === 10 ? 150_000 : 0); break
  }
  req.send()
}
`

test('a script written for gpac runs as it is', async (t) => {
  const help = 'export const word = 7; export default (word) => String(word + 1)'
  const { server, get } = await hooked(t, gpac, ['--write', '@/d'], 'script.js', { 'help.mjs': help })
  const seen = await get('in', { headers: { 'X-Case': 'Kept' } })
  assert.equal(
    await seen.text(),
    JSON.stringify(['GET', '127.0.0.1', true, false, true, 200, { name: 'X-Case', value: 'Kept' }]),
  )
  assert.equal(seen.headers.get('x-clock'), '/')
  assert.equal(await (await get('q?a%20b=%C3%BC')).text(), 'decoded')
  assert.equal(await (await get('help')).text(), '8')
  const file = await get('file', { headers: { range: 'bytes=0-1' } })
  assert.deepEqual([file.status, await file.text()], [206, 'ot'])
  const read = await get('read')
  assert.deepEqual([read.status, read.headers.get('content-length'), await read.text()], [206, '10', 'abcdefghij'])
  await server.logged(/closed with 1 End Of Stream/)
  const up = await get('up', { method: 'PUT', body: 'x'.repeat(100_000) })
  assert.equal(up.status, 201)
  await server.logged(/ERROR : took 100000/)
  assert.equal(await (await get('later')).text(), 'late')
  const sent = await get('sent')
  assert.deepEqual([sent.status, await sent.text()], [405, 'not that'])
  assert.equal((await get('twice')).status, 500)
  const began = performance.now()
  assert.equal(await (await get('slow')).text(), 'abcdefghij')
  assert.ok(performance.now() - began > 140)
  assert.equal((await get('stored.txt', { method: 'PUT', body: 'as usual' })).status, 201)
  const part = { method: 'PUT', headers: { 'content-length': 9 }, agent: false }
  const broken = httpRequest(`${server.url}cut`, part).on('error', () => {})
  broken.write('abc')
  await server.logged(/some/)
  broken.destroy()
  await server.logged(/cut with -1/)
  const leaves = httpRequest(`${server.url}wait`, { agent: false }).on('error', () => {})
  leaves.end()
  await server.logged(/waits/)
  leaves.destroy()
  await server.logged(/left with -1/)
  const head = await get('in', { method: 'HEAD' })
  assert.ok(Number(head.headers.get('content-length')) > 20)
})

test('a hook sees HTTP/2 as well', { skip: missing('curl') }, async (t) => {
  const { server } = await hooked(
    t,
    onRequest(`return { body: [request.http, request.headers.get('x-in'), request.url.href].join(' ') }`),
  )
  const { stdout } = await run('curl', ['-s', '--http2-prior-knowledge', '-H', 'X-In: in', `${server.url}p?q`])
  assert.equal(stdout, `2 in ${server.url}p?q`)
})

test('the examples of the guide do what it says', async (t) => {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guide/hook.md'), 'utf8')
  const examples = [...guide.matchAll(/```(ts|js)\n(.*?)```/gs)].map(([, kind, text = '']) => ({ kind, text }))
  const example = async (word: string) => {
    const found = examples.filter(({ text }) => text.includes(word))
    assert.equal(found.length, 1, word)
    const [{ kind, text } = { kind: '', text: '' }] = found
    const more = { 'd/archive/b c.txt': 'moved', 'd/live.m3u8': '#EXTM3U\nseg1.ts\n' }
    return await hooked(t, text, ['--write', '@/d'], `hook.${kind}`, more)
  }
  const hello = await example("request.path === '/hello'")
  assert.equal(await (await hello.get('hello?name=ann')).text(), 'hello ann\n')
  const moved = await example('/archive/')
  assert.equal(await (await moved.get('old/b%20c.txt')).text(), 'moved')
  const clock = await example('/clock')
  const events = await clock.get('clock')
  for await (const chunk of events.body ?? []) {
    assert.match(String(Buffer.from(chunk as Uint8Array)), /^data: \d{4}-/)
    break
  }
  const manifest = await example('m3u8')
  assert.equal(await (await manifest.get('live.m3u8')).text(), '#EXTM3U\nhttps://cdn.example/seg1.ts\n')
  const log = await example('onUpload(')
  await log.get('up.txt', { method: 'PUT', body: 'up' })
  await log.server.logged(/new \/up\.txt 2/)
  await log.server.logged(/PUT \/up\.txt 201 0 \d+/)
  const gpac = await example('httpout.on_request')
  const response = await gpac.get('hello')
  assert.deepEqual([await response.text(), /^\d+$/.test(response.headers.get('x-clock') ?? '')], ['hello', true])
})
