import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Filter } from '../core/filter.ts'
import { extend } from '../layers/extend.ts'
import type { Remote } from '../remote/remote.ts'
import { deleteAt, deleteFiles, purge, removeEmptyFolders, removeFolder } from './delete.ts'
import { bench, harvest, plant } from './testing.ts'

const noLogs: Filter = {
  empty: false,
  markers: [],
  includes: (path) => !path.endsWith('.log'),
  includesDirectory: () => true,
}
const tree = { a: '1', 'x/b': '2', 'x/c.log': '3', 'y/z/': '' }

test('delete takes files that the filter shows and leaves folders', async () => {
  const it = bench({}, { filter: noLogs })
  const remote = await it.remotes.open(':memory:d')
  await plant(it, remote, tree)
  await deleteFiles(it.ctx, remote)
  assert.deepEqual(await harvest(bench(), remote), { 'x/': '', 'x/c.log': '3', 'y/': '', 'y/z/': '' })
  assert.equal(it.stats().deletes, 2)
})

test('delete --rmdirs removes folders that are empty then, but not the root', async () => {
  const it = bench()
  const remote = await it.remotes.open(':memory:d')
  await plant(it, remote, tree)
  await deleteFiles(it.ctx, remote, { rmdirs: true })
  assert.deepEqual(await harvest(it, remote), {})
  assert.ok(await remote.stat(it.ctx, ''))
})

test('folders that hold only what the filter hides are not empty', async () => {
  const it = bench({}, { filter: noLogs })
  const remote = await it.remotes.open(':memory:d')
  await plant(it, remote, { 'x/y/c.log': '3', 'x/e/': '', 'e/f/': '' })
  await removeEmptyFolders(it.ctx, remote, '')
  assert.deepEqual(await harvest(bench(), remote), { 'x/': '', 'x/y/': '', 'x/y/c.log': '3' })
  assert.equal(it.stats().errors, 0)
})

test('purge takes everything, with and without help of the storage', async () => {
  for (const helped of [true, false]) {
    const it = bench({}, { filter: noLogs })
    const opened = await it.remotes.open(':memory:d/e')
    const remote = helped ? opened : Object.defineProperty(extend(opened, {}), 'purge', { value: undefined })
    await plant(it, opened, tree)
    await purge(it.ctx, remote, '')
    assert.equal(await opened.stat(it.ctx, ''), undefined)
    assert.equal(it.stats().deletedDirs, helped ? 1 : 4)
    await assert.rejects(purge(it.ctx, remote, ''), { code: 'not-found', message: 'directory not found' })
  }
})

test('what is stopped while it deletes leaves the rest', async () => {
  const it = bench()
  const opened = await it.remotes.open(':memory:d/e')
  await plant(it, opened, Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, 'x'])))
  const purged = (...[ctx, remote]: Parameters<typeof deleteFiles>) => purge(ctx, remote, '')
  for (const work of [deleteFiles, purged]) {
    const stop = new AbortController()
    const remove: Remote['remove'] = (ctx, file) => opened.remove(ctx, file).finally(() => stop.abort())
    const remote = Object.defineProperty(extend(opened, { remove }), 'purge', { value: undefined })
    await assert.rejects(work(it.ctx.with({ signal: stop.signal }), remote), { code: 'aborted' })
    assert.ok(Object.keys(await harvest(it, opened)).length > 80)
  }
})

test('a dry run deletes nothing', async () => {
  const it = bench({ dryRun: true })
  const plain = bench()
  const remote = await it.remotes.open(':memory:d')
  await plant(it, remote, tree)
  await deleteFiles(it.ctx, remote, { rmdirs: true })
  await removeEmptyFolders(it.ctx, remote, '')
  await removeFolder(it.ctx, remote, 'y/z')
  await purge(it.ctx, remote, '')
  await deleteAt(it.ctx, remote, 'a')
  assert.deepEqual(Object.keys(await harvest(plain, remote)), ['a', 'x/', 'x/b', 'x/c.log', 'y/', 'y/z/'])
})

test('deletefile is for files, and rmdir for folders that are empty', async () => {
  const it = bench()
  const remote = await it.remotes.open(':memory:d')
  await plant(it, remote, tree)
  await assert.rejects(deleteAt(it.ctx, remote, 'x'), { code: 'is-directory' })
  await assert.rejects(deleteAt(it.ctx, remote, 'nope'), { code: 'not-found', message: 'object not found' })
  await assert.rejects(removeFolder(it.ctx, remote, 'x'), { code: 'not-empty', message: 'directory not empty' })
  await assert.rejects(removeFolder(it.ctx, remote, 'nope'), { code: 'not-found', message: 'directory not found' })
})

test('--max-delete holds for delete and purge', async () => {
  for (const work of [deleteFiles, (...[ctx, remote]: Parameters<typeof deleteFiles>) => purge(ctx, remote, '')]) {
    const it = bench({ maxDelete: 1 })
    const remote = await it.remotes.open(':memory:d')
    await plant(it, remote, tree)
    await assert.rejects(work(it.ctx, remote), { stop: 'fatal' })
    const left = Object.keys(await harvest(it, remote)).filter((path) => !path.endsWith('/'))
    assert.equal(left.length, 2)
  }
})
