import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uploadedNow } from '../../test/conformance/helpers.ts'
import { openEnds } from './ends.ts'
import type { CopyOptions } from './options.ts'
import { syncTrees } from './sync.ts'
import { bench, harvest, plant, type Tree } from './testing.ts'

async function trial(flags: Partial<CopyOptions>, source: Tree, target: Tree) {
  const it = bench(flags)
  const [from, to] = [await it.remotes.open(':memory:own/s'), await it.remotes.open(':memory:own/d')]
  await plant(it, from, source)
  await plant(it, to, target)
  const ends = await openEnds(it.ctx, it.remotes, ':memory:own/s', ':memory:own/d')
  const late = { ...ends, source: uploadedNow(ends.source), target: uploadedNow(ends.target) }
  await syncTrees(it.ctx, late, { mode: 'sync' })
  const copied = it.lines.filter((line) => line.includes('Copied')).map((line) => line.split(' ')[1])
  return { copied, renames: it.stats().renames, target: await harvest(it, to) }
}

test("--order-by modtime goes by the files' own times where listings have those of the uploads", async () => {
  const times = { a: ['1', 3000], b: ['2', 1000], c: ['3', 2000] } as const
  const { copied } = await trial({ orderBy: 'modtime', checkFirst: true }, times, { keep: '' })
  assert.equal(copied[0], 'b:')
})

test("--track-renames by modtime goes by the files' own times where listings have those of the uploads", async () => {
  const { renames, target } = await trial(
    { trackRenames: true, trackRenamesStrategy: ['modtime'] },
    { 'new/a': ['aaa', 1000], 'new/b': ['bbb', 2000] },
    { 'old/b': ['bbb', 2000], 'old/a': ['aaa', 1000] },
  )
  assert.equal(renames, 2)
  assert.deepEqual(target, { 'new/': '', 'new/a': 'aaa', 'new/b': 'bbb' })
})
