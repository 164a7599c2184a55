import { test } from 'node:test'
import assert from 'node:assert/strict'
import { AppError } from '../base/error.ts'
import { testContext } from '../core/testing.ts'
import { received, testRequest } from '../http/testing.ts'
import type { TestRequest } from '../http/testing.ts'
import type { ZipMethod } from './zip.ts'
import { archive, disposition } from './archive.ts'
import { FakeTree } from './testing.ts'

const ctx = testContext()
const tree = new FakeTree({
  'a/b/deep/d.txt': 'd',
  'a/b/s.txt': 's',
  'a/b/back\\slash.txt': 'x',
  'a/b/a:b': 'col',
  'a/other.txt': 'o',
})

async function download(target: string, method: ZipMethod = 'store', request: TestRequest = {}, from = tree) {
  const asked = testRequest(target, request)
  const response = await archive(ctx, asked, from, from.directory(asked.path), { method })
  return { response, ...(await received(response)) }
}

/** The names in the central directory. */
function names(zip: Buffer): string[] {
  const found: string[] = []
  for (let at = zip.indexOf('PK\x01\x02', 0, 'latin1'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 1, 'latin1'))
    found.push(zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28)))
  return found
}

test('the archive of a directory has its length, its name, and names relative to it', async () => {
  const got = await download('/a/b/')
  assert.equal(got.status, 200)
  assert.equal(got.length, got.bytes.length)
  assert.equal(got.header('content-type'), 'application/zip')
  assert.equal(got.header('content-disposition'), 'attachment; filename="b.zip"')
  assert.deepEqual(names(got.bytes), ['deep/', 'deep/d.txt', 'a:b', 'back＼slash.txt', 's.txt'])
  const root = await download('/')
  assert.equal(root.header('content-disposition'), 'attachment; filename="root.zip"')
  assert.deepEqual(names(root.bytes).slice(0, 4), ['a/', 'a/b/', 'a/b/deep/', 'a/b/deep/d.txt'])
})

test('a deflated archive, or one with files of unknown size, has no length', async () => {
  assert.equal((await download('/a/b/', 'deflate')).length, undefined)
  const live = new FakeTree({ 'x/live.txt': { content: 'abc', size: -1 } })
  const got = await download('/x/', 'store', {}, live)
  assert.equal(got.length, undefined)
  assert.deepEqual(names(got.bytes), ['live.txt'])
})

test('HEAD gives the headers, the length with them, and reads no file', async () => {
  const { length } = await download('/a/b/')
  const before = tree.opened.length
  const got = await download('/a/b/', 'store', { method: 'HEAD' })
  assert.deepEqual([got.status, got.header('content-type'), got.length], [200, 'application/zip', length])
  assert.equal(tree.opened.length, before)
})

test('a directory too large to hold is read from the storage', async () => {
  const large = new FakeTree({ 'x/1': 'a', 'x/2': 'b' })
  large.largest = 1
  assert.deepEqual(names((await download('/x/', 'store', {}, large)).bytes), ['1', '2'])
})

test('a file that fails in the middle, or is gone, breaks the download off and counts as an error', async () => {
  const failing = new FakeTree({
    'x/a': 'a',
    'x/b': { content: 'bbbb', failsAfter: 2, failure: new AppError('io', 'bad sector') },
  })
  const counted = testContext()
  const asked = testRequest('/x/')
  const response = await archive(counted, asked, failing, failing.directory('x'), { method: 'store' })
  await assert.rejects(received(response), /bad sector/)
  response.done?.({ bytes: 0, complete: false })
  assert.equal((counted.stats.snapshot() as { errors: number }).errors, 1)
  const shrinking = new FakeTree({ 'x/a': 'a', 'x/b': 'b' })
  const started = await archive(ctx, asked, shrinking, shrinking.directory('x'), { method: 'store' })
  shrinking.remove('x/b')
  await assert.rejects(received(started), /x\/b is gone/)
})

test('names of downloads: quotes, control characters and other scripts', () => {
  const table: [string, string][] = [
    ['sub', 'attachment; filename="sub.zip"'],
    [
      'a"; filename="evil.exe',
      `attachment; filename="a_; filename=_evil.exe.zip"; filename*=UTF-8''a%22%3B%20filename%3D%22evil.exe.zip`,
    ],
    ['ünï', `attachment; filename="_n_.zip"; filename*=UTF-8''%C3%BCn%C3%AF.zip`],
    ['a\r\nX: y', `attachment; filename="a__X: y.zip"; filename*=UTF-8''a%0D%0AX%3A%20y.zip`],
    ["it's (1)*", `attachment; filename="it's (1)*.zip"`],
    ['50%\\', `attachment; filename="50__.zip"; filename*=UTF-8''50%25%5C.zip`],
  ]
  for (const [name, header] of table) assert.equal(disposition(name), header)
})
