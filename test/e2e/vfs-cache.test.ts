import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { noise } from '../conformance/fixture.ts'
import { faultProxy } from '../fault-proxy.ts'
import { missing } from '../peers.ts'
import { files, scratch, serve } from '../program.ts'
import { rclone } from '../rclone.ts'
import { freePort, web } from '../web.ts'

const film = Buffer.alloc(3_000_000, noise(65_521, 'film'))

/** A web server with a film of one day in the past; notes the ranges that are asked for. */
async function storage(t: TestContext) {
  const asked: string[] = []
  const url = await web(t, (request, response) => {
    if (request.url === '/')
      return response.setHeader('content-type', 'text/html').end('<a href="film.mp4">film.mp4</a>')
    const [start, end] = rangeOf(request)
    if (request.method === 'GET') asked.push(`${start}-${end}`)
    response.writeHead(request.headers.range ? 206 : 200, {
      'last-modified': 'Sat, 03 Feb 2001 04:05:06 GMT',
      'accept-ranges': 'bytes',
      'content-length': end - start,
      ...(request.headers.range ? { 'content-range': `bytes ${start}-${end - 1}/${film.length}` } : {}),
    })
    return response.end(request.method === 'HEAD' ? undefined : film.subarray(start, end))
  })
  return { asked, remote: `:http,url='${url}':` }
}

function rangeOf(request: IncomingMessage): [number, number] {
  const [, start = '0', end = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  return [Number(start), Math.min(film.length, end === '' ? film.length : Number(end) + 1)]
}

async function part(url: string, range?: string): Promise<Buffer> {
  const response = await fetch(url, range === undefined ? {} : { headers: { range: `bytes=${range}` } })
  assert.equal(response.status, range === undefined ? 200 : 206)
  return Buffer.from(await response.arrayBuffer())
}

async function theirs(t: TestContext, args: readonly string[], command = 'http') {
  const port = await freePort()
  await rclone(t, ['serve', command, ...args, '--addr', `127.0.0.1:${port}`, '-vv'], /vfs cache/)
  const url = `http://127.0.0.1:${port}/`
  // It does not say when it listens.
  while (!(await fetch(url).catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 20))
  return url
}

/** The one file of that name below a directory, once there is one that says what it should. */
async function found(dir: string, name: string, says: RegExp): Promise<string> {
  for (;;) {
    const [path] = globSync(`${dir}/**/${name}`)
    if (path && says.test(readFileSync(path, 'utf8'))) return path
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('a cache that rclone has filled is taken over, and the other way', { skip: missing('rclone') }, async (t) => {
  const { asked, remote } = await storage(t)
  const [first, second] = [scratch(t), scratch(t)]
  const full = (dir: string) => [remote, '--vfs-cache-mode', 'full', '--cache-dir', dir]
  const url = await theirs(t, [...full(first), '--vfs-read-chunk-size', '1M', '--buffer-size', '0'])
  assert.ok((await part(`${url}film.mp4`)).equals(film))
  const meta = await found(join(first, 'vfsMeta'), 'film.mp4', new RegExp(`"Size": ${film.length}\\s*}\\s*]`))

  const ours = await serve(t, ['serve', 'http', ...full(second), '--vfs-handle-caching', '0'])
  assert.ok((await part(`${ours.url}film.mp4`)).equals(film))
  const own = await found(join(second, 'vfsMeta'), 'film.mp4', new RegExp(`"Size": ${film.length}\\s*}\\s*]`))
  await ours.stop()
  assert.equal(own.slice(second.length), meta.slice(first.length))
  const comparable = (path: string) => ({
    ...(JSON.parse(readFileSync(path, 'utf8')) as object),
    ATime: '',
    ModTime: '',
  })
  assert.deepEqual(comparable(own), comparable(meta))
  assert.deepEqual(Object.keys(comparable(own)), Object.keys(comparable(meta)))

  const before = asked.length
  const takes = await serve(t, ['serve', 'http', ...full(first)])
  assert.ok((await part(`${takes.url}film.mp4`)).equals(film))
  const gives = await theirs(t, full(second))
  assert.ok((await part(`${gives}film.mp4`, '100-999999')).equals(film.subarray(100, 1_000_000)))
  assert.deepEqual(asked.slice(before), [])
})

test(
  'what waits to be uploaded after a crash of rclone is uploaded by us, and the other way',
  { skip: missing('rclone') },
  async (t) => {
    const [dir, cache] = [scratch(t), scratch(t)]
    const waits = ['--vfs-cache-mode', 'writes', '--cache-dir', cache, '--vfs-write-back', '1h']
    const goes = ['--vfs-cache-mode', 'full', '--cache-dir', cache, '--vfs-write-back', '10ms']
    // Killed with its test.
    await t.test('rclone first', async (inner) => {
      const url = await theirs(inner, [dir, ...waits], 'webdav')
      assert.equal((await fetch(`${url}theirs.txt`, { method: 'PUT', body: 'written by rclone' })).status, 201)
      await found(join(cache, 'vfsMeta'), 'theirs.txt', /"Dirty": true/)
    })
    const ours = await serve(t, ['serve', 'http', dir, ...goes])
    assert.equal((await part(`${ours.url}theirs.txt`)).toString(), 'written by rclone')
    await found(dir, 'theirs.txt', /^written by rclone$/)
    await found(join(cache, 'vfsMeta'), 'theirs.txt', /"Dirty": false/)
    await ours.stop()

    const writes = await serve(t, ['serve', 'http', dir, '--write', dir, ...waits])
    assert.equal((await fetch(`${writes.url}ours.txt`, { method: 'PUT', body: 'written by us' })).status, 201)
    await writes.stop('SIGKILL')
    assert.equal(existsSync(join(dir, 'ours.txt')), false)
    await theirs(t, [dir, ...goes])
    await found(dir, 'ours.txt', /^written by us$/)
  },
)

test('an upload is there at once and at its storage later; the end says what waits', async (t) => {
  const [dir, cache] = [scratch(t), scratch(t)]
  const args = [
    'serve',
    'http',
    '--read',
    `a=${dir}`,
    '--write',
    dir,
    '--vfs-cache-mode',
    'writes',
    '--cache-dir',
    cache,
  ]
  const rc = ['--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0']
  const first = await serve(t, [...args, ...rc, '--vfs-write-back', '1h'])
  const call = async (method: string, input: object) => {
    const [, url = ''] = /Serving remote control on (\S*)/.exec(first.log()) ?? []
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url + method, { method: 'POST', headers, body: JSON.stringify(input) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const put = await fetch(`${first.url}new/file.txt`, { method: 'PUT', body: 'hello' })
  assert.equal(put.status, 201)
  assert.equal((await part(`${first.url}a/new/file.txt`)).toString(), 'hello')
  assert.match((await part(`${first.url}a/`)).toString(), /new\//)
  assert.equal(existsSync(join(dir, 'new')), false)
  const { queue } = (await call('vfs/queue', {})).body as { queue: { name: string; id: number; expiry: number }[] }
  assert.deepEqual(
    queue.map(({ name, id }) => ({ name, id })),
    [{ name: 'a/new/file.txt', id: 1 }],
  )
  assert.ok(queue.every(({ expiry }) => expiry > 3500 && expiry <= 3600))
  assert.equal((await call('vfs/queue-set-expiry', { id: 9, expiry: 0 })).body.error, 'id not found in queue')
  assert.equal((await call('vfs/queue-set-expiry', { id: 1, expiry: 7200, relative: true })).status, 200)
  const { diskCache } = (await call('vfs/stats', {})).body as { diskCache: Record<string, unknown> }
  assert.deepEqual([diskCache.files, diskCache.bytesUsed, diskCache.uploadsQueued], [1, 5, 1])
  await first.stop()
  assert.match(first.log(), /1 files wait to be uploaded/)
  const second = await serve(t, [...args, '--vfs-write-back', '1ms'])
  await found(dir, 'file.txt', /^hello$/)
  await second.stop()
})

test('a cache that another process uses is refused, with what to do', async (t) => {
  const [dir, cache] = [scratch(t), scratch(t)]
  files(dir, { 'a.txt': 'a' })
  const args = ['serve', 'http', dir, '--vfs-cache-mode', 'full', '--cache-dir', cache]
  const first = await serve(t, args)
  await assert.rejects(serve(t, args), new RegExp(`in use by process ${first.pid}.*use another --cache-dir`))
  await first.stop('SIGKILL')
  await (await serve(t, args)).stop()
})

test('times of the future and of long ago drop nothing that is in use', async (t) => {
  const { asked, remote } = await storage(t)
  const cache = scratch(t)
  const args = [
    'serve',
    'http',
    remote,
    '--vfs-cache-mode',
    'full',
    '--cache-dir',
    cache,
    '--vfs-cache-poll-interval',
    '20ms',
  ]
  const first = await serve(t, [...args, '--vfs-handle-caching', '0'])
  await part(`${first.url}film.mp4`)
  const meta = await found(join(cache, 'vfsMeta'), 'film.mp4', /"Size": 3000000\s*}\s*]/)
  await first.stop()
  const text = readFileSync(meta, 'utf8')
  files(join(meta, '..'), { 'film.mp4': text.replace(/"ATime": "\d{4}/, '"ATime": "2999') })
  const before = asked.length
  const second = await serve(t, [...args, '-v'])
  await second.logged(/cleaned: objects 1 \(was 1\)/)
  assert.ok((await part(`${second.url}film.mp4`)).equals(film))
  assert.equal(asked.length, before)
})

test('a clock that jumps drops nothing and delays nothing', { skip: missing('faketime') }, async (t) => {
  const { asked, remote } = await storage(t)
  const [dir, clock] = [scratch(t), join(scratch(t), 'clock')]
  const [library = ''] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  const faked = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1' }
  const cached = ['--vfs-cache-mode', 'full', '--cache-dir', scratch(t), '--vfs-cache-poll-interval', '100ms']
  writeFileSync(clock, '+0')
  const server = await serve(t, ['serve', 'http', remote, '--write', dir, '--vfs-write-back', '1ms', '-v', ...cached], {
    env: { ...faked, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
  })
  await part(`${server.url}film.mp4`)
  const trips = asked.length
  for (const years of [30, -20, 60, 0]) {
    writeFileSync(clock, `${years < 0 ? '' : '+'}${years * 365}d`)
    const year = new Date(Date.now() + years * 365 * 86_400_000).getUTCFullYear()
    await server.logged(new RegExp(`^${year}/.* cleaned: objects 1 `, 'm'))
    assert.ok((await part(`${server.url}film.mp4`)).equals(film))
    const { status } = await fetch(`${server.url}of ${year}`, { method: 'PUT', body: 'x'.repeat(year) })
    assert.equal(status, 201)
    await server.logged(new RegExp(`of ${year}: vfs cache: upload succeeded`))
    assert.equal(readFileSync(join(dir, `of ${year}`)).length, year)
  }
  assert.equal(asked.length, trips)
})

test('a seek costs two trips to the storage at most, and what was sought before costs none', async (t) => {
  const { asked, remote } = await storage(t)
  const proxy = await faultProxy(t, Number(/:(\d+)\//.exec(remote)?.[1]))
  const far = remote.replace(/:\d+\//, `:${proxy.port}/`)
  const args = ['--vfs-cache-mode', 'full', '--cache-dir', scratch(t), '--buffer-size', '0']
  const { url } = await serve(t, ['serve', 'http', far, ...args])
  await fetch(url)
  async function seek(at: number): Promise<number> {
    // A connection is a trip of its own, while the others are busy with what is read ahead.
    const before = asked.length + proxy.connections
    assert.ok((await part(`${url}film.mp4`, `${at}-${at + 999}`)).equals(film.subarray(at, at + 1000)))
    return asked.length + proxy.connections - before
  }
  const places = [2_900_000, 1_400_000, 200_000, 2_600_000, 700_000]
  for (const at of places) assert.ok((await seek(at)) <= 2)
  for (const at of places) assert.equal(await seek(at), 0)
})

test(
  'a new file is taken while its storage is away, unless it depends on what is there',
  { skip: missing('rclone') },
  async (t) => {
    const dir = scratch(t)
    files(dir, { 'there.txt': 'old' })
    const port = await freePort()
    await rclone(t, ['serve', 'webdav', dir, '--addr', `127.0.0.1:${port}`], /WebDav Server started/)
    const proxy = await faultProxy(t, port)
    const remote = `:webdav,url='http://127.0.0.1:${proxy.port}/':`
    const cached = ['--vfs-cache-mode', 'writes', '--vfs-write-back', '1ms', '--cache-dir', scratch(t)]
    const args = ['--write', remote, '--low-level-retries', '1', '-v', ...cached]
    const server = await serve(t, ['serve', 'http', remote, ...args])
    const put = async (path: string, headers: Record<string, string> = {}) =>
      await fetch(server.url + path, { method: 'PUT', body: 'new', headers })
    proxy.refuse(true)
    proxy.breakAll()
    assert.equal((await put('new.txt')).status, 201)
    assert.equal((await put('folder/new.txt')).status, 201)
    for (const [name, value] of [
      ['if-none-match', '*'],
      ['if-match', '"x"'],
      ['content-range', 'bytes 0-2/*'],
    ] as const) {
      const { status, headers: answered } = await put('there.txt', { [name]: value })
      assert.deepEqual([status, answered.get('retry-after')], [502, '1'])
    }
    assert.equal(await (await fetch(`${server.url}folder/new.txt`)).text(), 'new')
    proxy.refuse(false)
    await server.logged(/ new\.txt: vfs cache: upload succeeded/)
    await server.logged(/folder\/new\.txt: vfs cache: upload succeeded/)
    const [there, folder] = ['there.txt', 'folder/new.txt'].map((path) => readFileSync(join(dir, path), 'utf8'))
    assert.deepEqual([there, folder], ['old', 'new'])
    await server.stop()
  },
)
