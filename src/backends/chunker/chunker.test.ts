import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, fileAt, listed, putText, rejectsWith, uploadedNow } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { missing } from '../../../test/peers.ts'
import { files, run, scratch, sluice } from '../../../test/program.ts'
import { throwIfAborted } from '../../base/abort.ts'
import { bodyOf, collect } from '../../base/body.ts'
import type { Context } from '../../core/context.ts'
import { testContext } from '../../core/testing.ts'
import { extend } from '../../layers/extend.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { localBackend, localOptions } from '../local/index.ts'
import { memoryBackend, memoryOptions } from '../memory/index.ts'
import { chunkerBackend, chunkerOptions } from './index.ts'
import { formatMetadata, parseMetadata } from './metadata.ts'
import { ChunkNames } from './names.ts'

type Change = Partial<Values<typeof chunkerOptions>>

const ctx = testContext()

function never(): Promise<never> {
  return Promise.reject(new Error('not wanted here'))
}

async function memory(): Promise<Remote> {
  return await memoryBackend().open(ctx, {
    name: 'm',
    root: 'bucket',
    config: defaultsOf(memoryOptions),
    openRemote: never,
  })
}

async function local(root: string): Promise<Remote> {
  return await localBackend().open(ctx, { name: 'local', root, config: defaultsOf(localOptions), openRemote: never })
}

async function chunker(below: Remote, change: Change = {}): Promise<Remote> {
  const config = { ...defaultsOf(chunkerOptions), remote: 'm:', chunkSize: 1000, ...change }
  return await chunkerBackend.open(ctx, { name: 'c', root: '', config, openRemote: async () => below })
}

const ways: Readonly<Record<string, Change>> = {
  'that renames': { chunkSize: 100_000 },
  'that renames nothing': { chunkSize: 100_000, transactions: 'norename' },
  'without metadata': { chunkSize: 100_000, metaFormat: 'none', hashType: 'none' },
  'with sums of all files': { chunkSize: 300_000, hashType: 'sha1all' },
  'of tiny chunks': { chunkSize: 5 * 1024, nameFormat: '*.part#', startFrom: 0 },
}

for (const [name, change] of Object.entries(ways))
  remoteBehaviour(`chunker ${name}`, {
    async open() {
      const remote = await chunker(await memory(), change)
      await remote.mkdir(ctx, '')
      return { ctx, remote, close: async () => {} }
    },
  })

remoteBehaviour('chunker over a store whose listings have the times of uploads', {
  async open() {
    const remote = await chunker(uploadedNow(await memory()), { chunkSize: 100_000 })
    await remote.mkdir(ctx, '')
    return { ctx, remote, close: async () => {} }
  },
})

test('names of chunks are those of rclone', () => {
  const names = new ChunkNames('*.rclone_chunk.###', 1)
  assert.equal(names.of('dir/a.bin', 0), 'dir/a.bin.rclone_chunk.001')
  assert.equal(names.of('a', 1233, '0abc'), 'a.rclone_chunk.1234_0abc')
  assert.deepEqual(names.parse('d/a.rclone_chunk.012'), { main: 'd/a', index: 11, txn: '' })
  assert.deepEqual(names.parse('a.rclone_chunk.001_0abcd'), { main: 'a', index: 0, txn: '0abcd' })
  assert.deepEqual(names.parse('a.rclone_chunk.001..tmp_1580000000'), {
    main: 'a',
    index: 0,
    txn: (1_580_000_000).toString(36),
  })
  assert.equal(names.parse('a.rclone_chunk._info')?.index, undefined)
  for (const plain of ['a', 'a.rclone_chunk.01', 'a.rclone_chunk.001_abc', '.rclone_chunk.001', 'a.rclone_chunk.000'])
    assert.equal(names.parse(plain), undefined, plain)
  for (const format of ['###*', '*.a', '*#.#', '*/#', 'x*#', '**#'])
    assert.throws(() => new ChunkNames(format, 1), { code: 'invalid' }, format)
})

test('metadata is that of rclone, and hardly anything else is taken for it', () => {
  const plain = '{"ver":1,"size":2500,"nchunks":3,"md5":"d41d8cd98f00b204e9800998ecf8427e"}'
  const metadata = { size: 2500, chunks: 3, md5: 'd41d8cd98f00b204e9800998ecf8427e', txn: '' }
  assert.equal(formatMetadata(metadata), plain)
  assert.deepEqual(parseMetadata(Buffer.from(plain)), metadata)
  assert.match(formatMetadata({ size: 1, chunks: 1, txn: '0abcd' }), /^\{"ver":2,.*"txn":"0abcd"\}$/)
  for (const other of [
    '',
    '{}',
    '[1]',
    '{"ver":1,"size":1}',
    '{"ver":0,"size":1,"nchunks":1}',
    `${plain}\n`,
    '{"ver":1,"size":1,"nchunks":1,"md5":"x"}',
  ])
    assert.equal(parseMetadata(Buffer.from(other)), undefined, other)
  assert.throws(() => parseMetadata(Buffer.from('{"ver":3,"size":1,"nchunks":1}')), { code: 'unsupported' })
})

test('a file larger than a chunk is split, and what is smaller stays as it is', async () => {
  const below = await memory()
  const remote = await chunker(below)
  const bytes = noise(2500, 'split')
  await remote.put(ctx, 'dir/large', bodyOf(bytes), { size: bytes.length })
  await putText(ctx, remote, 'dir/small', 'small')
  assert.deepEqual([...(await listed(ctx, below, 'dir')).keys()].toSorted(), [
    'dir/large',
    'dir/large.rclone_chunk.001',
    'dir/large.rclone_chunk.002',
    'dir/large.rclone_chunk.003',
    'dir/small',
  ])
  assert.equal((await fileAt(ctx, below, 'dir/large.rclone_chunk.003')).size, 500)
  assert.deepEqual([...(await listed(ctx, remote, 'dir')).keys()].toSorted(), ['dir/large', 'dir/small'])
  const middle = await collect(
    await remote.open(ctx, await fileAt(ctx, remote, 'dir/large'), { start: 990, end: 2010 }),
  )
  assert.ok(Buffer.from(middle).equals(bytes.subarray(990, 2010)))
  await putText(ctx, remote, 'dir/large', 'small now')
  assert.deepEqual([...(await listed(ctx, below, 'dir')).keys()].toSorted(), ['dir/large', 'dir/small'])
})

test('a file that looks like metadata is stored as a chunk, so that it comes back as it was', async () => {
  const below = await memory()
  const remote = await chunker(below)
  const text = '{"ver":1,"size":5,"nchunks":1}'
  await putText(ctx, remote, 'odd', text)
  assert.equal((await listed(ctx, below, '')).size, 2)
  assert.equal((await bytesAt(ctx, remote, 'odd')).toString(), text)
})

test('a file whose chunks are missing is left out, or an error when it has to be', async () => {
  const below = await memory()
  const remote = await chunker(below)
  await remote.put(ctx, 'x', bodyOf(noise(3000, 'x')), {})
  await below.remove(ctx, await fileAt(ctx, below, 'x.rclone_chunk.002'))
  assert.equal((await listed(ctx, remote, '')).size, 0)
  await rejectsWith(listed(ctx, await chunker(below, { failHard: true }), ''), 'io')
  await below.remove(ctx, await fileAt(ctx, below, 'x.rclone_chunk.003'))
  await rejectsWith(bytesAt(ctx, remote, 'x'), 'io')
})

test('an upload, a move or a removal that is stopped between its chunks is done to its end', async () => {
  for (const change of [{}, { metaFormat: 'none', hashType: 'none' }] as const) {
    const store = await memory()
    let stop = new AbortController()
    const stopping = async <T>(own: Context, work: Promise<T> | undefined) => {
      throwIfAborted(own.signal)
      const done = await work
      stop.abort()
      return done as T
    }
    const below = extend(store, {
      move: (own, file, to) => stopping(own, store.move?.(own, file, to)),
      remove: (own, file) => stopping(own, store.remove(own, file)),
    })
    const remote = await chunker(below, change)
    const [old, fresh] = [noise(3500, 'old'), noise(5500, 'new')]
    const put = (bytes: Uint8Array, own: Context, ifAbsent = false) =>
      remote.put(own, 'a', bodyOf(bytes), { size: bytes.length, ifAbsent })
    const stopped = async (work: (own: Context) => Promise<unknown>) => {
      stop = new AbortController()
      await rejectsWith(work(ctx.with({ signal: stop.signal })), 'aborted')
    }
    await put(old, ctx)
    await stopped((own) => put(fresh, own))
    // Whoever changes the same name next waits for its turn.
    await rejectsWith(put(old, ctx, true), 'exists')
    assert.ok((await bytesAt(ctx, remote, 'a')).equals(fresh))

    const file = await fileAt(ctx, remote, 'a')
    await stopped((own) => remote.move?.(own, file, 'b') as Promise<FileEntry>)
    await rejectsWith(remote.put(ctx, 'b', bodyOf('x'), { size: 1, ifAbsent: true }), 'exists')
    assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['b'])
    assert.ok((await bytesAt(ctx, remote, 'b')).equals(fresh))

    const moved = await fileAt(ctx, remote, 'b')
    await stopped((own) => remote.remove(own, moved))
    await remote.put(ctx, 'b', bodyOf('x'), { size: 1, ifAbsent: true })
    assert.equal((await listed(ctx, below, '')).size, 1)
  }
})

test('without metadata a directory is not moved to the name of a file, nor below it', async () => {
  const remote = await chunker(await memory(), { metaFormat: 'none', hashType: 'none' })
  await putText(ctx, remote, 'file', 'x')
  await putText(ctx, remote, 'dir/other', 'x')
  await rejectsWith(remote.moveDirectory?.(ctx, 'dir', 'file') as Promise<void>, 'exists')
  await rejectsWith(remote.moveDirectory?.(ctx, 'dir', 'file/below') as Promise<void>, 'not-directory')
})

test('names of chunks cannot be asked for, nor stored', async () => {
  const remote = await chunker(await memory())
  await remote.put(ctx, 'x', bodyOf(noise(3000, 'x')), {})
  assert.equal(await remote.stat(ctx, 'x.rclone_chunk.001'), undefined)
  await rejectsWith(putText(ctx, remote, 'x.rclone_chunk.001', 'evil'), 'invalid')
})

test('options that do not fit together are refused', async () => {
  const below = await memory()
  for (const change of [
    { metaFormat: 'none' },
    { metaFormat: 'none', hashType: 'none', transactions: 'norename' },
    { nameFormat: 'nothing' },
    { remote: '' },
    { remote: 'c:' },
    { chunkSize: 0 },
  ] as const)
    await rejectsWith(chunker(below, change), 'invalid')
})

for (const transactions of ['rename', 'norename'] as const)
  test(
    `rclone reads what is stored with ${transactions}, and the other way round`,
    { skip: missing('rclone') },
    async (t) => {
      const source = scratch(t)
      files(source, {
        'a.txt': 'a',
        'dir/large.bin': noise(250_000, 'large'),
        'dir/exact.bin': noise(100_000, 'exact'),
        empty: '',
      })
      for (const [mine, theirs] of [
        [sluice, rcloneRun],
        [rcloneRun, sluice],
      ] as const) {
        const store = scratch(t)
        const spec = `:chunker,remote='${store}',chunk_size=50000b,transactions=${transactions}:`
        const copied = await mine(['copy', source, spec])
        assert.equal(copied.code, 0, copied.stderr)
        assert.equal(readdirSync(join(store, 'dir')).length, 2 + 5 + 2)
        for (const how of [[], ['--download']]) {
          const checked = await theirs(['check', source, spec, ...how])
          assert.equal(checked.code, 0, checked.stderr)
          assert.match(checked.stderr, /4 matching files/)
        }
      }
    },
  )

test('both write the same, byte by byte', { skip: missing('rclone') }, async (t) => {
  const source = scratch(t)
  files(source, { 'x.bin': noise(120_001, 'x') })
  const stores = [await stored(t, sluice, source), await stored(t, rcloneRun, source)]
  assert.deepEqual(stores[0], stores[1])
})

async function stored(t: TestContext, program: typeof sluice, source: string): Promise<Record<string, string>> {
  const store = scratch(t)
  const { code, stderr } = await program(['copy', source, `:chunker,remote='${store}',chunk_size=50000b:`])
  assert.equal(code, 0, stderr)
  return Object.fromEntries(
    readdirSync(store)
      .toSorted()
      .map((name) => [name, readFileSync(join(store, name), 'latin1')]),
  )
}

test('a local store is not taken for more than it is', async (t) => {
  const dir = scratch(t)
  writeFileSync(join(dir, 'x.rclone_chunk.001'), 'orphan')
  const remote = await chunker(await local(dir))
  assert.equal((await listed(ctx, remote, '')).size, 0)
  const file: FileEntry = await putText(ctx, remote, 'x', 'plain')
  assert.equal(file.size, 5)
})

async function rcloneRun(args: readonly string[]) {
  return await run('rclone', [...args, '--config', '/nonexistent/rclone.conf'])
}
