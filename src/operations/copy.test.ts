import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { bodyOf } from '../base/body.ts'
import { onDemand } from '../base/derive.ts'
import { AppError } from '../base/error.ts'
import { extend } from '../layers/extend.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { relation } from './bridge.ts'
import { copyFile, moveFile } from './copy.ts'
import { openEnds } from './ends.ts'
import { transferOne } from './one.ts'
import { syncTrees } from './sync.ts'
import { type Bench, bench, harvest, plant } from './testing.ts'

async function fileAt(it: Bench, remote: Remote, path: string): Promise<FileEntry> {
  const entry = await remote.stat(it.ctx, path)
  assert.ok(entry?.kind === 'file')
  return entry
}

async function two(flags = {}): Promise<{ it: Bench; source: Remote; target: Remote }> {
  const it = bench(flags)
  const [source, target] = [await it.remotes.open(':memory:two/s'), await it.remotes.open(':memory:two/d')]
  await plant(it, source, { f: 'the content' })
  return { it, source, target }
}

/** A remote that is not of this machine, so that it copies by itself and checksums are compared. */
function distant(remote: Remote): Remote {
  return extend(remote, { info: { ...remote.info, traits: { emptyDirectories: true } } })
}

test('a copy keeps the time, and errors that may pass are tried again', async () => {
  const { it, source, target } = await two()
  let tries = 0
  const shaky = extend(source, {
    open: async (ctx, file, range) => {
      if (++tries < 3) throw new AppError('io', 'not now', { retry: 'now' })
      return await source.open(ctx, file, range)
    },
  })
  const file = await fileAt(it, source, 'f')
  const written = await copyFile(it.ctx, { source: shaky, file, target, path: 'g' })
  assert.equal(written?.modTime, file.modTime)
  assert.equal(tries, 3)
  assert.deepEqual(await harvest(it, target), { g: 'the content' })
})

test('a source that ends early or late stores nothing, and what was there stays', async () => {
  for (const body of ['the', 'the content and more']) {
    const { it, source, target } = await two()
    await plant(it, target, { f: 'old' })
    const wrong = extend(source, { open: async () => bodyOf(body) })
    const file = await fileAt(it, source, 'f')
    await assert.rejects(copyFile(it.ctx, { source: wrong, file, target, path: 'f' }))
    assert.deepEqual(await harvest(it, target), { f: 'old' })
    assert.equal(it.stats().errors, 1)
  }
})

test('a storage that fails before it asks for the first byte leaves nothing of the source open', async () => {
  const { it, source, target } = await two()
  const open = new Set<object>()
  const counting = extend(source, {
    open: async () => {
      const body = onDemand(
        () => bodyOf('the content'),
        () => void open.delete(body),
      )
      open.add(body)
      return body
    },
  })
  const failing = extend(target, {
    put: async () => {
      assert.equal(open.size, 1)
      throw new AppError('io', 'no')
    },
  })
  const file = await fileAt(it, source, 'f')
  await assert.rejects(copyFile(it.ctx, { source: counting, file, target: failing, path: 'f' }))
  assert.equal(open.size, 0)
})

test('bytes that were changed on their way are found by the checksum and removed', async () => {
  const { it, source, target } = await two()
  const wrong = extend(distant(source), { open: async () => bodyOf('the cOntent') })
  const file = {
    ...(await fileAt(it, source, 'f')),
    hashes: { md5: (await source.hash?.(it.ctx, await fileAt(it, source, 'f'), 'md5')) ?? '' },
  }
  await assert.rejects(copyFile(it.ctx, { source: wrong, file, target, path: 'f' }), /hashes differ/)
  const lying = extend(distant(target), {
    put: (ctx, path, _body, info) => target.put(ctx, path, bodyOf('the cOntent'), { modTime: info.modTime }),
  })
  await assert.rejects(copyFile(it.ctx, { source, file, target: lying, path: 'f' }), /corrupted on transfer/)
  assert.deepEqual(await harvest(it, target), {})
})

test('one storage copies and moves by itself', async () => {
  const { it, source, target } = await two()
  const bridge = { remote: distant(await it.remotes.open(':memory:two')), from: 's', to: 'd' }
  const silent = extend(source, { open: async () => Promise.reject(new AppError('io', 'must not be read')) })
  const file = await fileAt(it, source, 'f')
  await copyFile(it.ctx, { source: silent, file, target, path: 'x/copy', bridge })
  await moveFile(it.ctx, { source: silent, file, target, path: 'moved', bridge })
  assert.deepEqual(await harvest(it, target), { moved: 'the content', 'x/': '', 'x/copy': 'the content' })
  assert.deepEqual(await harvest(it, source), {})
  assert.ok(it.lines.includes('info: f: Copied (server-side copy) to: x/copy'))
  assert.ok(it.lines.includes('info: f: Moved (server-side) to: moved'))
})

test('a move that the storage refuses is a copy, and the source goes last', async () => {
  const { it, source, target } = await two()
  const remote = extend(await it.remotes.open(':memory:two'), {
    move: async () => Promise.reject(new AppError('io', 'another disk')),
  })
  const order: string[] = []
  const watched = extend(target, {
    hash: async (ctx, file, kind) => {
      order.push('read back')
      return (await target.hash?.(ctx, file, kind)) ?? ''
    },
  })
  const leaving = extend(source, {
    remove: async (ctx, file) => {
      order.push('removed')
      await source.remove(ctx, file)
    },
  })
  const file = await fileAt(it, source, 'f')
  await moveFile(it.ctx, { source: leaving, file, target: watched, path: 'f', bridge: { remote, from: 's', to: 'd' } })
  assert.deepEqual(order, ['read back', 'removed'])
  assert.deepEqual(await harvest(it, source), {})
})

test('moving a file onto itself leaves it alone', async () => {
  const { it } = await two()
  const ends = await openEnds(it.ctx, it.remotes, ':memory:two/s/f', ':memory:two/s')
  await transferOne(it.ctx, ends, { path: 'f', move: true })
  assert.deepEqual(await harvest(it, await it.remotes.open(':memory:two/s')), { f: 'the content' })
})

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-copy-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

test('on a disk, places are compared with links followed', (t) => {
  const dir = folder(t)
  mkdirSync(join(dir, 'a/b'), { recursive: true })
  symlinkSync('a/b', join(dir, 'link'))
  assert.equal(relation(join(dir, 'a'), join(dir, 'link')), 'overlap')
  assert.equal(relation(join(dir, 'link'), join(dir, 'a/b')), 'same')
  assert.equal(relation(join(dir, 'a'), join(dir, 'link/new/er')), 'overlap')
  assert.equal(relation(join(dir, 'a'), join(dir, 'ab')), 'apart')
  assert.equal(relation(dir, ':memory:x'), 'apart')
})

test('nothing is moved to the same place by another name', async (t) => {
  const dir = folder(t)
  writeFileSync(join(dir, 'f'), 'the only one')
  const it = bench()
  await syncTrees(it.ctx, await openEnds(it.ctx, it.remotes, dir, `:local:${dir}`), { mode: 'move' })
  await transferOne(it.ctx, await openEnds(it.ctx, it.remotes, `:local:${dir}/f`, dir), { path: 'f', move: true })
  assert.equal(readFileSync(join(dir, 'f'), 'utf8'), 'the only one')
})

test('a file is not moved onto itself by way of a link', async (t) => {
  const dir = folder(t)
  mkdirSync(join(dir, 'a'))
  writeFileSync(join(dir, 'a/f'), 'the only one')
  symlinkSync('a', join(dir, 'link'))
  const it = bench()
  for (const [from, to] of [
    ['a', 'link'],
    ['link', 'a'],
  ] as const) {
    const ends = await openEnds(it.ctx, it.remotes, join(dir, from, 'f'), join(dir, to))
    await transferOne(it.ctx, ends, { path: 'f', move: true })
    assert.equal(readFileSync(join(dir, 'a/f'), 'utf8'), 'the only one')
  }
  await it.remotes.close()
})

test('a disk renames within itself', async (t) => {
  const dir = folder(t)
  mkdirSync(join(dir, 's'))
  writeFileSync(join(dir, 's/a'), 'a')
  const it = bench()
  const ends = await openEnds(it.ctx, it.remotes, join(dir, 's/a'), join(dir, 'd/e'))
  await transferOne(it.ctx, ends, { path: 'b', move: true })
  assert.equal(readFileSync(join(dir, 'd/e/b'), 'utf8'), 'a')
  assert.deepEqual(readdirSync(join(dir, 's')), [])
  assert.equal(it.stats().serverSideMoves, 1)
  await it.remotes.close()
})

test('a large file from afar comes in several streams, whole or not at all', async (t) => {
  const dir = folder(t)
  const it = bench({ multiThreadCutoff: 1_000_000, multiThreadStreams: 3 })
  const bytes = Buffer.alloc(150 * 1024 * 1024 + 7)
  for (let at = 0; at < bytes.length; at += 4096) bytes.writeUInt32LE(at, Math.min(at, bytes.length - 4))
  const memory = await it.remotes.open(':memory:big')
  await memory.put(it.ctx, 'f', bodyOf(bytes), { modTime: 1_600_000_000_000_000_000n })
  const ranges: (number | undefined)[] = []
  let broken = true
  const source = extend(distant(memory), {
    open: async (ctx, file, range) => {
      ranges.push(range?.start)
      if (broken && range?.start) throw new AppError('io', 'this part is gone')
      return await memory.open(ctx, file, range)
    },
  })
  const target = await it.remotes.open(dir)
  const job = { source, file: await fileAt(it, memory, 'f'), target, path: 'copy' }
  await assert.rejects(copyFile(it.ctx, job), /this part is gone/)
  broken = false
  ranges.length = 0
  const written = await copyFile(it.ctx, job)
  assert.deepEqual(
    ranges.toSorted((a = 0, b = 0) => a - b),
    [0, 64 * 1024 * 1024, 128 * 1024 * 1024],
  )
  assert.equal(written?.modTime, 1_600_000_000_000_000_000n)
  assert.ok(readFileSync(join(dir, 'copy')).equals(bytes))
  assert.deepEqual(readdirSync(dir), ['copy'])
  await it.remotes.close()
})

test('a copy in several streams that is not what the source says never gets its name', async (t) => {
  const dir = folder(t)
  const it = bench({ multiThreadCutoff: 1_000_000, multiThreadStreams: 3 }, { retries: 1 })
  const memory = await it.remotes.open(':memory:sums')
  await memory.put(it.ctx, 'f', bodyOf(Buffer.alloc(70 * 1024 * 1024, 'a')), {})
  const source = extend(distant(memory), {
    open: async (ctx, file, range) =>
      range?.start ? bodyOf(Buffer.alloc(range.end - range.start, 'b')) : await memory.open(ctx, file, range),
  })
  const target = await it.remotes.open(dir)
  await plant(it, target, { copy: 'what was there' })
  const job = { source, file: await fileAt(it, memory, 'f'), target, path: 'copy' }
  await assert.rejects(copyFile(it.ctx, job), /corrupted on transfer: md5 hashes differ/)
  assert.deepEqual(await harvest(it, target), { copy: 'what was there' })
  await it.remotes.close()
})
