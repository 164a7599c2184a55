import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Server, scratch, serve } from '../program.ts'
import { cannotTrace, trace } from '../strace.ts'

const skip = cannotTrace()
/** One thread for all of the disk, so that the calls of a process are counted in their order. */
const env = { UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' }
/** Contents, too large to be held in memory: they go to the disk as they come. */
const versions = { old: 'o'.repeat(400_000), new: 'n'.repeat(400_000), again: 'a'.repeat(400_000) }
type Version = keyof typeof versions

/** Which of the contents this is. */
function versionOf(content: string): string {
  const found = Object.entries(versions).find(([, all]) => all === content)
  return found?.[0] ?? `neither: ${content.length} bytes`
}

async function put(server: Server, name: string, version: Version): Promise<number> {
  return (await fetch(server.url + name, { method: 'PUT', body: versions[version] })).status
}

async function get(server: Server, name: string): Promise<string> {
  return versionOf(await (await fetch(server.url + name)).text())
}

/** A server that writes to `dir`, or into a cache from which nothing is uploaded unless `delay` says so. */
async function writable(t: TestContext, dir: string, cache?: string, delay = '1h'): Promise<Server> {
  const cached =
    cache === undefined ? [] : ['--vfs-cache-mode', 'writes', '--vfs-write-back', delay, '--cache-dir', cache]
  return await serve(t, ['serve', 'http', dir, '--write', dir, '-v', ...cached], { env })
}

/** As `writable`; all that a request needs is loaded. */
async function warm(...args: Parameters<typeof writable>): Promise<Server> {
  const server = await writable(...args)
  await put(server, 'warm', 'old')
  await get(server, 'warm')
  return server
}

/** The file of a directory, which version it is. */
function stored(dir: string, name: string): string {
  return versionOf(readFileSync(join(dir, name), 'utf8'))
}

test('an upload is answered when its bytes, its name and its directory are on the disk', { skip }, async (t) => {
  for (const cache of [undefined, scratch(t)]) {
    const server = await warm(t, scratch(t), cache)
    for (const version of ['old', 'new'] as const) {
      const tracing = await trace(t, server.pid, { calls: 'write,writev,fsync,rename' })
      assert.ok((await put(server, 'folder/a.bin', version)) < 300)
      const lines = (await tracing.end()).split('\n')
      const renamed = lines.findIndex((line) => /rename\(.*\/a\.bin"\)/.test(line))
      const from = /rename\("[^"]*\/([^"/]+)"/.exec(lines[renamed] ?? '')?.[1] ?? 'none'
      const order = [
        lines.findIndex((line) => line.includes('fsync(') && line.includes(from)),
        renamed,
        lines.findIndex((line, i) => i > renamed && /fsync\(\d+<[^>]*\/folder>/.test(line)),
        lines.findIndex((line) => /write.*"HTTP\/1\.1 20[14]/.test(line)),
      ]
      assert.ok(!order.includes(-1), lines.join('\n'))
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    }
    await server.stop('SIGKILL')
  }
})

/** Calls that fail, and how. */
const FAULTS = [
  ['openat', 'ENOSPC'],
  ['pwrite64', 'EIO'],
  ['pwrite64', 'ENOSPC'],
  ['fsync', 'EIO'],
  ['fsync', 'ENOSPC'],
  ['rename', 'EIO'],
  ['rename', 'ENOSPC'],
  ['link', 'EIO'],
  ['unlink', 'EIO'],
  ['ftruncate', 'ENOSPC'],
] as const

/**
 * Replaces files, each time with one call that fails: the first of a kind, the second ..., until there are no more. Gives
 * what must be there, and what is there after an upload that was refused.
 */
async function withFaults(t: TestContext, server: Server) {
  const expected = new Map<string, string>()
  const refused = new Map<string, string>()
  for (const [call, error] of FAULTS)
    for (let nth = 1, hit = true; hit; nth++) {
      const name = `${call}-${error}-${nth}.bin`
      assert.equal(await put(server, name, 'old'), 201)
      const tracing = await trace(t, server.pid, { calls: call, inject: `error=${error}:when=${nth}` })
      const status = await put(server, name, 'new')
      hit = (await tracing.end()).includes('INJECTED')
      const now = await get(server, name)
      expected.set(name, now)
      if (status >= 300) refused.set(name, now)
      assert.ok(status === 204 || status === (error === 'ENOSPC' ? 507 : 500), `${name}: ${status}`)
      assert.ok(now === 'new' || (now === 'old' && status >= 300), `${name}: ${status}, ${now}`)
      if (nth % 2 === 0) continue
      assert.equal(await put(server, name, 'again'), 204, name)
      expected.set(name, 'again')
    }
  return { expected, refused }
}

test(
  'a disk that fails at any call of an upload costs neither the old file nor the next upload',
  { skip },
  async (t) => {
    const dir = scratch(t)
    const { expected, refused } = await withFaults(t, await warm(t, dir))
    assert.ok(refused.size >= 8, `${refused.size} were refused`)
    // Only when its directory cannot be put on the disk is a file there that was not acknowledged.
    for (const [name, now] of refused) if (!name.startsWith('fsync')) assert.equal(now, 'old', name)
    for (const [name, version] of expected) assert.equal(stored(dir, name), version, name)
  },
)

test('nor, in the file cache, anything that waits there to be uploaded', { skip }, async (t) => {
  const [dir, cache] = [scratch(t), scratch(t)]
  const server = await warm(t, dir, cache)
  const { expected, refused } = await withFaults(t, server)
  assert.ok(refused.size >= 12, `${refused.size} were refused`)
  for (const [name, now] of refused) assert.equal(now, 'old', name)
  await server.stop('SIGKILL')
  const again = await writable(t, dir, cache, '1ms')
  for (const [name, version] of expected) {
    assert.equal(await get(again, name), version, name)
    await again.logged(new RegExp(`${name}: vfs cache: upload succeeded`))
    assert.equal(stored(dir, name), version, name)
  }
})

test(
  'a server that ends at any call of an upload into the file cache has one of the two versions',
  { skip },
  async (t) => {
    const [dir, cache] = [scratch(t), scratch(t)]
    let server = await warm(t, dir, cache)
    let ends = 0
    for (const call of ['fsync', 'rename', 'link', 'unlink'])
      for (let nth = 1, hit = true; hit; nth++) {
        const name = `${call} ${nth}.bin`
        assert.equal(await put(server, name, 'old'), 201)
        const tracing = await trace(t, server.pid, { calls: call, inject: `signal=KILL:when=${nth}` })
        const status = await put(server, name, 'new').catch(() => undefined)
        hit = status === undefined
        await tracing.end()
        if (!hit) continue
        ends++
        server = await warm(t, dir, cache)
        assert.match(await get(server, name), /^(old|new)$/, name)
      }
    assert.ok(ends >= 8, `it ended ${ends} times`)
  },
)

test('what the storage refuses waits on, and is stored as soon as it does not', { skip }, async (t) => {
  const [dir, cache] = [scratch(t), scratch(t)]
  const rc = ['--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0']
  const args = ['--vfs-cache-mode', 'writes', '--vfs-write-back', '1h', '--cache-dir', cache]
  const server = await serve(t, ['serve', 'http', dir, '--write', dir, '-v', ...args, ...rc], { env })
  await server.logged(/remote control on \S+/)
  const control = /remote control on (\S+)/.exec(server.log())?.[1] ?? ''
  const call = async (method: string, input: object) => {
    const headers = { 'content-type': 'application/json' }
    return await (await fetch(control + method, { method: 'POST', headers, body: JSON.stringify(input) })).json()
  }
  const now = async () => {
    const { queue } = (await call('vfs/queue', {})) as { queue: { id: number }[] }
    await call('vfs/queue-set-expiry', { id: queue[0]?.id, expiry: 0 })
  }
  assert.equal(await put(server, 'a.bin', 'new'), 201)
  const tracing = await trace(t, server.pid, { calls: 'fsync', inject: 'error=EIO:when=1+' })
  await now()
  await server.logged(/a\.bin: vfs cache: failed to upload try #1/)
  await tracing.end()
  assert.ok(!existsSync(join(dir, 'a.bin')))
  assert.equal(await get(server, 'a.bin'), 'new')
  await now()
  await server.logged(/a\.bin: vfs cache: upload succeeded/)
  assert.equal(stored(dir, 'a.bin'), 'new')
})
