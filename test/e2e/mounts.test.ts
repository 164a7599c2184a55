import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, run, scratch, serve, sluice } from '../program.ts'

const httpArgs = ['serve', 'http'] as const

async function listed(url: string): Promise<string[]> {
  const response = await fetch(url, { headers: { accept: 'application/json' } })
  return ((await response.json()) as { name: string }[]).map(({ name }) => name)
}

test('several --read are folders of the root, by their own names or by those given', async (t) => {
  const dir = scratch(t)
  files(dir, { 'films/a.mp4': '0123456789', 'films/sub/b.txt': 'b', 'old stuff/c.txt': 'c', 'd.txt': 'd' })
  const server = await serve(t, [
    ...httpArgs,
    '--read',
    join(dir, 'films/'),
    '--read',
    join(dir, 'old stuff'),
    '--rdirs',
    `notes=${join(dir, 'd.txt')}`,
    '--read',
    'empty=:memory:',
  ])
  assert.match(server.log(), /\/films\/, \/old stuff\/, \/notes\/, \/empty\/: HTTP Server started/)
  assert.deepEqual((await listed(server.url)).toSorted(), ['empty', 'films', 'notes', 'old stuff'])
  assert.deepEqual(await listed(`${server.url}films/`), ['sub', 'a.mp4'])
  assert.deepEqual(await listed(`${server.url}empty/`), [])
  assert.equal(await (await fetch(`${server.url}old%20stuff/c.txt`)).text(), 'c')
  assert.deepEqual(await listed(`${server.url}notes/`), ['d.txt'], 'a file is served alone')

  const part = await fetch(`${server.url}films/a.mp4`, { headers: { range: 'bytes=2-4' } })
  assert.deepEqual([part.status, await part.text()], [206, '234'])
  const head = await fetch(`${server.url}films/a.mp4`, { method: 'HEAD' })
  assert.deepEqual([head.headers.get('content-length'), head.headers.get('content-type')], ['10', 'video/mp4'])
  assert.match(await (await fetch(server.url)).text(), /href="(?:\.\/)?films\/"/)
  const slashless = await fetch(`${server.url}films`, { redirect: 'manual' })
  assert.deepEqual([slashless.status, slashless.headers.get('location')], [308, '/films/'])
  for (const path of ['a.mp4', 'filmsx/', 'films/nothing', 'c.txt'])
    assert.equal((await fetch(server.url + path)).status, 404, path)
})

test('all that is served can be had in one zip', { skip: missing('unzip') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'one/a.txt': 'a', 'two/sub/b.txt': 'b' })
  const server = await serve(t, [...httpArgs, join(dir, 'one'), '--read', join(dir, 'two')])
  const zip = join(dir, 'all.zip')
  writeFileSync(zip, Buffer.from(await (await fetch(`${server.url}?download=zip`)).arrayBuffer()))
  const { stdout } = await run('unzip', ['-Z1', zip])
  assert.deepEqual(stdout.trim().split('\n'), ['one/', 'one/a.txt', 'two/', 'two/sub/', 'two/sub/b.txt'])
})

test('one --read without a name is what an argument would be, one with a name is a folder', async (t) => {
  const dir = scratch(t)
  files(dir, { 'films/a.txt': 'a' })
  const films = join(dir, 'films')
  const plain = await serve(t, [...httpArgs, '--read', films])
  assert.equal(await (await fetch(`${plain.url}a.txt`)).text(), 'a')
  const short = await serve(t, ['serve', '--read', `x=${films}`], { cwd: dir })
  assert.deepEqual(await listed(short.url), ['x'])
  assert.equal(await (await fetch(`${short.url}x/a.txt`)).text(), 'a')
})

test('names that are there twice, or not at all, and folders that are not there are told at the start', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a/x/': '', 'b/x/': '' })
  const start = (...args: string[]) => sluice([...httpArgs, ...args, '--addr', '127.0.0.1:0'])
  const twice = await start('--read', join(dir, 'a/x'), '--read', join(dir, 'b/x'))
  assert.match(twice.stderr, /b\/x would be found under \/x\/ as another one is: give NAME=REMOTE:PATH/)
  assert.equal(twice.code, 2)
  assert.match((await start('--read', '/', '--read', dir)).stderr, /--read \/ has no name of its own.*NAME=/)
  assert.match((await start('--read', join(dir, 'a'), '--read', 'n=/nowhere')).stderr, /directory not found: \/nowhere/)
})

test('uploads go beside what is read, and what is read shows them', async (t) => {
  const dir = scratch(t)
  files(dir, { 'out/a.txt': 'a', 'in/old.txt': 'old' })
  const server = await serve(t, [
    ...httpArgs,
    '--read',
    join(dir, 'out'),
    '--read',
    join(dir, 'in'),
    '--write',
    join(dir, 'in'),
  ])
  assert.deepEqual(await listed(`${server.url}in/`), ['old.txt'])
  assert.equal((await fetch(`${server.url}new.txt`, { method: 'PUT', body: 'new' })).status, 201)
  assert.equal(readFileSync(join(dir, 'in/new.txt'), 'utf8'), 'new')
  assert.deepEqual(await listed(`${server.url}in/`), ['new.txt', 'old.txt'])
})

test('the secrets of the server are hidden in each of several folders', async (t) => {
  const dir = scratch(t)
  files(dir, { 'one/users': 'me:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n', 'one/a.txt': 'a', 'two/b.txt': 'b' })
  const headers = { authorization: `Basic ${btoa('me:test')}`, accept: 'application/json' }
  const server = await serve(t, [
    ...httpArgs,
    '--read',
    join(dir, 'one'),
    '--read',
    join(dir, 'two'),
    '--htpasswd',
    join(dir, 'one/users'),
  ])
  assert.equal((await fetch(`${server.url}one/a.txt`, { headers })).status, 200)
  assert.equal((await fetch(`${server.url}one/users`, { headers })).status, 404)
  assert.doesNotMatch(await (await fetch(`${server.url}one/`, { headers })).text(), /users/)
  assert.ok(existsSync(join(dir, 'one/users')))
})

test('the remote control knows the tree of several folders', async (t) => {
  const dir = scratch(t)
  files(dir, { 'one/a.txt': 'a', 'two/b.txt': 'b' })
  const server = await serve(t, [
    ...httpArgs,
    '--read',
    join(dir, 'one'),
    '--read',
    join(dir, 'two'),
    '--rc',
    '--rc-no-auth',
    '--rc-addr',
    '127.0.0.1:0',
  ])
  await server.logged(/Serving remote control on (\S+)/)
  const rc = /Serving remote control on (\S+)/.exec(server.log())?.[1] ?? ''
  const call = async (method: string) => (await (await fetch(rc + method, { method: 'POST' })).json()) as object
  const { vfses } = (await call('vfs/list')) as { vfses: string[] }
  assert.equal(vfses.length, 1)
  assert.match(vfses[0] ?? '', /^:combine\{.{5}\}:$/)
  assert.deepEqual(await call('vfs/refresh?dir=two'), { result: { two: 'OK' } })
})
