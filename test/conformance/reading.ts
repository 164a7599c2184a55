import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect } from '../../src/base/body.ts'
import { toAppError } from '../../src/base/error.ts'
import { hasher } from '../../src/remote/hash.ts'
import { ownTime } from '../../src/remote/own-time.ts'
import type { FileEntry, Remote } from '../../src/remote/remote.ts'
import { fixture, fixtureNames, oddNames } from './fixture.ts'
import { bytesAt, fileAt, listed, rejectsWith } from './helpers.ts'
import type { Subject } from './remote.ts'

const big = fixture.find(({ path }) => path === 'big.bin')?.bytes ?? new Uint8Array()

/** Fails unless a file has that time, as exactly as its storage keeps times. */
function assertTime({ info }: Remote, { path, modTime }: FileEntry, wanted: bigint): void {
  if (info.precision === undefined) return
  const off = modTime > wanted ? modTime - wanted : wanted - modTime
  assert.ok(off < BigInt(info.precision), `${path}: ${modTime} is not ${wanted}`)
}

/** Cases that look at the fixture only. */
export function reading(subject: () => Subject): void {
  test('a directory lists its children once, with their paths', async () => {
    const { ctx, remote, impossibleNames } = subject()
    for (const dir of ['', 'dir', 'dir/deep', 'odd']) {
      const expected = fixtureNames(dir)
        .map((name) => (dir === '' ? name : `${dir}/${name}`))
        .filter((path) => !impossibleNames.has(path))
      assert.deepEqual([...(await listed(ctx, remote, dir)).keys()].sort(), expected.sort(), `in "${dir}"`)
    }
  })

  test('a listing tells files from directories', async () => {
    const { ctx, remote } = subject()
    const entries = await listed(ctx, remote, '')
    assert.equal(entries.get('dir')?.kind, 'directory')
    assert.equal(entries.get('hello.txt')?.kind, 'file')
    assert.equal((entries.get('hello.txt') as FileEntry).size, 12)
    assert.equal((entries.get('empty.bin') as FileEntry).size, 0)
  })

  test('listing what is not there, or is a file, is an error', async () => {
    const { ctx, remote } = subject()
    await rejectsWith(listed(ctx, remote, 'missing'), 'not-found')
    await rejectsWith(listed(ctx, remote, 'dir/missing/too'), 'not-found')
    await rejectsWith(listed(ctx, remote, 'hello.txt'), 'not-directory', 'not-found')
    await rejectsWith(listed(ctx, remote, 'hello.txt/below'), 'not-directory', 'not-found')
  })

  test('a listing can be left before its end', async () => {
    const { ctx, remote } = subject()
    let first: string | undefined
    for await (const { path } of remote.list(ctx, 'odd')) {
      first = path
      break
    }
    assert.ok(first?.startsWith('odd/'))
  })

  test('stat gives size and time of a file', async () => {
    const { ctx, remote } = subject()
    for (const { path, bytes, modTime } of fixture.slice(0, 6)) {
      const entry = await fileAt(ctx, remote, path)
      assert.equal(entry.path, path)
      assert.equal(entry.size, bytes.length, path)
      assertTime(remote, entry, modTime)
    }
  })

  test('what is listed has its own time, or tells that it can be asked for', async () => {
    const { ctx, remote } = subject()
    const entries = await listed(ctx, remote, '')
    for (const { path, modTime } of fixture.filter(({ path: of }) => !of.includes('/')))
      assertTime(remote, await ownTime(ctx, remote, entries.get(path) as FileEntry), modTime)
  })

  test('stat knows directories, and gives undefined for what is not there', async () => {
    const { ctx, remote } = subject()
    assert.equal((await remote.stat(ctx, ''))?.kind, 'directory')
    assert.equal((await remote.stat(ctx, 'dir/deep'))?.kind, 'directory')
    for (const path of ['missing', 'dir/missing', 'missing/below', 'hello.txt/below'])
      assert.equal(await remote.stat(ctx, path), undefined, path)
  })

  test('a file gives all its bytes', async () => {
    const { ctx, remote } = subject()
    for (const { path, bytes } of fixture.slice(0, 6))
      assert.ok((await bytesAt(ctx, remote, path)).equals(bytes), `bytes of ${path}`)
  })

  test('odd names can be looked up and read', async () => {
    const { ctx, remote, impossibleNames } = subject()
    for (const name of oddNames) {
      const path = `odd/${name}`
      if (impossibleNames.has(path)) continue
      const expected = fixture.find((file) => file.path === path)?.bytes ?? new Uint8Array()
      assert.equal((await fileAt(ctx, remote, path)).path, path)
      assert.ok((await bytesAt(ctx, remote, path)).equals(expected), `bytes of ${path}`)
    }
  })

  test('a range gives exactly its bytes, clamped to the size', async () => {
    const { ctx, remote } = subject()
    const file = await fileAt(ctx, remote, 'big.bin')
    const size = big.length
    const ranges: [number, number][] = [
      [0, 1],
      [0, 0],
      [1, 2],
      [0, size],
      [0, Infinity],
      [size - 1, size],
      [size - 1, Infinity],
      [size - 5, size + 5],
      [size, size + 1],
      [size + 10, size + 20],
      [65_535, 65_537],
      [100, 700_001],
      [262_144, 524_288],
    ]
    for (const [start, end] of ranges) {
      const bytes = await collect(await remote.open(ctx, file, { start, end }))
      const expected = big.subarray(Math.min(start, size), Math.min(end, size))
      assert.ok(Buffer.from(bytes).equals(expected), `[${start}, ${end}) gave ${bytes.length} bytes`)
    }
  })

  test('many can read one file at once', async () => {
    const { ctx, remote } = subject()
    const file = await fileAt(ctx, remote, 'big.bin')
    const sizes = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const bytes = await collect(await remote.open(ctx, file, { start: i * 1000, end: i * 1000 + 300_000 }))
        return Buffer.from(bytes).equals(big.subarray(i * 1000, i * 1000 + 300_000))
      }),
    )
    assert.ok(sizes.every(Boolean))
  })

  test('a body can be left before its end', async () => {
    const { ctx, remote } = subject()
    const file = await fileAt(ctx, remote, 'big.bin')
    for (let i = 0; i < 20; i++)
      for await (const chunk of await remote.open(ctx, file)) {
        assert.ok(chunk.length > 0)
        break
      }
    assert.ok((await bytesAt(ctx, remote, 'big.bin')).equals(big))
  })

  test('chunks belong to their receiver', async () => {
    const { ctx, remote } = subject()
    const file = await fileAt(ctx, remote, 'big.bin')
    const chunks: Uint8Array[] = []
    for await (const chunk of await remote.open(ctx, file)) chunks.push(chunk)
    assert.ok(Buffer.concat(chunks).equals(big))
    for (const chunk of chunks) chunk.fill(0)
    assert.ok((await bytesAt(ctx, remote, 'big.bin')).equals(big))
  })

  test('opening a file that is not there is not-found', async () => {
    const { ctx, remote } = subject()
    const ghost: FileEntry = { kind: 'file', path: 'dir/ghost', size: 3, modTime: 0n }
    await rejectsWith(
      remote.open(ctx, ghost).then((body) => collect(body)),
      'not-found',
    )
  })

  test('an aborted context ends listing and reading', async () => {
    const { ctx, remote } = subject()
    const stop = new AbortController()
    const stopped = ctx.with({ signal: stop.signal })
    const file = await fileAt(ctx, remote, 'big.bin')
    const body = await remote.open(stopped, file)
    stop.abort()
    // A local file may be read to its end all the same; what must not happen is a body that hangs or is cut silently.
    const outcome = await collect(body).then(
      (bytes) => bytes.length,
      (error: unknown) => toAppError(error).code,
    )
    assert.ok(outcome === big.length || outcome === 'aborted', `${outcome}`)
    await rejectsWith(listed(stopped, remote, 'odd'), 'aborted')
  })

  test('hashes are those of the bytes', async (t) => {
    const { ctx, remote, withoutHash } = subject()
    if (!remote.hash) return t.skip('no hashes')
    for (const path of ['hello.txt', 'empty.bin', 'big.bin']) {
      const bytes = fixture.find((file) => file.path === path)?.bytes ?? new Uint8Array()
      for (const kind of remote.info.hashes) {
        const expected = hasher(kind)
        expected.update(bytes)
        const file = await fileAt(ctx, remote, path)
        const value = withoutHash.has(path) ? '' : expected.digest()
        assert.equal(await remote.hash(ctx, file, kind), value, `${kind} ${path}`)
      }
    }
    return undefined
  })

  test('peek gives the same entry as stat, again and again', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.peek) return t.skip('no peek')
    const file = await fileAt(ctx, remote, 'dir/nested.txt')
    const peeked = remote.peek('dir/nested.txt')
    assert.ok(peeked === undefined || peeked === file)
    assert.equal(remote.peek('dir/nested.txt'), peeked)
    assert.equal(remote.peek('missing'), undefined)
    assert.equal(remote.peek('dir'), undefined)
    return undefined
  })
}
