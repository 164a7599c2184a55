import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Disk } from '../../backends/local/disk.ts'
import { testContext } from '../../core/testing.ts'
import { CacheFiles } from './files.ts'
import { Item, type ItemParts } from './item.ts'
import { Items } from './items.ts'
import { layoutOf } from './layout.ts'
import { Space } from './space.ts'
import { cacheDir, farRemote } from './testing.ts'

test('the room of a file that is dropped is free once the file is gone from the disk, not before', async (t) => {
  const { info } = await farRemote()
  const layout = layoutOf(cacheDir(t), 'far:', info)
  const files = new CacheFiles(layout)
  const space = new Space(layout.data, { maxSize: -1, minFree: -1 }, () => Promise.resolve(false))
  const parts: ItemParts = {
    ctx: testContext(),
    files,
    space,
    policy: { size: 0, limit: 0, streams: 0 },
    window: 0,
    ahead: 0,
    idleMs: 0,
    disk: new Disk(false),
    fetch: () => Promise.reject(new Error('fetches nothing')),
    source: () => Promise.reject(new Error('has no storage')),
  }
  const present = [{ start: 0, end: 1000 }]
  const item = new Item(parts, 'a', { modTime: 0n, aTime: 0n, size: 1000, present, fingerprint: '', dirty: false })
  const items = new Items(files)
  items.put(item)
  space.hold(1000)
  const turn = Promise.withResolvers<void>()
  const before = files.locked('a', () => turn.promise)
  const dropping = items.drop(item)
  assert.deepEqual([item.isGone, space.used], [true, 1000])
  turn.resolve()
  await Promise.all([before, dropping])
  assert.equal(space.used, 0)
})
