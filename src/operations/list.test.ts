import assert from 'node:assert/strict'
import { test } from 'node:test'
import { throwIfAborted } from '../base/abort.ts'
import { extend } from '../layers/extend.ts'
import type { Remote } from '../remote/remote.ts'
import type { Mark } from '../core/outcomes.ts'
import { check, equalBodies } from './check.ts'
import { bodyOf } from '../base/body.ts'
import { localTime, rfc3339 } from '../base/local-time.ts'
import { timeDigits } from './time-digits.ts'
import { hashKind, hashsums } from './hashsum.ts'
import { list, listOne } from './list.ts'
import { orderOf } from './order.ts'
import { sizeOf } from './size.ts'
import { suffixed } from './backup.ts'
import { bench, plant } from './testing.ts'
import { walk } from './walk.ts'

async function planted(flags = {}) {
  const it = bench(flags)
  const remote = await it.remotes.open(':memory:l')
  await plant(it, remote, { 'b.txt': 'bb', 'a/x.json': '{}', 'a/y/z': '', 'c/': '' })
  return { it, remote }
}

test('items have their keys in the order of the contract', async () => {
  const { it, remote } = await planted()
  const item = await listOne(it.ctx, remote, 'b.txt', { showHash: true, hashTypes: ['MD5', 'sha-1'] })
  assert.deepEqual(Object.keys(item ?? {}), ['Path', 'Name', 'Size', 'MimeType', 'ModTime', 'IsDir', 'Hashes'])
  assert.deepEqual(Object.keys(item?.Hashes ?? {}), ['md5', 'sha1'])
  assert.equal(item?.MimeType, 'text/plain; charset=utf-8')
  const folder = await listOne(it.ctx, remote, 'a', { noModTime: true, noMimeType: true })
  assert.deepEqual(folder, { Path: 'a', Name: 'a', Size: -1, ModTime: '', IsDir: true })
  assert.equal(await listOne(it.ctx, remote, 'a', { filesOnly: true }), undefined)
  assert.equal(await listOne(it.ctx, remote, 'nope'), undefined)
})

test('ids of the storage below are shown when they are asked for', async () => {
  const { it, remote } = await planted()
  const marked = extend(remote, {
    stat: async (ctx, path) => {
      const found = await remote.stat(ctx, path)
      return found && { ...found, id: 'v1' }
    },
  })
  const plain = await listOne(it.ctx, marked, 'b.txt')
  assert.deepEqual([plain?.ID, plain?.OrigID], ['v1', undefined])
  const both = await listOne(it.ctx, marked, 'b.txt', { showOrigIDs: true })
  assert.deepEqual([both?.ID, both?.OrigID], ['v1', 'v1'])
})

test('a walk gives each folder by name, and goes down as far as it is told', async () => {
  const { it, remote } = await planted()
  const paths = async (ctx = it.ctx, options = {}) => {
    const found = []
    for await (const { path } of walk(ctx, remote, options)) found.push(path)
    return found
  }
  assert.deepEqual(await paths(), ['a', 'b.txt', 'c', 'a/x.json', 'a/y', 'a/y/z'])
  assert.deepEqual(await paths(it.ctx, { recurse: false }), ['a', 'b.txt', 'c'])
  assert.deepEqual(await paths(bench({ maxDepth: 2 }).ctx), ['a', 'b.txt', 'c', 'a/x.json', 'a/y'])
  assert.deepEqual(await paths(it.ctx, { from: 'a/y' }), ['a/y/z'])
  await assert.rejects(paths(it.ctx, { from: 'nope' }), { code: 'not-found', message: 'directory not found' })
})

test('a walk that is stopped ends with that, whatever is still being listed', async () => {
  const it = bench()
  const remote = await it.remotes.open(':memory:w')
  await plant(it, remote, { 'a/b': '1', 'c/d': '2' })
  const stop = new AbortController()
  const list: Remote['list'] = async function* (ctx, dir) {
    throwIfAborted(ctx.signal)
    yield* remote.list(ctx, dir)
  }
  const walked = walk(it.ctx.with({ signal: stop.signal }), extend(remote, { list }))
  await walked.next()
  await walked.next()
  stop.abort()
  await assert.rejects(walked.next(), { code: 'aborted' })
  // An error that nobody handles would come up now.
  await new Promise((resolve) => setImmediate(resolve))
})

test('files only and folders only, together both', async () => {
  const { it, remote } = await planted()
  const names = async (options: object) => {
    const found = []
    for await (const item of list(it.ctx, remote, '', { recurse: true, ...options })) found.push(item.Path)
    return found
  }
  assert.deepEqual(await names({ filesOnly: true }), ['b.txt', 'a/x.json', 'a/y/z'])
  assert.deepEqual(await names({ dirsOnly: true }), ['a', 'c', 'a/y'])
  assert.equal((await names({ dirsOnly: true, filesOnly: true })).length, 6)
})

test('size counts files, bytes, and files of unknown size', async () => {
  const { it, remote } = await planted()
  assert.deepEqual(await sizeOf(it.ctx, remote), { count: 3, bytes: 4, sizeless: 0 })
  const vague = extend(remote, {
    async *list(ctx, dir) {
      for await (const entry of remote.list(ctx, dir)) yield entry.kind === 'file' ? { ...entry, size: -1 } : entry
    },
  })
  assert.deepEqual(await sizeOf(it.ctx, vague), { count: 3, bytes: 0, sizeless: 3 })
})

test('checksums: from the storage, by reading, in base64, or not at all', async () => {
  const { it, remote } = await planted()
  const sums = async (options: { download?: boolean; base64?: boolean } = {}, from = remote) => {
    const lines = []
    for await (const { sum, path } of hashsums(it.ctx, from, { kind: 'crc32', ...options }))
      lines.push(`${sum} ${path}`)
    return lines
  }
  // As Python's zlib has them.
  assert.deepEqual(await sums(), ['b5ae1bae b.txt', 'a3a6bf43 a/x.json', '00000000 a/y/z'])
  assert.deepEqual(await sums({ download: true }), await sums())
  assert.match((await sums({ base64: true }))[2] ?? '', /^AAAAAA== /)
  const without = extend(remote, { info: { ...remote.info, hashes: [] } })
  assert.match((await sums({}, without))[0] ?? '', /^UNSUPPORTED b\.txt/)
  assert.equal(hashKind('SHA-256'), 'sha256')
  assert.throws(() => hashKind('foo'), /unknown hash type "foo"/)
})

test('check tells what is the same, different, or only on one side', async () => {
  const it = bench()
  const [source, target] = [await it.remotes.open(':memory:c/s'), await it.remotes.open(':memory:c/d')]
  await plant(it, source, { same: '1', size: '22', hash: 'abc', 'only/here': 'x' })
  await plant(it, target, { same: '1', size: '333', hash: 'abd', there: 'y' })
  for (const download of [false, true]) {
    const marks: string[] = []
    const tell = (mark: Mark, path: string) => void marks.push(`${mark} ${path}`)
    const result = await check(it.ctx, source, target, { tell, download })
    assert.deepEqual(marks.sort(), ['* hash', '* size', '+ only/here', '- there', '= same'])
    assert.equal(result.differences, 4)
    assert.equal(result.matches, 1)
    assert.equal(result.hashType, download ? undefined : 'md5')
    assert.equal((await check(it.ctx, source, target, { oneWay: true, download })).differences, 3)
  }
})

test('bodies are compared by their bytes, however they are cut', async () => {
  assert.equal(await equalBodies(bodyOf('ab', '', 'c'), bodyOf('a', 'bc')), true)
  assert.equal(await equalBodies(bodyOf('abc'), bodyOf('ab')), false)
  assert.equal(await equalBodies(bodyOf(), bodyOf('')), true)
  assert.equal(await equalBodies(bodyOf('abc'), bodyOf('abd')), false)
})

test('times are shown with as many digits as the storage has', () => {
  const time = 1_612_325_106_123_456_789n
  const info = { name: '', type: '', root: '', description: '', hashes: [], traits: {} }
  const digits = (precision: number | undefined) => timeDigits(precision === undefined ? info : { ...info, precision })
  assert.deepEqual([1, 100, 1e6, 1e9, undefined].map(digits), [9, 7, 3, 0, 0])
  assert.equal(timeDigits({ ...info, precision: 1000, traits: { isLocal: true } }), 9)
  assert.match(rfc3339(time, 3), /^2021-02-0\dT\d\d:\d\d:06\.123(Z|[+-]\d\d:\d\d)$/)
  assert.match(localTime(time), /^2021-02-0\d \d\d:\d\d:06\.123456789$/)
  assert.match(localTime(-1n), /^19(69|70)-\d\d-\d\d \d\d:\d\d:59\.999999999$/)
})

test('suffixes go to the end, or before the extension', () => {
  assert.equal(suffixed('a.b/c.tar.gz', '-1', false), 'a.b/c.tar.gz-1')
  assert.equal(suffixed('a.b/c.tar.gz', '-1', true), 'a.b/c-1.tar.gz')
  assert.equal(suffixed('a.b/c.v2.gz', '-1', true), 'a.b/c.v2-1.gz')
  assert.equal(suffixed('a.b/c', '-1', true), 'a.b/c-1')
  assert.equal(suffixed('.profile', '-1', true), '.profile-1')
})

test('--order-by knows its words', () => {
  assert.equal(orderOf(''), undefined)
  for (const text of ['size', 'name,desc', 'modtime,ascending', 'size,mixed', 'size,mixed,25']) assert.ok(orderOf(text))
  assert.equal(orderOf('size,mixed,25')?.share, 0.25)
  for (const text of ['colour', 'size,up', 'size,asc,25', 'size,mixed,x', 'size,mixed,101', 'size,mixed,25,3'])
    assert.throws(() => orderOf(text), { code: 'usage' })
})
