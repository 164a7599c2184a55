import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { orAbort } from '../../base/abort.ts'
import { bodyOf, collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { recordingLogger, testContext } from '../../core/testing.ts'
import { chaos } from '../../layers/chaos.ts'
import { extend } from '../../layers/extend.ts'
import type { Remote } from '../../remote/remote.ts'
import { bytesAt, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import type { Item } from './item.ts'
import { cacheDir, farRemote, openCached, watched } from './testing.ts'
import { WriteBack } from './write-back.ts'

const ctx = testContext()
const LATER = { writeBack: 3_600_000 }

async function text(remote: Remote, path: string): Promise<string> {
  return (await bytesAt(ctx, remote, path)).toString()
}

/** Resolves when the storage has as many files as that, counted from the start. */
async function storedCount({ stored }: { readonly stored: readonly string[] }, count: number): Promise<void> {
  while (stored.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function opened(t: TestContext, options = {}) {
  const far = watched(await farRemote())
  const dir = cacheDir(t)
  const cached = await openCached(dir, far.remote, options)
  t.after(() => cached.cache.close())
  return { ...cached, far, dir }
}

test('a file that waits is listed and read, with its folders, and is not at the storage yet', async (t) => {
  const { remote, far, cache } = await opened(t, LATER)
  await putText(ctx, far.remote, 'there/old.txt', 'old')
  await putText(ctx, remote, 'there/new.txt', 'new')
  await putText(ctx, remote, 'deep/er/new.txt', 'deeper')
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()].sort(), ['deep', 'there'])
  assert.deepEqual([...(await listed(ctx, remote, 'there')).keys()].sort(), ['there/new.txt', 'there/old.txt'])
  assert.deepEqual([...(await listed(ctx, remote, 'deep/er')).keys()], ['deep/er/new.txt'])
  assert.equal((await remote.stat(ctx, 'deep'))?.kind, 'directory')
  assert.equal(await text(remote, 'deep/er/new.txt'), 'deeper')
  assert.equal(await far.remote.stat(ctx, 'deep'), undefined)
  assert.deepEqual(
    cache.queue.map(({ name, size, tries, uploading }) => ({ name, size, tries, uploading })),
    [
      { name: 'there/new.txt', size: 3, tries: 0, uploading: false },
      { name: 'deep/er/new.txt', size: 6, tries: 0, uploading: false },
    ],
  )
  assert.equal(cache.stats.uploadsQueued, 2)
})

test('a file is uploaded when its time has come, with its time and type, and stays as a copy', async (t) => {
  const { remote, far, cache } = await opened(t, LATER)
  const modTime = 1_234_567_890_123_456_789n
  await remote.put(ctx, 'a.txt', bodyOf('text'), { modTime, contentType: 'text/strange' })
  const [{ id } = { id: 0 }] = cache.queue
  assert.throws(() => cache.setExpiry(99, 0, false), { code: 'invalid', message: 'id not found in queue' })
  cache.setExpiry(id, -3600, true)
  await storedCount(far, 1)
  const stored = await fileAt(ctx, far.remote, 'a.txt')
  assert.deepEqual([stored.size, stored.modTime, stored.contentType], [4, modTime, 'text/strange'])
  await cache.withoutUpload('a.txt', async () => {})
  far.fails = { open: new AppError('io', 'gone') }
  assert.equal(await text(remote, 'a.txt'), 'text')
  assert.deepEqual(cache.queue, [])
})

test('an upload that fails is tried again, after pauses that double, until it succeeds', async () => {
  const log = recordingLogger()
  let down = true
  const upload = () => (down ? Promise.reject(new AppError('io', 'the storage is down')) : Promise.resolve())
  const waiting = new WriteBack({ log, nextId: () => 7, delay: 0, transfers: 1, upload })
  await waiting.add({ path: 'a.txt', size: 8 } as Item)
  const delays: (number | undefined)[] = []
  for (let round = 0; round < 8; round++) {
    if (round > 0) waiting.setExpiry(7, 0, false)
    await waiting.tried('a.txt')
    delays.push(waiting.queue[0]?.delay)
  }
  assert.deepEqual(delays, [1, 2, 4, 8, 16, 32, 60, 60])
  assert.equal(waiting.queue[0]?.tries, 8)
  assert.match(
    log.lines.join('\n'),
    /a\.txt: vfs cache: failed to upload try #1, will retry in 1s: the storage is down/,
  )
  down = false
  waiting.setExpiry(7, 0, false)
  await waiting.tried('a.txt')
  assert.deepEqual(waiting.queue, [])
})

test('an upload that fails before its first byte leaves nothing open', async (t) => {
  const { remote, far, cache } = await opened(t, { writeBack: 0 })
  far.fails = { put: new AppError('io', 'no') }
  await putText(ctx, remote, 'a.txt', 'waits')
  assert.equal(cache.find('a.txt')?.dirty, true)
  assert.equal(cache.find('a.txt')?.inUse, false)
})

test('of a file that is replaced while it waits only the last version is uploaded', async (t) => {
  const { remote, far, cache } = await opened(t, LATER)
  for (const version of ['one', 'two, longer', '3']) await putText(ctx, remote, 'a.txt', version)
  assert.equal(cache.queue.length, 1)
  assert.equal(cache.stats.bytesUsed, 1)
  cache.setExpiry(cache.queue[0]?.id ?? 0, 0, false)
  await storedCount(far, 1)
  assert.equal(await text(far.remote, 'a.txt'), '3')
})

test('a file that is removed or renamed while it waits is never uploaded under its old name', async (t) => {
  const { remote, far, cache } = await opened(t, LATER)
  await putText(ctx, far.remote, 'gone.txt', 'an older version')
  const gone = await putText(ctx, remote, 'gone.txt', 'gone')
  const from = await putText(ctx, remote, 'from.txt', 'moved')
  await remote.remove(ctx, gone)
  await remote.move?.(ctx, from, 'new/to.txt')
  assert.equal(await remote.stat(ctx, 'gone.txt'), undefined)
  assert.equal(await far.remote.stat(ctx, 'gone.txt'), undefined)
  assert.equal(await remote.stat(ctx, 'from.txt'), undefined)
  assert.equal(await text(remote, 'new/to.txt'), 'moved')
  assert.deepEqual(
    cache.queue.map(({ name }) => name),
    ['new/to.txt'],
  )
})

test('a file that is removed while the storage stores what it was sent is not there afterwards', async (t) => {
  const far = await farRemote()
  const [sent, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow = extend(far, {
    // It has all it needs, whether anybody waits for the answer or not.
    async put(own, path, body, info) {
      const bytes = await collect(body)
      sent.resolve()
      const storing = answer.promise.then(() => far.put(ctx, path, bodyOf(bytes), info))
      return await orAbort(own.signal, storing)
    },
  })
  const { remote, cache } = await openCached(cacheDir(t), slow, { writeBack: 1 })
  t.after(() => cache.close())
  const file = await putText(ctx, remote, 'a.txt', 'gone')
  await sent.promise
  const removing = remote.remove(ctx, file)
  await new Promise((resolve) => setImmediate(resolve))
  answer.resolve()
  await removing
  assert.equal(await far.stat(ctx, 'a.txt'), undefined)
})

test('a removal that the storage refuses leaves the file waiting', async (t) => {
  const { remote, far, cache } = await opened(t, LATER)
  await putText(ctx, far.remote, 'a.txt', 'old')
  const file = await putText(ctx, remote, 'a.txt', 'new')
  far.fails = { remove: new AppError('denied', 'not yours') }
  await rejectsWith(remote.remove(ctx, file), 'denied')
  assert.equal(await text(remote, 'a.txt'), 'new')
  assert.equal(cache.queue.length, 1)
})

test('what waits at the end is told of, served after the next start, and uploaded then', async (t) => {
  const far = watched(await farRemote())
  const dir = cacheDir(t)
  const log = recordingLogger()
  const first = await openCached(dir, far.remote, LATER, testContext({ log }))
  await putText(ctx, first.remote, 'a/b.txt', 'waits')
  await first.cache.close()
  assert.match(log.lines.join('\n'), /notice: vfs cache: 1 files wait to be uploaded/)
  const second = await openCached(dir, far.remote, LATER)
  assert.equal(await text(second.remote, 'a/b.txt'), 'waits')
  assert.deepEqual([...(await listed(ctx, second.remote, 'a')).keys()], ['a/b.txt'])
  await second.cache.close()
  // Also by one that only takes over what others left.
  const third = await openCached(dir, far.remote, { cacheMode: 'minimal', writeBack: 1 })
  t.after(() => third.cache.close())
  await storedCount(far, 1)
  assert.equal(await text(far.remote, 'a/b.txt'), 'waits')
})

test('a file is there whole or not at all, wherever the program stops while it is placed', async (t) => {
  const far = await farRemote()
  const dir = cacheDir(t)
  const { remote, cache, layout } = await openCached(dir, far, LATER)
  await putText(ctx, remote, 'a.txt', 'acknowledged')
  await cache.close()
  // A record that was written, with data that has not got its name; one that was cut; data without a record.
  const metadata = JSON.parse(readFileSync(join(layout.meta, 'a.txt'), 'utf8')) as object
  const at = (name: string) => join(layout.pending, name)
  writeFileSync(at('1.data'), 'newer')
  writeFileSync(at('1.meta'), JSON.stringify({ ...metadata, Size: 5, Rs: [{ Pos: 0, Size: 5 }] }))
  writeFileSync(at('1.json'), JSON.stringify({ path: 'a.txt', from: at('1.data'), meta: at('1.meta') }))
  // One that was carried out, and was not removed.
  writeFileSync(at('0.json'), JSON.stringify({ path: 'a.txt', from: at('0.data'), meta: at('0.meta') }))
  writeFileSync(at('2.json'), '{"path":"a.txt","from":')
  writeFileSync(at('3.data'), 'nobody was told')
  const again = await openCached(dir, far, LATER)
  t.after(() => again.cache.close())
  assert.equal(await text(again.remote, 'a.txt'), 'newer')
  assert.deepEqual(readdirSync(layout.pending), [])
})

test('a file that rclone left with changes in some places is read whole before it is uploaded, and uploaded whole', async (t) => {
  const far = watched(await farRemote())
  const dir = cacheDir(t)
  const first = await openCached(dir, far.remote, LATER)
  await putText(ctx, first.remote, 'a.txt', 'as it was')
  first.cache.setExpiry(first.cache.queue[0]?.id ?? 0, 0, false)
  await storedCount(far, 1)
  await first.cache.close()
  const { layout } = first
  const metadata = JSON.parse(readFileSync(join(layout.meta, 'a.txt'), 'utf8')) as object
  writeFileSync(join(layout.meta, 'a.txt'), JSON.stringify({ ...metadata, Rs: [{ Pos: 3, Size: 2 }], Dirty: true }))
  writeFileSync(join(layout.data, 'a.txt'), '\0\0\0IT\0\0\0\0')
  const { remote, cache } = await openCached(dir, far.remote, LATER)
  t.after(() => cache.close())
  const file = await fileAt(ctx, remote, 'a.txt')
  await rejectsWith(remote.move?.(ctx, file, 'b.txt') ?? Promise.resolve(), 'busy')
  assert.equal(await text(remote, 'a.txt'), 'as IT was')
  cache.setExpiry(cache.queue[0]?.id ?? 0, 0, false)
  await storedCount(far, 2)
  assert.equal(await text(far.remote, 'a.txt'), 'as IT was')
})

test('a storage that fails now and then gets every file in the end, each as it was written', async (t) => {
  const far = await farRemote()
  const { remote, cache } = await openCached(cacheDir(t), chaos({ seed: 3, percent: 20 })(far), { writeBack: 1 })
  t.after(() => cache.close())
  const names = Array.from({ length: 30 }, (_, i) => `dir ${i % 3}/${i}.txt`)
  for (const name of names) await putText(ctx, remote, name, `content of ${name}`)
  while (cache.queue.length > 0) {
    for (const { id, uploading } of cache.queue) if (!uploading) cache.setExpiry(id, 0, false)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (const name of names) assert.equal(await text(far, name), `content of ${name}`)
})

test('on a full disk copies make room for what is written, and what fits nowhere is refused', async (t) => {
  const disk = smallDisk(t)
  if (disk === undefined) return t.skip('cannot mount a small disk')
  const far = watched(await farRemote())
  const bytes = Buffer.alloc(1_500_000, 'x')
  await far.remote.put(ctx, 'copy.bin', bodyOf(bytes), {})
  const { remote, cache } = await openCached(disk, far.remote, { ...LATER, handleCaching: 60_000 })
  await bytesAt(ctx, remote, 'copy.bin')
  await remote.put(ctx, 'new.bin', bodyOf(bytes), {})
  assert.equal(cache.find('copy.bin'), undefined)
  await rejectsWith(remote.put(ctx, 'more.bin', bodyOf(bytes), {}), 'no-space')
  // It is read all the same, and what waits is whole.
  assert.ok((await bytesAt(ctx, remote, 'copy.bin')).equals(bytes))
  assert.ok((await bytesAt(ctx, remote, 'new.bin')).equals(bytes))
  await cache.close()
  return undefined
})

/** A file system of 2 MB; undefined where this user may not mount one. */
function smallDisk(t: TestContext): string | undefined {
  const place = mkdtempSync(join(tmpdir(), 'sluice-small-'))
  mkdirSync(place, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', place], { stdio: 'ignore' })
  } catch {
    rmSync(place, { recursive: true })
    return undefined
  }
  t.after(() => {
    execFileSync('umount', ['-l', place])
    rmSync(place, { recursive: true })
  })
  return place
}
