import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { bytesAt, fileAt, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { files, scratch, sluice } from '../../../test/program.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import { testContext } from '../../core/testing.ts'
import { extend } from '../../layers/extend.ts'
import type { Remote } from '../../remote/remote.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { memoryBackend, memoryOptions } from '../memory/index.ts'
import { hasherBackend, hasherOptions } from './index.ts'

const sha1 = 'a9993e364706816aba3e25717850c26c9cd0d89d' // of abc

function withCache(dir: string): Context {
  return testContext().with({ values: new Map([[mainOptions, { cacheDir: dir }]]) })
}

async function memory(ctx: Context): Promise<Remote> {
  const openRemote = () => Promise.reject(new Error('not wanted here'))
  return await memoryBackend().open(ctx, { name: 'm', root: 'b', config: defaultsOf(memoryOptions), openRemote })
}

async function hashing(
  ctx: Context,
  below: Remote,
  change: Partial<Values<typeof hasherOptions>> = {},
): Promise<Remote> {
  const config = { ...defaultsOf(hasherOptions), remote: 'm:', ...change }
  return await hasherBackend.open(ctx, { name: 'h', root: '', config, openRemote: async () => below })
}

/** A remote without checksums. */
async function unhashed(ctx: Context): Promise<Remote> {
  const plain = await memory(ctx)
  return { ...extend(plain, {}), info: { ...plain.info, hashes: [] }, hash: undefined }
}

/** A remote without checksums below one that keeps SHA-1; also the way to open it anew, as another process would. */
async function place(t: TestContext, change: Partial<Values<typeof hasherOptions>> = {}) {
  const ctx = withCache(scratch(t))
  const below = await unhashed(ctx)
  const again = async () => {
    const remote = await hashing(ctx, below, { hashes: ['sha1'], ...change })
    t.after(async () => await remote.close?.())
    return remote
  }
  return { ctx, below, again, remote: await again() }
}

async function sumOf(ctx: Context, remote: Remote, path: string): Promise<string> {
  return (await remote.hash?.(ctx, await fileAt(ctx, remote, path), 'sha1')) ?? ''
}

remoteBehaviour('hasher', {
  async open() {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-hasher-'))
    const ctx = withCache(dir)
    const remote = await hashing(ctx, await unhashed(ctx), { hashes: ['sha1', 'sha256'] })
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

test('the checksum of what was stored is known, also to the next process, until the file changes', async (t) => {
  const { ctx, below, remote, again } = await place(t)
  assert.deepEqual(remote.info.hashes, ['sha1'])
  await putText(ctx, remote, 'a', 'abc')
  assert.equal(await sumOf(ctx, await again(), 'a'), sha1)
  await putText(ctx, below, 'a', 'abd')
  assert.equal(await sumOf(ctx, remote, 'a'), '')
})

test('the checksum of what is read from end to end is known from then on, that of a part is not', async (t) => {
  const { ctx, below, remote } = await place(t)
  await putText(ctx, below, 'a', 'abc')
  const file = await fileAt(ctx, remote, 'a')
  for await (const _ of await remote.open(ctx, file, { start: 1, end: 3 }));
  for await (const _ of await remote.open(ctx, file)) break
  assert.equal(await sumOf(ctx, remote, 'a'), '')
  await bytesAt(ctx, remote, 'a')
  assert.equal(await sumOf(ctx, remote, 'a'), sha1)
})

test('small files are read for their checksums when that is wanted', async (t) => {
  const { ctx, below, remote } = await place(t, { autoSize: 3 })
  await putText(ctx, below, 'a', 'abc')
  await putText(ctx, below, 'larger', 'abcd')
  assert.equal(await sumOf(ctx, remote, 'a'), sha1)
  assert.equal(await sumOf(ctx, remote, 'larger'), '')
})

test('a checksum goes with its file: to another name, folder and time', async (t) => {
  const { ctx, remote } = await place(t)
  await putText(ctx, remote, 'dir/a', 'abc')
  await remote.setModTime?.(ctx, await fileAt(ctx, remote, 'dir/a'), 10n ** 18n)
  assert.equal(await sumOf(ctx, remote, 'dir/a'), sha1)
  await remote.copy?.(ctx, await fileAt(ctx, remote, 'dir/a'), 'copy')
  assert.equal(await sumOf(ctx, remote, 'copy'), sha1)
  await remote.move?.(ctx, await fileAt(ctx, remote, 'copy'), 'dir/moved')
  assert.equal(await sumOf(ctx, remote, 'dir/moved'), sha1)
  if (remote.moveDirectory) {
    await remote.moveDirectory(ctx, 'dir', 'other')
    assert.equal(await sumOf(ctx, remote, 'other/moved'), sha1)
  }
})

test('a checksum is kept for as long as it is told to be', async (t) => {
  const { ctx, remote } = await place(t, { maxAge: 0 })
  await putText(ctx, remote, 'a', 'abc')
  assert.equal(await sumOf(ctx, remote, 'a'), '')
  const short = await place(t, { maxAge: 1 })
  await putText(short.ctx, short.remote, 'a', 'abc')
  for (const end = Date.now() + 5; Date.now() < end;);
  assert.equal(await sumOf(short.ctx, short.remote, 'a'), '')
})

test('lists of checksums are taken over, shown and dropped', async (t) => {
  const { ctx, below, remote } = await place(t)
  const list = await memory(ctx)
  await putText(ctx, list, 'sums', `${sha1}  dir/a\n${sha1} *missing\nnonsense\n`)
  await putText(ctx, below, 'dir/a', 'abc')
  const config = { ...defaultsOf(hasherOptions), remote: 'm:', hashes: ['sha1'] }
  const openRemote = async (spec: string) => (spec.startsWith('m:') ? below : list)
  const importing = await hasherBackend.open(ctx, { name: 'h', root: '', config, openRemote })
  t.after(async () => await importing.close?.())
  const command = (name: string, ...args: string[]) => importing.command?.(ctx, name, args, {})
  assert.deepEqual(await command('import', 'SHA1', ':memory:sums'), { imported: 1, missing: 1 })
  assert.equal(await sumOf(ctx, remote, 'dir/a'), sha1)
  assert.deepEqual(await command('stickyimport', 'sha1', ':memory:sums'), { imported: 2, missing: 0 })
  await putText(ctx, below, 'dir/a', 'changed')
  assert.equal(await sumOf(ctx, remote, 'dir/a'), sha1)
  const dump = (await command('dump')) as unknown as readonly { path: string; sticky: boolean }[]
  assert.deepEqual(
    dump.map(({ path, sticky }) => [path, sticky]),
    [
      ['dir/a', true],
      ['missing', true],
    ],
  )
  assert.equal(await command('drop'), null)
  assert.deepEqual(await command('fulldump'), [])
  await rejectsWith(importing.command?.(ctx, 'import', ['sha1'], {}) ?? Promise.resolve(), 'invalid')
  await rejectsWith(importing.command?.(ctx, 'nonsense', [], {}) ?? Promise.resolve(), 'unsupported')
})

test('hashsum gives what the remote remembers', async (t) => {
  const [store, cache] = [scratch(t), scratch(t)]
  files(store, { 'sub/a': 'abc' })
  const spec = `:hasher,remote='${store}',auto_size=1Ki:sub`
  for (let again = 0; again < 2; again++) {
    const { stdout } = await sluice(['hashsum', 'sha1', spec, '--cache-dir', cache])
    assert.equal(stdout, `${sha1}  a\n`)
  }
})

test('options that say nothing sensible are refused', async (t) => {
  const dir = scratch(t)
  files(dir, { file: '' })
  const ctx = withCache(dir)
  const below = await memory(ctx)
  for (const change of [{ remote: '' }, { remote: 'h:' }, { hashes: ['md6'] }])
    await rejectsWith(hashing(ctx, below, change), 'invalid')
  const unusable = withCache(join(dir, 'file'))
  const remote = await hashing(unusable, await unhashed(unusable))
  await rejectsWith(putText(unusable, remote, 'x', 'x'), 'io')
})
