import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { missing } from '../peers.ts'
import { files, rcd, scratch, serve } from '../program.ts'
import { rclone } from '../rclone.ts'
import { freePort } from '../web.ts'

type Call = (method: string, input?: object) => Promise<{ status: number; body: Record<string, unknown> }>

function caller(url: string): Call {
  return async (method, input = {}) => {
    const response = await fetch(url + method, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
}

const rcUrl = /Serving remote control on (\S*)/

async function serving(t: TestContext, dir: string, args: readonly string[] = []) {
  const server = await serve(t, ['serve', 'http', dir, '--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0', ...args])
  const [, url = ''] = rcUrl.exec(server.log()) ?? []
  return { server, call: caller(url) }
}

/** Debian's rclone over the same folder. */
async function theirServer(t: TestContext, dir: string): Promise<Call> {
  const [web, port] = [await freePort(), await freePort()]
  const rc = ['--rc', '--rc-no-auth', '--rc-addr', `127.0.0.1:${port}`]
  await rclone(t, ['serve', 'http', dir, '--addr', `127.0.0.1:${web}`, ...rc, '-v'], /poll-interval is not supported/)
  return caller(`http://127.0.0.1:${port}/`)
}

test('vfs methods answer as those of rclone', { skip: missing('rclone') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'file.txt': 'x', 'dir/a': 'x', 'dir/sub/b': 'x' })
  const [{ call }, theirs] = [await serving(t, dir), await theirServer(t, dir)]
  const calls: readonly (readonly [method: string, input: object])[] = [
    ['vfs/list', {}],
    ['vfs/forget', {}],
    ['vfs/forget', { dir: '' }],
    ['vfs/forget', { file: '/dir/a' }],
    ['vfs/forget', { dir: '/dir/', fs: dir }],
    ['vfs/forget', { zz: 'x' }],
    ['vfs/forget', { file: 2 }],
    ['vfs/refresh', {}],
    ['vfs/refresh', { recursive: 'true' }],
    ['vfs/refresh', { recursive: 'true', dir: 'dir' }],
    ['vfs/refresh', { recursive: 'perhaps' }],
    ['vfs/refresh', { dir: 'nope/deep', dir2: 'file.txt', dir3: 'dir/sub/' }],
    ['vfs/refresh', { dir: 3 }],
    ['vfs/refresh', { file: 'file.txt' }],
    ['vfs/refresh', { fs: 3 }],
    ['vfs/refresh', { fs: 'nope:' }],
    ['vfs/stats', { fs: 'nope:' }],
    ['vfs/poll-interval', {}],
    ['vfs/poll-interval', { interval: '-1s' }],
    ['vfs/poll-interval', { interval: '1h' }],
    ['vfs/poll-interval', { zz: 'x' }],
  ]
  for (const [method, input] of calls)
    assert.deepEqual(await call(method, input), await theirs(method, input), `${method} ${JSON.stringify(input)}`)
})

test('a directory that was refreshed shows what came since it was read', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a/one.txt': 'x' })
  const { call } = await serving(t, dir)
  assert.deepEqual((await call('vfs/refresh', { dir: 'a', recursive: true })).body, { result: { a: 'OK' } })
  files(dir, { 'a/b/c/two.txt': 'x' })
  assert.deepEqual((await call('vfs/refresh', { recursive: true })).body, { result: { '': 'OK' } })
  const { body } = await call('vfs/stats')
  const { dirs } = body.metadataCache as { dirs: number }
  assert.ok(dirs >= 4, `${dirs} directories held`)
})

test('a path that leads out of the tree is not there', async (t) => {
  const dir = scratch(t)
  files(dir, { 'in/file.txt': 'x', 'out/secret.txt': 'x' })
  const { call } = await serving(t, join(dir, 'in'))
  for (const path of ['../out', 'x/../../out', '..'])
    assert.deepEqual((await call('vfs/refresh', { dir: path })).body, { result: { [path]: 'file does not exist' } })
})

test('stats tell the options of the tree, with numbers for words', async (t) => {
  const dir = scratch(t)
  files(dir, { 'file.txt': 'x' })
  const { call } = await serving(t, dir, ['--read-only', '--vfs-cache-mode', 'writes', '--dir-cache-time', '7s'])
  const { body } = await call('vfs/stats')
  assert.equal(body.fs, dir)
  assert.equal(body.inUse, 1)
  assert.partialDeepStrictEqual(body.opt, {
    CacheMode: 2,
    ReadOnly: true,
    DirCacheTime: 7e9,
    ChunkSize: 128 * 1024 * 1024,
    ChunkSizeLimit: -1,
  })
})

test('a queue there is only with a file cache', async (t) => {
  const dir = scratch(t)
  const { call } = await serving(t, dir)
  assert.deepEqual(await call('vfs/queue'), { status: 200, body: {} })
  const { status, body } = await call('vfs/queue-set-expiry', { id: 1, expiry: 5 })
  assert.equal(status, 400)
  assert.equal(body.error, "can't call this unless using the VFS cache")
})

test('several trees are told apart by name, and by number where they have one name', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a/one.txt': 'x', 'b/two.txt': 'x' })
  const server = await rcd(t)
  const [a, b] = [join(dir, 'a'), join(dir, 'b')]
  const none = await server.call('vfs/stats')
  assert.equal(none.body.error, 'no VFS active and "fs" parameter not supplied')
  for (const fs of [a, b]) await server.call('serve/start', { type: 'http', fs, addr: '127.0.0.1:0' })
  assert.deepEqual((await server.call('vfs/list')).body, { vfses: [a, b] })
  assert.equal((await server.call('vfs/stats')).body.error, 'more than one VFS active - need "fs" parameter')
  assert.equal((await server.call('vfs/stats', { fs: `${a}/` })).body.fs, a)
  await server.call('serve/start', { type: 'http', fs: a, addr: '127.0.0.1:0' })
  assert.deepEqual((await server.call('vfs/list')).body, { vfses: [`${a}[0]`, `${a}[1]`, b] })
  assert.equal((await server.call('vfs/stats', { fs: a })).body.error, `more than one VFS active with name "${a}"`)
  assert.equal((await server.call('vfs/stats', { fs: `${a}[1]` })).body.fs, a)
  await server.call('serve/stopall')
  assert.deepEqual((await server.call('vfs/list')).body, { vfses: [] })
})

test('the name of a tree does not tell the settings of its remote', async (t) => {
  const server = await rcd(t)
  const dir = scratch(t)
  files(dir, { 'secret/file.txt': 'x' })
  const fs = `:alias,remote='${dir}/secret':`
  await server.call('serve/start', { type: 'http', fs, addr: '127.0.0.1:0' })
  const list = JSON.stringify([(await server.call('vfs/list')).body, (await server.call('serve/list')).body])
  assert.match(list, /":alias\{[\w-]{5}\}:"/)
  assert.doesNotMatch(list, /secret/)
})
