import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { collect } from '../../base/body.ts'
import { bytesAt, fileAt, listed, rejectsWith } from '../../../test/conformance/helpers.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { web } from '../../../test/web.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { openTestS3 } from './testing.ts'

const content = Buffer.from('0123456789'.repeat(2000))
const packed = gzipSync(content)

/** A store of one object, `a.txt`, that is kept like this; gives the headers `range` of the downloads too. */
async function storeOf(t: TestContext, bytes: Buffer, encoding: string | undefined, decompress = true) {
  const ranges: (string | undefined)[] = []
  const url = await web(t, ({ method, url = '', headers }, response) => {
    if (url.includes('?'))
      return void response.end(
        `<ListBucketResult><Contents><Key>a.txt</Key><Size>${bytes.length}</Size></Contents></ListBucketResult>`,
      )
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
    if (method === 'GET') ranges.push(headers.range)
    const start = Number(from ?? 0)
    const end = to ? Number(to) + 1 : bytes.length
    response.writeHead(from === undefined ? 200 : 206, {
      'content-length': end - start,
      'x-amz-meta-mtime': '1.5',
      ...(from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    })
    return void response.end(bytes.subarray(start, end))
  })
  const opened = await openTestS3({ url, user: 'id', key: 'secret' }, 'bucket', { noCheckBucket: true, decompress })
  t.after(() => opened.close())
  return { ...opened, ranges }
}

test('with decompress a file that is kept in gzip is read as what is in it', async (t) => {
  const { ctx, remote, ranges } = await storeOf(t, packed, 'gzip')
  const file = await fileAt(ctx, remote, 'a.txt')
  assert.deepEqual([file.size, file.hashes, file.modTime], [-1, undefined, 1_500_000_000n])
  assert.deepEqual(await bytesAt(ctx, remote, 'a.txt'), content)
  const part = await collect(await remote.open(ctx, file, { start: 15_001, end: 15_005 }))
  assert.equal(Buffer.from(part).toString(), '1234')
  assert.deepEqual(ranges, [undefined, undefined])
})

test('a file of a listing, which has the size of what is packed, is read whole all the same', async (t) => {
  const { ctx, remote } = await storeOf(t, packed, 'gzip')
  const file = (await listed(ctx, remote, '')).get('a.txt') as FileEntry
  assert.equal(file.size, packed.length)
  assert.deepEqual(Buffer.from(await collect(await remote.open(ctx, file))), content)
  assert.equal((await remote.describe?.(ctx, file))?.size, -1)
  const part = await collect(await remote.open(ctx, file, { start: 3, end: 6 }))
  assert.equal(Buffer.from(part).toString(), '345')
})

test('without decompress the packed bytes come, and with it those of other files as they are', async (t) => {
  const asKept = await storeOf(t, packed, 'gzip', false)
  assert.deepEqual(await bytesAt(asKept.ctx, asKept.remote, 'a.txt'), packed)
  const plain = await storeOf(t, content, undefined)
  const file = await fileAt(plain.ctx, plain.remote, 'a.txt')
  const part = await collect(await plain.remote.open(plain.ctx, file, { start: 5, end: 8 }))
  assert.equal(Buffer.from(part).toString(), '567')
  assert.deepEqual(plain.ranges, ['bytes=5-7'])
})

test('what says it is gzip and is not, or ends early, is an error', async (t) => {
  for (const bytes of [Buffer.from(noise(1000, 'no gzip')), packed.subarray(0, 40)]) {
    const { ctx, remote } = await storeOf(t, bytes, 'gzip')
    await rejectsWith(bytesAt(ctx, remote, 'a.txt'), 'io')
  }
})
