import assert from 'node:assert/strict'
import { test } from 'node:test'
import { files, scratch, serve } from '../program.ts'

test('browsers get an icon with --favicon, search engines are kept away where a login is needed', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const open = await serve(t, ['serve', 'http', dir, '--baseurl', 'files', '--favicon'])
  const icon = await fetch(`${open.url}favicon.ico`)
  assert.deepEqual([icon.status, icon.headers.get('content-type')], [200, 'image/svg+xml'])
  assert.equal((await fetch(`${open.url}robots.txt`)).status, 404)
  assert.equal((await fetch(new URL('/favicon.ico', open.url))).status, 404)
  await open.stop()
  const locked = await serve(t, ['serve', 'http', dir, '--user', 'me', '--pass', 'x'])
  const headers = { authorization: `Basic ${btoa('me:x')}` }
  assert.equal(await (await fetch(`${locked.url}robots.txt`, { headers })).text(), 'User-agent: *\nDisallow: /\n')
  assert.equal((await fetch(`${locked.url}favicon.ico`, { headers })).status, 404)
  files(dir, { 'favicon.ico': 'mine', 'robots.txt': 'mine' })
  for (const name of ['favicon.ico', 'robots.txt'])
    assert.equal(await (await fetch(locked.url + name, { headers })).text(), 'mine')
})
