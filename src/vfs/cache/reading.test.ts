import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { bodyOf, collect, FileSlice } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { Runs } from '../../base/runs.ts'
import { recordingLogger, testContext } from '../../core/testing.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, fileAt, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { cacheDir, farRemote, openCached, watched } from './testing.ts'

const MIB = 1024 * 1024
const ctx = testContext()

/** Bytes that look random, quickly made: they repeat themselves after a prime number of them. */
function bytes(size: number, seed: string): Buffer {
  return Buffer.alloc(size, noise(65_521, seed))
}

const film = bytes(6 * MIB, 'film')

async function withFilm() {
  const far = watched(await farRemote())
  await far.remote.put(ctx, 'film.mp4', bodyOf(film), { modTime: 10n ** 18n })
  return far
}

async function part(remote: Remote, file: FileEntry, start: number, end: number, own = ctx): Promise<Buffer> {
  return Buffer.from(await collect(await remote.open(own, file, { start, end })))
}

/** Opens a cache over a storage with a film; closed at the end. */
async function cachedFilm(t: TestContext, options = {}) {
  const far = await withFilm()
  const dir = cacheDir(t)
  const opened = await openCached(dir, far.remote, options)
  t.after(() => opened.cache.close())
  return { ...opened, far, dir, file: await fileAt(ctx, opened.remote, 'film.mp4') }
}

/** No byte was fetched twice, but for what was under way when a download ended where another had begun. */
function assertOnce(fetched: readonly { start: number; end: number }[]): void {
  const runs = new Runs()
  for (const range of fetched) runs.add(range)
  const twice = fetched.reduce((sum, { start, end }) => sum + end - start, 0) - runs.size
  assert.ok(twice < 64 * 1024, `${twice} bytes were fetched twice`)
}

test('readers of any places at once get their bytes, and no byte is fetched twice', async (t) => {
  const { remote, file, far } = await cachedFilm(t)
  const places = [0, 5 * MIB, 2 * MIB + 7, 0, 100, 2 * MIB, 6 * MIB - 10, 3 * MIB, 1, 5 * MIB - 1]
  await Promise.all(
    places.map(async (start) => {
      const end = Math.min(film.length, start + 1_500_000)
      assert.ok((await part(remote, file, start, end)).equals(film.subarray(start, end)), `from ${start}`)
    }),
  )
  assert.ok((await part(remote, file, 0, film.length)).equals(film))
  assertOnce(far.fetched)
})

test('a reader that seeks leaves the rest of the file alone, but for what is read ahead', async (t) => {
  const { remote, file, far } = await cachedFilm(t, { readAhead: MIB })
  await part(remote, file, 4 * MIB, 4 * MIB + 1000)
  const runs = new Runs()
  for (const range of far.fetched) runs.add(range)
  assert.equal(runs.ranges.length, 1)
  assert.ok(runs.end <= 4 * MIB + 1000 + 2 * MIB + 64 * 1024, `${runs.end}`)
})

test('what was read is still there after a restart, and only the rest is fetched', async (t) => {
  const far = await withFilm()
  const dir = cacheDir(t)
  const first = await openCached(dir, far.remote)
  const file = await fileAt(ctx, first.remote, 'film.mp4')
  await part(first.remote, file, MIB, 2 * MIB)
  await first.cache.close()
  const before = far.fetched.length
  const second = await openCached(dir, far.remote)
  t.after(() => second.cache.close())
  assert.ok((await part(second.remote, file, MIB, 2 * MIB)).equals(film.subarray(MIB, 2 * MIB)))
  assert.equal(far.fetched.length, before)
  assert.ok((await bytesAt(ctx, second.remote, 'film.mp4')).equals(film))
  assertOnce(far.fetched)
})

test('files and folders of a cache are for their owner alone, and its data is sparse', async (t) => {
  const { remote, file, cache, layout } = await cachedFilm(t)
  await part(remote, file, 5 * MIB, 5 * MIB + 10)
  await cache.clean()
  const [data, meta] = [join(layout.data, 'film.mp4'), join(layout.meta, 'film.mp4')]
  for (const path of [data, meta]) assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(layout.data).mode & 0o777, 0o700)
  assert.equal(statSync(data).size, film.length)
  assert.ok(statSync(data).blocks * 512 < film.length)
  assert.equal((JSON.parse(readFileSync(meta, 'utf8')) as { Dirty: boolean }).Dirty, false)
})

test('a whole file is read from the disk without asking for it again, as a slice of a file', async (t) => {
  const { remote, file, far } = await cachedFilm(t)
  await part(remote, file, 0, film.length)
  const before = far.fetched.length
  far.fails = { open: new AppError('io', 'the network is gone') }
  const body = await remote.open(ctx, file)
  assert.ok(body instanceof FileSlice)
  assert.ok(Buffer.from(await collect(body)).equals(film))
  assert.equal(far.fetched.length, before)
})

test('another version at the storage takes the place of the copy; who reads the old one gets no byte of it', async (t) => {
  const { remote, file, far } = await cachedFilm(t)
  await part(remote, file, 0, 1000)
  const reading = await remote.open(ctx, file)
  const chunks = reading[Symbol.asyncIterator]()
  assert.ok(Buffer.from((await chunks.next()).value ?? []).equals(film.subarray(0, 0 + 256 * 1024).subarray(0, 16384)))
  const next = bytes(6 * MIB, 'next')
  await far.remote.put(ctx, 'film.mp4', bodyOf(next), { modTime: 2n * 10n ** 18n })
  assert.ok((await bytesAt(ctx, remote, 'film.mp4')).equals(next))
  let at = 16384
  await assert.rejects(async () => {
    for (let step = await chunks.next(); !step.done; step = await chunks.next()) {
      assert.ok(Buffer.from(step.value).equals(film.subarray(at, at + step.value.length)))
      at += step.value.length
    }
  })
})

test('a storage that does not answer has not lost its files: what is in the cache is served', async (t) => {
  const { remote, file, far, cache } = await cachedFilm(t)
  await part(remote, file, 0, film.length)
  for (const code of ['io', 'rate-limited'] as const) {
    const down = new AppError(code, 'try again later')
    far.fails = { stat: down, list: down, open: down }
    const found = await fileAt(ctx, remote, 'film.mp4')
    assert.ok((await part(remote, found, 5, 500)).equals(film.subarray(5, 500)))
    await rejectsWith(remote.stat(ctx, 'never-seen'), code)
  }
  assert.equal(cache.stats.files, 1)
})

test('a reader that leaves ends its wait, others go on', async (t) => {
  const { remote, file, far } = await cachedFilm(t)
  const stop = new AbortController()
  const leaving = ctx.with({ signal: stop.signal })
  const [gone, stays] = [part(remote, file, 0, film.length, leaving), part(remote, file, 0, film.length)]
  stop.abort()
  await rejectsWith(gone, 'aborted')
  assert.ok((await stays).equals(film))
  assertOnce(far.fetched)
})

test('a limit on the size is kept while the cache grows, by dropping what was used longest ago', async (t) => {
  const far = watched(await farRemote())
  for (let i = 0; i < 10; i++) await far.remote.put(ctx, `${i}`, bodyOf(bytes(MIB, `${i}`)), { modTime: 10n ** 18n })
  const { remote, cache } = await openCached(cacheDir(t), far.remote, { cacheMaxSize: 3.5 * MIB })
  t.after(() => cache.close())
  for (let i = 0; i < 10; i++) {
    assert.ok((await bytesAt(ctx, remote, `${i}`)).equals(bytes(MIB, `${i}`)))
    assert.ok(cache.stats.bytesUsed <= 3.5 * MIB, `${cache.stats.bytesUsed}`)
  }
  assert.deepEqual(
    ['6', '7', '8', '9'].map((name) => cache.find(name) !== undefined),
    [false, true, true, true],
  )
})

test('what does not fit is read past the cache', async (t) => {
  const { remote, cache, file, far } = await cachedFilm(t, { cacheMaxSize: MIB })
  const [all, some] = [part(remote, file, 0, film.length), part(remote, file, 3 * MIB, 4 * MIB)]
  assert.ok((await all).equals(film))
  assert.ok((await some).equals(film.subarray(3 * MIB, 4 * MIB)))
  assert.ok(cache.stats.bytesUsed <= MIB)
  const fetched = far.fetched.reduce((sum, { start, end }) => sum + end - start, 0)
  assert.ok(fetched < 7 * MIB + 64 * 1024, `${fetched} bytes were fetched`)
})

test('many readers of more than fits, some of whom leave, all get their bytes', async (t) => {
  const far = watched(await farRemote())
  const contents = Array.from({ length: 8 }, (_, i) => bytes(MIB + i, `${i}`))
  for (const [i, content] of contents.entries()) await far.remote.put(ctx, `${i}`, bodyOf(content), { modTime: 1n })
  const { remote, cache } = await openCached(cacheDir(t), far.remote, { cacheMaxSize: 2.5 * MIB })
  t.after(() => cache.close())
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const content = contents[(i * 5) % 8] as Buffer
      const file = await fileAt(ctx, remote, `${(i * 5) % 8}`)
      const start = (i * 37_003) % MIB
      if (i % 4 > 0) return assert.ok((await part(remote, file, start, content.length)).equals(content.subarray(start)))
      const leaving = new AbortController()
      const gone = part(remote, file, start, content.length, ctx.with({ signal: leaving.signal }))
      setTimeout(() => leaving.abort(), i)
      return await gone.catch(() => {})
    }),
  )
  assert.ok(cache.stats.bytesUsed <= 2.5 * MIB, `${cache.stats.bytesUsed}`)
})

test('files that push each other out of the cache are all there, and it complains of nothing', async (t) => {
  const log = recordingLogger()
  const own = testContext({ log })
  const { remote, cache } = await openCached(cacheDir(t), (await withFilm()).remote, { cacheMaxSize: 100_000 }, own)
  t.after(() => cache.close())
  const names = Array.from({ length: 6 }, (_, i) => `${i}.bin`)
  await Promise.all(names.map((name) => putText(own, remote, name, name.repeat(8000))))
  while (cache.queue.length > 0) {
    for (const { id } of cache.queue) cache.setExpiry(id, 0, false)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (let round = 0; round < 20; round++) {
    const cleaning = cache.clean()
    await Promise.all(
      [...names, ...names].map(async (name) =>
        assert.equal((await bytesAt(own, remote, name)).toString(), name.repeat(8000)),
      ),
    )
    await cleaning
  }
  assert.deepEqual(
    log.lines.filter((line) => line.startsWith('error')),
    [],
  )
})

test('what was not used for the longest age is dropped, what waits to be uploaded is not', async (t) => {
  const { remote, file, cache } = await cachedFilm(t, { cacheMaxAge: 0, writeBack: 3_600_000 })
  await part(remote, file, 0, 1000)
  await putText(ctx, remote, 'new.txt', 'not uploaded yet')
  await cache.clean()
  assert.equal(cache.find('film.mp4'), undefined)
  assert.equal((await bytesAt(ctx, remote, 'new.txt')).toString(), 'not uploaded yet')
})

test('only full caches what is read', async (t) => {
  const { remote, file, cache, far } = await cachedFilm(t, { cacheMode: 'writes' })
  await part(remote, file, 0, 10)
  assert.equal(cache.stats.files, 0)
  assert.ok(far.fetched.length > 0)
})

test('a second cache on the same directory is refused, also on one above or below it', async (t) => {
  const far = await farRemote()
  const dir = cacheDir(t)
  const first = await openCached(dir, far)
  const inside = { ...far.info, root: 'in/side' }
  await rejectsWith(openCached(dir, far), 'busy')
  await rejectsWith(openCached(dir, Object.assign({}, far, { info: inside })), 'busy')
  await first.cache.close()
  await (await openCached(dir, far)).cache.close()
})

test('a damaged record of a file is no reason to lose it', async (t) => {
  const { remote, dir, cache, far, layout } = await cachedFilm(t, { writeBack: 3_600_000 })
  await putText(ctx, remote, 'new.txt', 'precious')
  await cache.close()
  writeFileSync(join(layout.meta, 'new.txt'), '{ "ModTime"')
  const log = recordingLogger()
  const again = await openCached(dir, far.remote, {}, testContext({ log }))
  t.after(() => again.cache.close())
  assert.equal(readFileSync(join(layout.lost, 'new.txt'), 'utf8'), 'precious')
  assert.match(log.lines.join('\n'), /new\.txt: vfs cache: its metadata is damaged/)
})
