import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { memoryBackend } from '../src/backends/memory/index.ts'
import { MemoryStores } from '../src/backends/memory/store.ts'
import { recordingLogger } from '../src/core/testing.ts'
import { serve } from '../src/index.ts'
import { files, scratch } from './program.ts'

const anyPort = { http: { addr: ['127.0.0.1:0'] } }

test('what the package offers is built from files that are there', () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, { types?: string }>
  }
  const types = Object.values(exports).flatMap((way) => (way.types === undefined ? [] : [way.types]))
  assert.ok(types.length >= 3)
  for (const path of types) assert.ok(existsSync(path.replace('dist', 'src').replace('.d.ts', '.ts')), path)
})

test('two servers live in one process with settings of their own', async (t) => {
  const [one, two] = [scratch(t), scratch(t)]
  files(one, { 'a.txt': 'one', 'b.json': '{}' })
  files(two, { 'a.txt': 'two' })
  const first = await serve(one, { ...anyPort, filter: { exclude: ['*.json'] } })
  const second = await serve(two, { ...anyPort, auth: { user: 'ann', pass: 'secret' } })
  t.after(() => Promise.all([first.close(), second.close()]))
  assert.equal(await (await fetch(`${first.urls[0]}a.txt`)).text(), 'one')
  assert.equal((await fetch(`${first.urls[0]}b.json`)).status, 404)
  assert.equal((await fetch(`${second.urls[0]}a.txt`)).status, 401)
  const headers = { Authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` }
  assert.equal(await (await fetch(`${second.urls[0]}a.txt`, { headers })).text(), 'two')
})

test('memory of one name is one store within an app, and another in the next app', async (t) => {
  const stores = new MemoryStores()
  const log = recordingLogger()
  const shared = await serve(':memory:', { ...anyPort, log })
  const own = await serve(':alias,remote=":memory:":', { ...anyPort, log, backends: [memoryBackend(stores)] })
  t.after(() => Promise.all([shared.close(), own.close()]))
  for (const { urls } of [shared, own]) assert.equal((await fetch(urls[0] ?? '')).status, 200)
})

test('several folders are served, with rules and a hook, from within another program', async (t) => {
  const dir = scratch(t)
  files(dir, { 'one/a.txt': 'a', 'two/b.txt': 'b', rules: `[${dir}/two]\nru=$NONE\n` })
  files(dir, { 'hook.mjs': `export const onRequest = ({ path }) => (path === '/x' ? { body: 'hook' } : undefined)` })
  const origin = { read: [`${dir}/one`, `${dir}/two`], rules: `${dir}/rules`, hook: `${dir}/hook.mjs` }
  const server = await serve(undefined, { ...anyPort, origin })
  t.after(() => server.close())
  const [url = ''] = server.urls
  assert.equal(await (await fetch(`${url}one/a.txt`)).text(), 'a')
  assert.equal((await fetch(`${url}two/b.txt`)).status, 403)
  assert.equal(await (await fetch(`${url}x`)).text(), 'hook')
})

test('a server that is closed no longer answers, and one that cannot start leaves nothing behind', async (t) => {
  const dir = scratch(t)
  const server = await serve(dir, anyPort)
  const [url = ''] = server.urls
  assert.equal((await fetch(url)).status, 200)
  await server.close()
  await assert.rejects(fetch(url))
  await assert.rejects(serve(`${dir}/missing`, anyPort), { code: 'not-found' })
  await assert.rejects(serve(dir, { http: { addr: ['nowhere'] } }), { code: 'usage' })
})
