import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { begin, files, scratch } from '../program.ts'
import { web } from '../web.ts'

/** A web server with a folder whose one file never ends; `asked` resolves when somebody reads that. */
async function endless(t: TestContext): Promise<{ url: string; asked: Promise<void> }> {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const answer = (response: ServerResponse) => {
    response.setHeader('content-length', 1e9)
    response.write('new')
    resolve()
  }
  const url = await web(t, (request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end('<a href="a.txt">a.txt</a>')
    else if (request.url !== '/a.txt') response.writeHead(404).end()
    else if (request.method === 'HEAD') response.setHeader('content-length', 1e9).end()
    else answer(response)
  })
  return { url, asked }
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`${signal} ends a copy with status ${status}, and says what is left behind`, async (t) => {
    const { url, asked } = await endless(t)
    const dir = scratch(t)
    files(dir, { 'a.txt': 'old' })
    const { child, ended } = begin(t, ['copy', `:http,url="${url}":`, dir, '--retries', '3'])
    await asked
    child.kill(signal)
    const { code, stderr } = await ended
    assert.equal(code, status)
    assert.match(stderr, /Interrupted: files that were under way are left as they were before/)
    assert.doesNotMatch(stderr, /operation was aborted|Attempt/)
    assert.deepEqual([readdirSync(dir), readFileSync(join(dir, 'a.txt'), 'utf8')], [['a.txt'], 'old'])
  })

test('a command that changes nothing says that it was interrupted', async (t) => {
  const { url, asked } = await endless(t)
  const { child, ended } = begin(t, ['cat', `:http,url="${url}":a.txt`])
  await asked
  child.kill('SIGINT')
  const { code, stderr } = await ended
  assert.equal(code, 130, stderr)
  assert.match(stderr, /Interrupted before the end\n$/)
})

test('what is piped in is not stored when Ctrl-C ended the program in front as well', async (t) => {
  const file = join(scratch(t), 'dump.sql')
  const { child, ended } = begin(t, ['rcat', file, '-vv', '--rc', '--rc-addr', '127.0.0.1:0', '--rc-no-auth'])
  child.stdin?.write('half of it')
  for (let log = ''; !/Serving remote control/.test(log);) log += (await once(child.stderr ?? child, 'data')).join('')
  child.kill('SIGINT')
  child.stdin?.end()
  assert.equal((await ended).code, 130)
  assert.ok(!existsSync(file))
})
