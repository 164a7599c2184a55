import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { AppError } from '../base/error.ts'
import type { Filter } from '../core/filter.ts'
import { testContext } from '../core/testing.ts'
import { chaos } from '../layers/chaos.ts'
import { extend } from '../layers/extend.ts'
import type { Remote } from '../remote/remote.ts'
import { type Ends, openEnds } from './ends.ts'
import type { CopyOptions } from './options.ts'
import { type SyncOptions, syncTrees } from './sync.ts'
import { bench, harvest, plant, type Tree } from './testing.ts'

interface Trial {
  readonly source: Tree
  readonly target?: Tree
  readonly flags?: Partial<CopyOptions>
  readonly filter?: Filter
  readonly mode?: SyncOptions['mode']
  readonly options?: Partial<SyncOptions>
  /** Changes the ends before the run. */
  readonly broken?: (ends: Ends) => Ends
  readonly backupDir?: string
}

/** Runs a sync between two folders in memory and tells what came of it. */
async function trial({ source, target = {}, flags, filter, mode = 'sync', options, broken }: Trial) {
  const it = bench(flags, filter ? { filter } : {})
  const plain = bench()
  const [from, to] = [await it.remotes.open(':memory:store/s'), await it.remotes.open(':memory:store/d')]
  const root = await it.remotes.open(':memory:store')
  await root.mkdir(it.ctx, 's')
  await plant({ ...it, ctx: plain.ctx }, from, source)
  await plant({ ...it, ctx: plain.ctx }, to, target)
  const ends = await openEnds(it.ctx, it.remotes, ':memory:store/s', ':memory:store/d')
  const error = await syncTrees(it.ctx, broken ? broken(ends) : ends, { mode, ...options }).then(
    () => undefined,
    (reason: unknown) => reason as AppError,
  )
  const view = { ...it, ctx: plain.ctx }
  const exists = async (path: string) => (await root.stat(plain.ctx, path)) !== undefined
  return {
    error,
    lines: it.lines,
    stats: it.stats(),
    source: (await exists('s')) ? await harvest(view, from) : {},
    target: (await exists('d')) ? await harvest(view, to) : {},
    all: await harvest(view, root),
  }
}

const late = Date.UTC(2022, 0, 1)

test('sync makes the destination the same, deleting files first and then folders', async () => {
  const { target, error, stats } = await trial({
    source: { 'a.txt': 'a', 'sub/b.txt': 'new', 'empty/': '' },
    target: { 'a.txt': 'a', 'sub/b.txt': 'old content', 'gone/x/y.txt': 'y', 'z.txt': 'z' },
  })
  assert.equal(error, undefined)
  assert.deepEqual(target, { 'a.txt': 'a', 'sub/': '', 'sub/b.txt': 'new' })
  assert.equal(stats.transfers, 1)
  assert.equal(stats.deletes, 2)
  assert.equal(stats.deletedDirs, 2)
})

test('copy deletes nothing', async () => {
  const { target } = await trial({ mode: 'copy', source: { a: '1' }, target: { b: '2' } })
  assert.deepEqual(target, { a: '1', b: '2' })
})

test('empty folders are created when that is asked for', async () => {
  const { target } = await trial({ source: { 'a/b/': '', c: '' }, options: { createEmptySrcDirs: true } })
  assert.deepEqual(target, { 'a/': '', 'a/b/': '', c: '' })
})

test('the same size and time is the same file; another time but the same checksum only sets the time', async () => {
  const { lines, stats, error } = await trial({
    source: { same: 'one', touched: ['two', late], other: ['abc', late] },
    target: { same: 'xyz', touched: 'two', other: 'cba' },
  })
  assert.equal(error, undefined)
  assert.equal(stats.transfers, 1)
  assert.ok(lines.includes('info: touched: Updated modification time in destination'))
  assert.ok(lines.includes('info: other: Copied (replaced existing)'))
})

const kept: readonly (readonly [string, Partial<CopyOptions>, Tree, Tree, string])[] = [
  [
    '--checksum finds content that changed behind the same size and time',
    { checksum: true },
    { a: 'new' },
    { a: 'old' },
    'new',
  ],
  ['--size-only does not', { sizeOnly: true }, { a: ['new', late] }, { a: 'old' }, 'old'],
  ['--ignore-times copies anyway', { ignoreTimes: true }, { a: 'new' }, { a: 'old' }, 'new'],
  ['--ignore-existing leaves everything alone', { ignoreExisting: true }, { a: 'longer' }, { a: 'old' }, 'old'],
  ['--update leaves newer files alone', { updateOlder: true }, { a: 'source' }, { a: ['newer', late] }, 'newer'],
  ['--update replaces older files', { updateOlder: true }, { a: ['source', late] }, { a: 'older' }, 'source'],
  ['--ignore-size goes by the time', { ignoreSize: true }, { a: 'longer' }, { a: 'old' }, 'old'],
]
for (const [name, flags, source, target, wanted] of kept)
  test(name, async () => {
    const result = await trial({ flags, source, target })
    assert.equal(result.error, undefined)
    assert.deepEqual(result.target, { a: wanted })
  })

test('--immutable fails and changes nothing', async () => {
  const { error, target } = await trial({ flags: { immutable: true }, source: { a: 'new one' }, target: { a: 'old' } })
  assert.equal(error?.message, 'immutable file modified')
  assert.equal(error?.stop, 'no-retry')
  assert.deepEqual(target, { a: 'old' })
})

for (const flags of [{}, { deleteBefore: true }, { deleteDuring: true }, { deleteAfter: true }])
  test(`nothing is deleted after a listing failed: ${JSON.stringify(flags)}`, async () => {
    for (const side of ['source', 'target'] as const) {
      const { error, target, lines } = await trial({
        flags,
        source: { 'a/1': '1', 'b/2': '2' },
        target: { 'a/1': '1', 'a/old': 'x', 'b/old': 'y', 'z/old': 'z' },
        broken: (ends) => ({ ...ends, [side]: failingList(ends[side], 'a') }),
      })
      assert.equal(error?.message, 'the listing broke')
      assert.equal(target['a/old'], 'x')
      assert.equal(target['b/old'], 'y')
      assert.equal(target['z/old'], 'z')
      assert.ok(lines.some((line) => line.includes('not deleting')) || flags.deleteDuring === true)
    }
  })

function failingList(remote: Ends['source'], dir: string): Ends['source'] {
  return extend(remote, {
    async *list(ctx, path) {
      yield* remote.list(ctx, path)
      if (path === dir) throw new AppError('io', 'the listing broke')
    },
  })
}

test('nothing is deleted after a copy failed, and the rest is copied all the same', async () => {
  const { error, target } = await trial({
    source: { bad: 'bad', good: 'good' },
    target: { old: 'old' },
    broken: (ends) => ({
      ...ends,
      source: extend(ends.source, {
        open: async (ctx, file, range) => {
          if (file.path === 'bad') throw new AppError('io', 'unreadable')
          return await ends.source.open(ctx, file, range)
        },
      }),
    }),
  })
  assert.equal(error?.message, 'unreadable')
  assert.deepEqual(target, { good: 'good', old: 'old' })
})

test('--ignore-errors deletes after all', async () => {
  const { error, target } = await trial({
    flags: { ignoreErrors: true },
    source: { 'a/1': '1' },
    target: { old: 'old' },
    broken: (ends) => ({ ...ends, source: failingList(ends.source, 'a') }),
  })
  assert.equal(error?.message, 'the listing broke')
  assert.equal(target.old, undefined)
})

test('whatever fails when: nothing foreign is left, nothing whole is lost, and the next run completes it', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const source: Tree = { 'a/1': 'one', 'a/2': 'two', 'b/c/3': 'three', d: 'four' }
    const target: Tree = { 'a/1': 'old one', 'a/x': 'x', 'y/z': 'z' }
    const { error, target: after } = await trial({
      source,
      target,
      broken: (ends) => ({
        ...ends,
        source: chaos({ seed, percent: 15 })(ends.source),
        target: chaos({ seed: seed + 1000, percent: 15 })(ends.target),
      }),
    })
    for (const [path, content] of Object.entries(after))
      if (!path.endsWith('/'))
        assert.ok([source[path], target[path]].includes(content), `seed ${seed}: ${path} is ${content}`)
    if (error && !/rmdir|remove/.test(error.message)) {
      assert.equal(after['a/x'], 'x', `seed ${seed}: ${error.message}`)
      assert.equal(after['y/z'], 'z', `seed ${seed}`)
    } else if (!error) assert.deepEqual(Object.keys(after), ['a/', 'a/1', 'a/2', 'b/', 'b/c/', 'b/c/3', 'd'], `${seed}`)
  }
})

test('--dry-run changes nothing and counts what would be done', async () => {
  const tree = { a: '1', 'b/c': '2' }
  for (const mode of ['copy', 'sync', 'move'] as const) {
    const result = await trial({ flags: { dryRun: true }, mode, source: tree, target: { old: 'old', 'dir/old': '' } })
    assert.deepEqual(result.target, { 'dir/': '', 'dir/old': '', old: 'old' })
    assert.deepEqual(result.source, { a: '1', 'b/': '', 'b/c': '2' })
    assert.equal(result.stats.transfers, 2)
    assert.equal(result.stats.deletes, mode === 'sync' ? 2 : 0)
  }
})

test('what the filter hides at the destination stays, unless it is to be deleted', async () => {
  const filter: Filter = {
    empty: false,
    markers: [],
    includes: (path) => !path.endsWith('.keep'),
    includesDirectory: () => true,
  }
  const trees = { source: { a: '1' }, target: { 'x.keep': 'k', 'd/y.keep': 'k', 'd/z': 'z' } }
  const { target, error } = await trial({ filter, ...trees })
  assert.equal(error, undefined)
  assert.deepEqual(target, { a: '1', 'd/': '', 'd/y.keep': 'k', 'x.keep': 'k' })
})

test('--max-delete ends it with a fatal error', async () => {
  const { error, target } = await trial({ flags: { maxDelete: 1 }, source: { a: '' }, target: { x: '', y: '', z: '' } })
  assert.equal(error?.message, '--max-delete threshold reached')
  assert.equal(error?.stop, 'fatal')
  assert.equal(Object.keys(target).length, 3)
})

test('--max-delete-size counts the bytes of what is deleted', async () => {
  const trees = { source: { a: '' }, target: { x: '123', y: '123', z: '123' } }
  const { error, target } = await trial({ flags: { maxDeleteSize: 5 }, ...trees })
  assert.equal(error?.message, '--max-delete-size threshold reached')
  assert.equal(Object.keys(target).length, 3)
  assert.equal((await trial({ flags: { maxDeleteSize: 9 }, ...trees })).error, undefined)
})

test('--max-transfer ends it: at once, at the next file, or before a file that would be too much', async () => {
  // More than can run at once: the limit stops what has not begun.
  const source = Object.fromEntries(Array.from('abcdefghi', (name) => [name, name.repeat(100)]))
  const counts = []
  for (const cutoffMode of ['HARD', 'SOFT', 'CAUTIOUS'] as const) {
    const { error, target } = await trial({ flags: { maxTransfer: 150, cutoffMode }, source, mode: 'copy' })
    assert.equal(error?.stop, 'max-transfer')
    for (const [path, content] of Object.entries(target)) assert.equal(content, source[path])
    counts.push(Object.keys(target).length)
  }
  assert.ok((counts[0] ?? 0) <= 1)
  assert.ok((counts[1] ?? 0) >= 2)
  assert.equal(counts[2], 1)
})

test('a file is not overwritten with a folder, nor a folder with a file', async () => {
  const { error, target, lines } = await trial({
    source: { 'x/f': 'f', y: 'y' },
    target: { x: 'file', 'y/f': 'f', old: 'old' },
  })
  assert.ok(error)
  assert.deepEqual(target, { old: 'old', x: 'file', 'y/': '', 'y/f': 'f' })
  assert.ok(lines.includes("error: x/f: Failed to copy: can't overwrite file with directory"))
  assert.ok(lines.includes("error: y: Failed to copy: can't overwrite directory with file"))
})

test('what is deleted first makes room for a folder in place of a file, and for a file in place of a folder', async () => {
  const { error, target } = await trial({
    source: { 'x/f': 'f', y: 'y' },
    target: { x: 'file', 'y/f': 'f' },
    flags: { deleteBefore: true },
  })
  assert.equal(error, undefined)
  assert.deepEqual(target, { 'x/': '', 'x/f': 'f', y: 'y' })
})

test('move removes a source only when its copy is there', async () => {
  const moved = await trial({ mode: 'move', source: { a: '1', 'b/c': '2' }, target: { a: '1', old: 'o' } })
  assert.equal(moved.error, undefined)
  assert.deepEqual(moved.target, { a: '1', 'b/': '', 'b/c': '2', old: 'o' })
  assert.deepEqual(moved.source, { 'b/': '' })
  const failed = await trial({
    mode: 'move',
    source: { a: '1', b: '2' },
    target: { old: 'o' },
    broken: (ends) => ({
      ...ends,
      bridge: undefined,
      target: extend(ends.target, {
        put: async (ctx, path, body, info) => {
          const entry = await ends.target.put(ctx, path, body, info)
          if (path !== 'a') return entry
          // A storage that lies: it says it stored the file, and stored something else.
          return await ends.target.put(ctx, path, (await import('../base/body.ts')).bodyOf('?'), {})
        },
      }),
    }),
  })
  assert.match(failed.error?.message ?? '', /corrupted on transfer: md5 hashes differ/)
  assert.deepEqual(failed.source, { a: '1' })
  assert.deepEqual(failed.target, { b: '2', old: 'o' })
})

test('move renames a whole folder when there is nothing yet, and removes empty folders when asked', async () => {
  const whole = await trial({ mode: 'move', source: { 'a/b': '1' } })
  assert.deepEqual(whole.source, {})
  assert.deepEqual(whole.target, { 'a/': '', 'a/b': '1' })
  assert.ok(whole.lines.some((line) => line.includes('Server side directory move succeeded')))
  const emptied = await trial({
    mode: 'move',
    source: { 'a/b': '1' },
    target: { x: '' },
    options: { deleteEmptySrcDirs: true },
  })
  assert.deepEqual(emptied.source, {})
  assert.deepEqual(emptied.target, { 'a/': '', 'a/b': '1', x: '' })
})

test('--backup-dir keeps what is replaced and deleted; --suffix marks it', async () => {
  const { all, error } = await trial({
    flags: { backupDir: ':memory:store/old', suffix: '-1', suffixKeepExtension: true },
    source: { 'a.txt': 'new a' },
    target: { 'a.txt': 'old', 'sub/b.txt': 'b' },
  })
  assert.equal(error, undefined)
  assert.deepEqual(all, {
    'd/': '',
    'd/a.txt': 'new a',
    'old/': '',
    'old/a-1.txt': 'old',
    'old/sub/': '',
    'old/sub/b-1.txt': 'b',
    's/': '',
    's/a.txt': 'new a',
  })
  await assert.rejects(
    trial({ flags: { backupDir: ':memory:store/d/old' }, source: { a: '' } }),
    /destination and parameter to --backup-dir mustn't overlap/,
  )
})

test('--track-renames renames at the destination instead of copying', async () => {
  const { target, stats, error } = await trial({
    flags: { trackRenames: true },
    source: { 'new/name': 'the content', fresh: 'fresh' },
    target: { 'old/name': 'the content', gone: 'gone!' },
  })
  assert.equal(error, undefined)
  assert.deepEqual(target, { fresh: 'fresh', 'new/': '', 'new/name': 'the content' })
  assert.equal(stats.renames, 1)
  assert.equal(stats.transfers, 1)
  assert.equal(stats.deletes, 1)
})

test('overlapping places are refused for sync and move, in both directions', async () => {
  const it = bench()
  await plant(it, await it.remotes.open(':memory:o'), { 'a/b/c': 'c' })
  for (const [from, to] of [
    [':memory:o/a', ':memory:o/a/b'],
    [':memory:o/a/b', ':memory:o/a'],
    [':memory:o/a', ':memory:/o/a/'],
  ] as const) {
    const ends = await openEnds(it.ctx, it.remotes, from, to)
    await assert.rejects(syncTrees(it.ctx, ends, { mode: 'sync' }), { stop: 'fatal', message: /overlapping remotes/ })
  }
  const beside = await openEnds(it.ctx, it.remotes, ':memory:o/a/b', ':memory:o/a/b2')
  await syncTrees(it.ctx, beside, { mode: 'sync' })
})

test('--compare-dest leaves files out that are there already, --copy-dest copies them from there', async () => {
  for (const key of ['compareDest', 'copyDest'] as const) {
    const it = bench({ [key]: [':memory:store/ref', ':memory:store/ref2'] })
    await plant(it, await it.remotes.open(':memory:store/s'), { same: 'same', other: 'new!', there: 'there' })
    await plant(it, await it.remotes.open(':memory:store/ref'), { same: 'same', other: 'old' })
    await plant(it, await it.remotes.open(':memory:store/ref2'), { there: 'there' })
    await syncTrees(it.ctx, await openEnds(it.ctx, it.remotes, ':memory:store/s', ':memory:store/d'), { mode: 'copy' })
    const wanted = key === 'copyDest' ? { other: 'new!', same: 'same', there: 'there' } : { other: 'new!' }
    assert.deepEqual(await harvest(it, await it.remotes.open(':memory:store/d')), wanted)
  }
})

test('names that differ in their Unicode form are one file', async () => {
  const { target, stats } = await trial({ source: { 'u\u0308.txt': 'x' }, target: { '\u00fc.txt': 'x' } })
  assert.deepEqual(target, { '\u00fc.txt': 'x' })
  assert.equal(stats.transfers, 0)
})

test('--fix-case gives names of the destination the case of the source, without copying what is the same', async () => {
  const flags = { ignoreCaseSync: true, fixCase: true }
  const source = { 'Dir/': '', 'Dir/New': 'new', 'Dir/Sub/': '', 'Dir/Sub/File': 'same' }
  const target = { 'DIR/': '', 'DIR/SUB/': '', 'DIR/SUB/FILE': 'same', 'DIR/new': 'old content' }
  const kept = await trial({ source, target, flags: { ...flags, dryRun: true } })
  assert.deepEqual(kept.target, target)
  const fixed = await trial({ source, target, flags })
  assert.deepEqual(fixed.target, source)
  assert.deepEqual([fixed.stats.transfers, fixed.stats.renames], [1, 4])
})

test('--no-check-dest is refused beside what needs to know the destination', async () => {
  const trees = { source: { a: '1' }, target: { b: '2' } }
  for (const [mode, flags, message] of [
    ['sync', {}, /with sync: use copy instead/],
    ['copy', { immutable: true }, /with --immutable/],
    ['copy', { backupDir: ':memory:store/old' }, /with --backup-dir/],
  ] as const) {
    const { error, target } = await trial({ mode, flags: { noCheckDest: true, ...flags }, ...trees })
    assert.match(error?.message ?? '', message)
    assert.deepEqual(target, { b: '2' })
  }
})

test('the totals tell of all that is going to be copied, and are those of what was copied in the end', async () => {
  const totals: unknown[] = []
  const source = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, 'abc']))
  const { stats } = await trial({
    source,
    flags: { checkFirst: true },
    broken: (ends) => ({
      ...ends,
      target: extend(ends.target, {
        put(ctx, ...rest) {
          const { totalTransfers, totalBytes } = ctx.stats.snapshot() as Record<string, unknown>
          totals.push([totalTransfers, totalBytes])
          return ends.target.put(ctx, ...rest)
        },
      }),
    }),
  })
  assert.deepEqual(
    [totals[0], totals.at(-1)],
    [
      [9, 27],
      [9, 27],
    ],
  )
  assert.deepEqual([stats.totalTransfers, stats.transfers, stats.totalBytes], [9, 9, 27])
})

test('--order-by and --check-first decide what is copied first', async () => {
  const { lines } = await trial({
    mode: 'copy',
    flags: { orderBy: 'size,desc', checkFirst: true },
    source: { a: '1', b: '333', c: '22' },
  })
  const copied = lines.filter((line) => line.includes('Copied')).map((line) => line.split(' ')[1])
  assert.equal(copied.length, 3)
  assert.equal(
    lines.find((line) => line.includes('Copied')),
    'info: b: Copied (new)',
  )
})

test('--max-duration ends what runs', async () => {
  const { error } = await trial({
    mode: 'copy',
    flags: { maxDuration: 20 },
    source: { a: '1' },
    broken: (ends) => ({ ...ends, source: extend(ends.source, { open: async () => endless() }) }),
  })
  assert.equal(error?.stop, 'max-duration')
})

test('--max-duration is an error also when it interrupts nothing', async () => {
  const { error, target } = await trial({
    mode: 'copy',
    flags: { maxDuration: 1 },
    source: { a: '1' },
    broken: (ends) => ({ ...ends, source: extend(ends.source, { list: listedWhenAborted(ends.source) }) }),
  })
  assert.equal(error?.stop, 'max-duration')
  assert.deepEqual(target, {})
})

test('what is stopped between two files has not been done', async () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, 'x']))
  for (const mode of ['copy', 'sync', 'move'] as const) {
    const it = bench()
    const stop = new AbortController()
    await plant(it, await it.remotes.open(':memory:store/s'), many)
    const ends = await openEnds(it.ctx, it.remotes, ':memory:store/s', ':memory:store/d')
    const tell = () => stop.abort()
    await plant(it, ends.target, { there: 'x' })
    const done = syncTrees(it.ctx.with({ signal: stop.signal }), ends, { mode, tell })
    await assert.rejects(done, { code: 'aborted' }, mode)
    assert.ok(Object.keys(await harvest(it, ends.target)).length < 20, mode)
  }
})

function listedWhenAborted(remote: Remote): Remote['list'] {
  return async function* (ctx, dir) {
    if (!ctx.signal.aborted) await once(ctx.signal, 'abort')
    yield* remote.list(testContext(), dir)
  }
}

function endless(): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => ({ done: true, value: undefined }),
    }),
  }
}

test('a source that is missing is an error and not an empty folder', async () => {
  const it = bench()
  await plant(it, await it.remotes.open(':memory:t'), { a: '1' })
  const ends = await openEnds(it.ctx, it.remotes, ':memory:none', ':memory:t')
  await assert.rejects(syncTrees(it.ctx, ends, { mode: 'sync' }), { code: 'not-found', message: 'directory not found' })
  assert.deepEqual(await harvest(it, await it.remotes.open(':memory:t')), { a: '1' })
})
