import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { files, scratch, serve, sluice } from '../program.ts'

test('one command serves the folder it is started in and prints the URL', async (t) => {
  const dir = scratch(t)
  files(dir, { 'hello.txt': 'hello\n' })
  const server = await serve(t, ['serve'], { cwd: dir })
  assert.equal(await (await fetch(new URL('hello.txt', server.url))).text(), 'hello\n')
  assert.match(await (await fetch(server.url)).text(), /hello\.txt/)
})

test('a missing root ends the start with status 3 and says which', async (t) => {
  const missing = `${scratch(t)}/nowhere`
  const { code, stderr } = await sluice(['serve', 'http', missing, '--addr', '127.0.0.1:0'])
  assert.equal(code, 3)
  assert.match(stderr, /nowhere/)
})

test('with --allow-missing-root a missing root is an empty folder', async (t) => {
  const server = await serve(t, ['serve', 'http', `${scratch(t)}/later`, '--allow-missing-root'])
  assert.equal((await fetch(server.url)).status, 200)
})

test('a port in use is an error that names the address', async (t) => {
  const dir = scratch(t)
  const server = await serve(t, ['serve', 'http', dir])
  const { code, stderr } = await sluice(['serve', 'http', dir, '--addr', `127.0.0.1:${server.port}`])
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${server.port}`))
})

test('when the usual port is in use, the short command takes another one', async (t) => {
  const busy = createServer()
  await new Promise<void>((resolve) => {
    busy.once('error', () => resolve()) // in use already: just as well
    busy.listen(8080, '127.0.0.1', resolve)
  })
  t.after(() => busy.close())
  const server = await serve(t, ['serve', scratch(t)], { addr: [] })
  assert.match(server.log(), /127\.0\.0\.1:8080 is in use by another server: taking another port/)
  assert.equal((await fetch(server.url)).status, 200)
  assert.equal((await sluice(['serve', 'http', scratch(t)])).code, 1)
})

test('an unknown flag names the nearest one and ends with status 2', async () => {
  const { code, stderr } = await sluice(['serve', 'http', '.', '--vfs-cash-mode', 'full'])
  assert.equal(code, 2)
  assert.match(stderr, /unknown flag: --vfs-cash-mode\. Did you mean --vfs-cache-mode\?/)
})

test('a public address without a login warns loudly', async (t) => {
  const server = await serve(t, ['serve', 'http', scratch(t)], { addr: ['--addr', '0.0.0.0:0'] })
  await server.logged(/WARNING: everybody .* can read everything that is served: there is no login/)
  const drop = await serve(t, ['serve', 'http', '--write', scratch(t)], { addr: ['--addr', '0.0.0.0:0'] })
  const live = await serve(t, ['live', '/a'], { addr: ['--addr', '0.0.0.0:0'] })
  await live.logged(/WARNING: everybody .* can listen, and publish: there is no login/)
  const receive = await serve(t, ['receive'], { addr: ['--addr', '0.0.0.0:0'] })
  await receive.logged(/WARNING: everybody .* can send to it: there is no login/)
  await drop.logged(/WARNING: everybody .* can read everything that is served, and upload: there is no login/)
})

test('SIGTERM ends it with status 0', async (t) => {
  const server = await serve(t, ['serve', 'http', scratch(t)])
  assert.equal(await server.stop('SIGTERM'), 0)
})

test('a setting from the environment counts, in either spelling', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a', 'b.json': '{}' })
  const server = await serve(t, ['serve', 'http', dir], { env: { RCLONE_EXCLUDE: '*.json', SLUICE_BASEURL: 'x' } })
  assert.equal((await fetch(new URL('a.txt', server.url))).status, 200)
  assert.match(server.url, /\/x\/$/)
  assert.equal((await fetch(new URL('b.json', server.url))).status, 404)
})
