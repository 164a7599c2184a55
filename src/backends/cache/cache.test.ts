import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { bodyOf, collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { testContext } from '../../core/testing.ts'
import { extend } from '../../layers/extend.ts'
import type { Remote } from '../../remote/remote.ts'
import { defaultsOf } from '../../schema/option.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { memoryBackend, memoryOptions } from '../memory/index.ts'
import { cacheBackend, cacheOptions, lastCache } from './index.ts'

const ctx = testContext()
const CHUNK = 64 * 1024

async function memory(root = ''): Promise<Remote> {
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  return await memoryBackend().open(ctx, { name: 'far', root, config: defaultsOf(memoryOptions), openRemote })
}

/** A storage that counts what it is asked, and can be cut off. */
function counted(inner: Remote) {
  const asked = { list: 0, open: 0, stat: 0 }
  const state = { down: false }
  const count = (what: keyof typeof asked) => {
    if (state.down) throw new AppError('io', 'cut off')
    asked[what]++
  }
  const remote = extend(inner, {
    list(own, dir) {
      count('list')
      return inner.list(own, dir)
    },
    async stat(own, path) {
      count('stat')
      return await inner.stat(own, path)
    },
    async open(own, file, range) {
      count('open')
      return await inner.open(own, file, range)
    },
  })
  return { remote, asked, state }
}

async function opened(dir: string, inner: Remote, config = {}, backend = cacheBackend()) {
  const all = { ...defaultsOf(cacheOptions), remote: 'far:', chunkSize: CHUNK, chunkPath: dir, dbPath: dir, ...config }
  return await backend.open(ctx, { name: 'kept', root: '', config: all, openRemote: async () => inner })
}

function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-chunks-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

remoteBehaviour('cache', {
  async open() {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-chunks-'))
    const remote = await opened(dir, await memory('below'))
    await remote.mkdir(ctx, '')
    return {
      ctx,
      remote,
      async close() {
        await remote.close?.()
        rmSync(dir, { recursive: true })
      },
    }
  },
})

test('what was read is there after a restart, without the storage', async (t) => {
  const far = counted(await memory())
  const dir = scratch(t)
  const content = noise(3 * CHUNK + 5, 'kept')
  await far.remote.put(ctx, 'dir/a.bin', bodyOf(content), {})
  const first = await opened(dir, far.remote)
  await listed(ctx, first, 'dir')
  assert.ok((await bytesAt(ctx, first, 'dir/a.bin')).equals(content))
  assert.equal(far.asked.open, 4)
  await first.close?.()
  far.state.down = true
  const second = await opened(dir, far.remote)
  assert.ok((await bytesAt(ctx, second, 'dir/a.bin')).equals(content))
  assert.deepEqual([...(await listed(ctx, second, 'dir')).keys()], ['dir/a.bin'])
  assert.equal(await second.stat(ctx, 'dir/none'), undefined)
  await second.close?.()
})

test('a piece that several ask for is fetched once, one that was damaged on the disk again', async (t) => {
  const far = counted(await memory())
  const dir = scratch(t)
  const content = noise(CHUNK - 1, 'shared')
  await far.remote.put(ctx, 'a.bin', bodyOf(content), {})
  const remote = await opened(dir, far.remote)
  const file = await fileAt(ctx, remote, 'a.bin')
  const read = async () => Buffer.from(await collect(await remote.open(ctx, file)))
  for (const got of await Promise.all([read(), read(), read()])) assert.ok(got.equals(content))
  assert.equal(far.asked.open, 1)
  const [piece = ''] = globSync(`${dir}/*/*/*/0`)
  const bytes = readFileSync(piece)
  bytes[100] = (bytes[100] ?? 0) ^ 1
  writeFileSync(piece, bytes)
  assert.ok((await read()).equals(content))
  assert.equal(far.asked.open, 2)
  await remote.close?.()
})

test('the most bytes are kept by dropping the pieces that were used longest ago', async (t) => {
  const far = counted(await memory())
  const dir = scratch(t)
  const backend = cacheBackend()
  const remote = await opened(dir, far.remote, { chunkTotalSize: 3 * CHUNK, workers: 1 }, backend)
  await far.remote.put(ctx, 'a.bin', bodyOf(noise(8 * CHUNK, 'a')), {})
  assert.ok((await bytesAt(ctx, remote, 'a.bin')).equals(noise(8 * CHUNK, 'a')))
  assert.equal(globSync(`${dir}/*/*/*/*`).length, 3)
  assert.equal(lastCache([backend])?.stats.bytes, 3 * CHUNK)
  await remote.close?.()
  assert.equal(lastCache([backend]), undefined)
})

test('another version, and what is expired, is read anew', async (t) => {
  const far = counted(await memory())
  const backend = cacheBackend()
  const remote = await opened(scratch(t), far.remote, {}, backend)
  await putText(ctx, far.remote, 'dir/a.txt', 'one')
  await listed(ctx, remote, 'dir')
  assert.equal((await bytesAt(ctx, remote, 'dir/a.txt')).toString(), 'one')
  // Behind its back: the listing is believed until it is expired.
  await putText(ctx, far.remote, 'dir/a.txt', 'three', { modTime: 10n ** 18n })
  const cache = lastCache([backend])
  assert.equal((await fileAt(ctx, remote, 'dir/a.txt')).size, 3)
  assert.equal(await cache?.expire('dir', false), 'directory')
  assert.equal((await bytesAt(ctx, remote, 'dir/a.txt')).toString(), 'three')
  await listed(ctx, remote, 'dir')
  assert.equal(await cache?.expire('dir/a.txt', true), 'file')
  await rejectsWith(cache?.expire('nowhere', false) ?? Promise.resolve(), 'invalid')
  // Through it at once.
  await putText(ctx, remote, 'dir/a.txt', 'seven..')
  assert.equal((await bytesAt(ctx, remote, 'dir/a.txt')).toString(), 'seven..')
  await remote.close?.()
})

test('pieces are fetched by their numbers', async (t) => {
  const far = counted(await memory())
  const backend = cacheBackend()
  const remote = await opened(scratch(t), far.remote, {}, backend)
  await far.remote.put(ctx, 'a.bin', bodyOf(noise(5 * CHUNK, 'a')), {})
  const cache = lastCache([backend])
  assert.equal(await cache?.fetch(ctx, 'a.bin', (count) => [0, count - 1, 4, 9]), 2)
  assert.equal(await cache?.fetch(ctx, 'a.bin', () => [0, 1]), 2)
  assert.equal(far.asked.open, 3)
  await rejectsWith(cache?.fetch(ctx, 'none', () => [0]) ?? Promise.resolve(), 'not-found')
  await remote.close?.()
})
