import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { collect } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { testContext } from '../core/testing.ts'
import { defaultsOf } from '../schema/option.ts'
import { HttpClient } from './client.ts'
import { mayReach, type Reach } from './guard.ts'
import { netOptions } from './options.ts'

test('addresses of private networks, and those that stand for them, are told from those of the internet', () => {
  const outside = [
    '1.1.1.1',
    '93.184.215.14',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '2606:4700::1111',
    '64:ff9b::1.1.1.1',
  ]
  const inside = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'fd00::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::10.0.0.1',
    '2002:a00:1::',
    '::10.0.0.1',
    'no address',
  ]
  const own = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::7f00:1', '2002:7f00:1::']
  const of = (reach: Reach) => (address: string) => mayReach(address, reach)
  assert.deepEqual([...outside, ...inside, ...own].filter(of('public')), outside)
  assert.deepEqual([...outside, ...inside, ...own].filter(of('loopback')), [...outside, ...own])
  assert.ok([...outside, ...inside, ...own].every(of('all')))
})

test('a guarded client connects to no private address: by number, by name, or by a redirect', async (t) => {
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    if (request.url === '/away') response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    else response.end('inside')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  async function get(reach: Reach, url: string, env: Record<string, string> = {}): Promise<string> {
    const options = defaultsOf(netOptions)
    const client = new HttpClient({ options, connectTimeout: 2000, timeout: 2000, env, reach })
    try {
      const { body } = await client.request(testContext(), { method: 'GET', url: new URL(url), follow: true })
      return Buffer.from(await collect(body)).toString()
    } finally {
      client.close()
    }
  }
  const refused = (error: unknown) => error instanceof AppError && error.code === 'denied'
  for (const host of ['127.0.0.1', '2130706433', '127.1', '0177.0.0.1', '[::ffff:127.0.0.1]', '0.0.0.0', 'localhost'])
    await assert.rejects(get('public', `http://${host}:${port}/`), refused, host)
  assert.equal(asked, 0)
  assert.equal(await get('loopback', `http://localhost:${port}/`), 'inside')
  assert.equal(await get('all', `http://127.0.0.1:${port}/`), 'inside')
  await assert.rejects(get('loopback', `http://127.0.0.1:${port}/away`), refused)
  // A proxy looks names up by itself, so they are checked before it is asked; it may stand anywhere.
  const env = { HTTP_PROXY: `http://127.0.0.1:${port}/` }
  await assert.rejects(get('public', 'http://localhost/', env), refused)
  assert.equal(await get('public', 'http://1.1.1.1/', env), 'inside')
})
