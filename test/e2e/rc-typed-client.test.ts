import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { rcClient, isRcError } from '../../src/rc/client.ts'
import { find, missing } from '../peers.ts'
import { rcd } from '../program.ts'

const login = { user: 'Jörg', pass: 'geheim: ß' }
const loginFlags = ['--rc-user', login.user, '--rc-pass', login.pass]

test('the client calls with a login and below a base URL, and knows the types of answers', async (t) => {
  const server = await rcd(t, [...loginFlags, '--rc-baseurl', '/below/it'])
  const url = new URL('/below/it', server.url)
  const client = rcClient({ url, ...login })
  const { version, decomposed } = await client.call('core/version')
  assert.equal(version.split('-')[0], `v${decomposed.join('.')}`)
  const { obscured } = await client.call('core/obscure', { clear: 'x' })
  assert.ok(obscured.length > 20)
  assert.deepEqual(await client.call('rc/noop', { _group: 'g', a: [1, { b: 'ü' }] } as object), { a: [1, { b: 'ü' }] })
  // @ts-expect-error -- a parameter that is needed
  await assert.rejects(client.call('core/obscure', {}), { name: 'RcError', status: 400 })
  // @ts-expect-error -- no such method
  await assert.rejects(client.call('core/nothing'), { name: 'RcError', status: 404 })
})

test('errors of calls tell status, path and input', async (t) => {
  const server = await rcd(t, loginFlags)
  const client = rcClient({ url: server.url, ...login })
  const error: unknown = await client.call('job/status', { jobid: 99 }).catch((reason: unknown) => reason)
  assert.ok(isRcError(error))
  const { message, path, status, input } = error
  assert.deepEqual(
    { message, path, status, input },
    { message: 'job not found', path: 'job/status', status: 500, input: { jobid: 99 } },
  )
  const stranger = rcClient({ url: server.url, user: 'x', pass: 'y' })
  await assert.rejects(stranger.call('core/pid'), { name: 'RcError', status: 401, path: 'core/pid' })
})

test('jobs are begun, awaited and stopped', async (t) => {
  const server = await rcd(t)
  const client = rcClient({ url: server.url })
  const job = await client.start('core/obscure', { clear: 'x' })
  const { obscured } = await job.result()
  assert.ok(obscured.length > 20)
  const failing = await client.start('rc/error')
  await assert.rejects(failing.result(), { name: 'RcError', message: 'arbitrary error on input map[]', status: 500 })
  // A command that runs until it is told to end.
  const waiting = await client.start('core/command', { command: 'rcd', arg: ['--rc-addr', '127.0.0.1:0'] })
  const enough = new AbortController()
  const result = waiting.result({ signal: enough.signal })
  enough.abort(new Error('enough'))
  await assert.rejects(result, { message: 'enough' })
  // The job ends, whatever its command made of that.
  await waiting.result().catch(() => {})
  assert.equal((await client.call('job/status', { jobid: waiting.jobid })).finished, true)
})

test('an answer that is a stream is read as one', async (t) => {
  const server = await rcd(t)
  const client = rcClient({ url: server.url })
  const response = await client.request('core/command', { command: 'version', returnType: 'STREAM' })
  assert.match(await response.text(), /v\d+\.\d+[^]*\{\}\n$/)
})

const flags = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']

test(
  'a web page of an allowed origin uses the client, one of another origin can not',
  { skip: missing('chromium') },
  async (t) => {
    const source = readFileSync(join(import.meta.dirname, '../../src/rc/client.ts'), 'utf8')
    const script = stripTypeScriptTypes(source)
    const page = createServer((request, response) => {
      const isScript = request.url === '/client.js'
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
      response.end(isScript ? script : '<!doctype html><title>x</title>')
    }).listen(0, '127.0.0.1')
    await once(page, 'listening')
    const { port } = page.address() as AddressInfo
    const server = await rcd(t, [...loginFlags, '--rc-allow-origin', `http://127.0.0.1:${port}`])
    const browser = await chromium.launch({ executablePath: find('chromium') ?? '', args: flags })
    t.after(async () => {
      await browser.close()
      page.closeAllConnections()
      page.close()
    })
    const call = async (origin: string) => {
      const tab = await browser.newPage()
      await tab.goto(origin)
      return await tab.evaluate(
        async ({ url, user, pass, script }) => {
          const { rcClient: create } = (await import(script)) as {
            rcClient: typeof rcClient
          }
          const client = create({ url, user, pass })
          try {
            return JSON.stringify(await (await client.start('rc/noop', { a: 1 } as object)).result())
          } catch (error) {
            return `${(error as Error).name}: ${(error as Error).message}`
          }
        },
        { url: server.url, ...login, script: '/client.js' },
      )
    }
    assert.equal(await call(`http://127.0.0.1:${port}/`), '{"a":1}')
    assert.match(await call(`http://localhost:${port}/`), /^TypeError: /)
  },
)
