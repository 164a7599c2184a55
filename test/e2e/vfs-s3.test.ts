import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { noise } from '../conformance/fixture.ts'
import { faultProxy } from '../fault-proxy.ts'
import { missing } from '../peers.ts'
import { files, run, scratch, serve, sluice } from '../program.ts'
import { swift, swiftPrograms } from '../servers/swift.ts'

const skip = missing('rclone', ...swiftPrograms)
const film = Buffer.alloc(9_000_000, noise(65_521, 'film'))

/** A bucket with a film, once as it is and once through a network that can be broken, and a server over the latter. */
async function place(t: TestContext, args: readonly string[]) {
  const dir = scratch(t)
  const { url, user, key } = await swift()
  const proxy = await faultProxy(t, Number(new URL(url).port))
  const section = (name: string, endpoint: string) =>
    `[${name}]\ntype = s3\nprovider = Other\nendpoint = ${endpoint}\naccess_key_id = ${user}\nsecret_access_key = ${key}\n`
  files(dir, {
    'r.conf': section('near', url) + section('far', `http://127.0.0.1:${proxy.port}`),
    'in/film.mp4': film,
  })
  const config = ['--config', join(dir, 'r.conf')]
  const bucket = `cached-${process.pid}-${Math.trunc(performance.now())}`
  const { code, stderr } = await sluice(['copy', join(dir, 'in'), `near:${bucket}`, ...config])
  assert.equal(code, 0, stderr)
  const cached = ['--vfs-cache-mode', 'full', '--cache-dir', join(dir, 'cache'), '--write', `far:${bucket}`, ...args]
  const quick = ['--low-level-retries', '1', '--timeout', '2s']
  const server = await serve(t, ['serve', 'http', `far:${bucket}`, ...config, ...cached, ...quick])
  const rclone = (...line: string[]) => run('env', ['-u', 'AWS_CA_BUNDLE', 'rclone', ...line, ...config])
  return { server, proxy, dir, bucket, rclone }
}

async function part(url: string, range: string): Promise<Buffer> {
  const response = await fetch(url, { headers: { range: `bytes=${range}` } })
  assert.equal(response.status, 206)
  return Buffer.from(await response.arrayBuffer())
}

test('a film of S3 is read from the cache while S3 is out of reach', { skip }, async (t) => {
  const { server, proxy } = await place(t, [])
  const url = `${server.url}film.mp4`
  assert.ok((await part(url, '4000000-4999999')).equals(film.subarray(4_000_000, 5_000_000)))
  assert.ok((await part(url, '0-')).equals(film))
  // A listing and a head, and each byte but for the pieces that were under way where two downloads met.
  assert.ok(proxy.bytes < film.length + 3_000_000, `${proxy.bytes} bytes came`)
  proxy.refuse(true)
  proxy.breakAll()
  assert.ok((await part(url, '100-8999999')).equals(film.subarray(100)))
})

test('an upload waits until S3 is there again, and is then as it was sent', { skip }, async (t) => {
  const { server, proxy, dir, bucket, rclone } = await place(t, ['--vfs-write-back', '300ms'])
  const content = Buffer.alloc(7_000_000, noise(65_521, 'upload'))
  files(dir, { 'out/new/take.bin': content })
  assert.equal((await fetch(`${server.url}new/take.bin`, { method: 'PUT', body: content })).status, 201)
  proxy.refuse(true)
  proxy.breakAll()
  await server.logged(/new\/take\.bin: vfs cache: failed to upload try #1, will retry in 1s/)
  assert.ok((await part(`${server.url}new/take.bin`, '5-')).equals(content.subarray(5)))
  // Then a network that breaks in the middle, for a while.
  proxy.refuse(false)
  proxy.faults((connection) => (connection % 3 === 0 ? { reset: 10 } : undefined))
  const arrived = async () => (await rclone('check', join(dir, 'out'), `near:${bucket}`, '--one-way')).code === 0
  while (!(await arrived())) await new Promise((resolve) => setTimeout(resolve, 200))
})
