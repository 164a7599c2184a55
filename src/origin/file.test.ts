import { test } from 'node:test'
import assert from 'node:assert/strict'
import { AppError } from '../base/error.ts'
import { testContext } from '../core/testing.ts'
import type { HttpResponse } from '../http/message.ts'
import { received, testRequest } from '../http/testing.ts'
import type { TestRequest } from '../http/testing.ts'
import { entityTag } from './describe.ts'
import { Files } from './file.ts'
import type { Ranges } from './file.ts'
import { FakeTree } from './testing.ts'
import type { FakeFile } from './testing.ts'

const ctx = testContext()
const text: FakeFile = { content: 'hello world\n', time: '2001-02-03T04:05:06.789Z', version: 'v1' }

async function respond(
  file: FakeFile,
  request: TestRequest = {},
  { name = 'hello.txt', ranges }: { name?: string; ranges?: Ranges } = {},
) {
  const tree = new FakeTree({ [name]: file })
  const node = await tree.lookup(undefined, name)
  assert.ok(node?.kind === 'file')
  return {
    tree,
    response: await new Files(ranges ?? 'bytes').serve(ctx, testRequest(`/${encodeURIComponent(name)}`, request), node),
  }
}

async function get(...args: Parameters<typeof respond>) {
  const { tree, response } = await respond(...args)
  return { ...(await received(response)), tree, response }
}

test('the client of GPAC gets several ranges in one body, if that is wanted', async () => {
  const tree = new FakeTree({ 'a.bin': '0123456789' })
  const node = await tree.lookup(undefined, 'a.bin')
  assert.ok(node?.kind === 'file')
  const ask = async (range: string, agent = 'GPAC/26.08', joinsRanges = true) => {
    const headers = { range, 'user-agent': agent }
    const response = new Files('bytes', { joinsRanges }).serve(ctx, testRequest('/a.bin', { headers }), node)
    const { status, text, length, header } = await received(response)
    return [status, text, length, header('content-range')]
  }
  assert.deepEqual(await ask('bytes=8-9,bytes=0-1, bytes=-1'), [206, '89019', 5, 'bytes 8-9/10, 0-1/10, 9-9/10'])
  const whole = [200, '0123456789', 10, undefined]
  assert.deepEqual(await ask('bytes=0-1,bytes=4-5', 'curl/8'), whole)
  assert.deepEqual(await ask('bytes=0-1,bytes=4-5', 'GPAC/26.08', false), whole)
  assert.deepEqual(await ask('bytes=0-1,bytes=20-'), whole)
  assert.deepEqual(await ask('bytes=0-9,bytes=0-9'), whole, 'no more than the file has')
  assert.equal((await ask('bytes=0-1,4-5'))[3], undefined, 'what RFC 9110 knows stays as it is')
})

test('a file comes with all that is known about it', async () => {
  const got = await get(text)
  assert.deepEqual(
    [got.status, got.text, got.length, got.response.headers],
    [
      200,
      'hello world\n',
      12,
      [
        'content-type',
        'text/plain; charset=utf-8',
        'etag',
        got.header('etag'),
        'last-modified',
        'Sat, 03 Feb 2001 04:05:06 GMT',
        'accept-ranges',
        'bytes',
      ],
    ],
  )
  assert.match(got.header('etag') ?? '', /^"[\w-]{20}"$/)
})

test('HEAD has the same headers and opens nothing', async () => {
  const head = await get(text, { method: 'HEAD', headers: { range: 'bytes=0-4' } })
  assert.deepEqual([head.status, head.length, head.text, head.tree.opened], [200, 12, '', []])
  assert.deepEqual(head.response.headers, (await get(text)).response.headers)
})

test('conditions come before the range, for HEAD as for GET', async () => {
  const etag = (await get(text)).header('etag') ?? ''
  const date = 'Sat, 03 Feb 2001 04:05:06 GMT'
  const table: [Record<string, string>, number][] = [
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"other"', 'if-modified-since': date }, 200],
    [{ 'if-modified-since': date }, 304],
    [{ 'if-modified-since': date, range: 'bytes=0-4' }, 304],
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-unmodified-since': 'Sat, 03 Feb 2001 04:05:05 GMT' }, 412],
  ]
  for (const [headers, status] of table)
    for (const method of ['GET', 'HEAD']) {
      const got = await get(text, { method, headers })
      assert.equal(got.status, status, `${method} ${JSON.stringify(headers)}`)
      if (status !== 304) continue
      assert.deepEqual(
        [got.text, got.header('etag'), got.header('last-modified'), got.header('content-type')],
        ['', etag, date, undefined],
      )
    }
})

test('ranges: one, several, outside, ignored, and gated by If-Range', async () => {
  const etag = (await get(text)).header('etag') ?? ''
  const one = await get(text, { headers: { range: 'bytes=6-' } })
  assert.deepEqual(
    [one.status, one.text, one.length, one.header('content-range')],
    [206, 'world\n', 6, 'bytes 6-11/12'],
  )
  const two = await get(text, { headers: { range: 'bytes=0-1,4-5' } })
  assert.equal(two.status, 206)
  assert.match(two.header('content-type') ?? '', /^multipart\/byteranges; boundary=[\da-f]{48}$/)
  assert.equal(two.length, two.bytes.length)
  assert.equal(two.header('content-range'), undefined)
  assert.match(two.text, /Content-Range: bytes 0-1\/12\r\n\r\nhe\r\n--[^]*Content-Range: bytes 4-5\/12\r\n\r\no \r\n--/)
  const outside = await get(text, { headers: { range: 'bytes=100-' } })
  assert.deepEqual([outside.status, outside.header('content-range'), outside.tree.opened], [416, 'bytes */12', []])
  for (const range of ['lines=1-2', 'bytes=a-b', 'bytes=5-2'])
    assert.equal((await get(text, { headers: { range } })).status, 200, range)
  assert.equal((await get(text, { headers: { range: 'bytes=0-4', 'if-range': etag } })).status, 206)
  assert.equal((await get(text, { headers: { range: 'bytes=0-4', 'if-range': '"other"' } })).status, 200)
})

test('--no-range says that there are no ranges, --no-seek keeps silent; both send the whole file', async () => {
  const none = await get(text, { headers: { range: 'bytes=0-1' } }, { ranges: 'none' })
  assert.deepEqual([none.status, none.text.length, none.header('accept-ranges')], [200, 12, 'none'])
  const silent = await get(text, { headers: { range: 'bytes=0-1' } }, { ranges: 'silent' })
  assert.deepEqual([silent.status, silent.text.length, silent.header('accept-ranges')], [200, 12, undefined])
})

test('a file of unknown size has no length, and ranges of it are ignored', async () => {
  const file = { content: 'stream', size: -1 }
  const got = await get({ ...file, size: -1 }, { headers: { range: 'bytes=0-1' } })
  assert.deepEqual([got.status, got.length, got.tree.opened.length], [200, undefined, 1])
  const { response } = await respond(file, { method: 'HEAD' })
  assert.equal(response.length, undefined)
  assert.notEqual(response.body, undefined, 'so that nobody takes it for empty')
})

test('the type: from the storage, the name, or the first bytes, which are read once', async () => {
  const type = async (name: string, file: FakeFile) =>
    (await get(file, { method: 'HEAD' }, { name })).header('content-type')
  assert.equal(
    await type('a.txt', { content: '', contentType: 'text/x-own; charset=latin1' }),
    'text/x-own; charset=latin1',
  )
  assert.equal(
    await type('a.html', { content: '', contentType: 'application/octet-stream' }),
    'text/html; charset=utf-8',
  )
  assert.equal(await type('a.html', { content: '', contentType: 'a/b\r\nx: y' }), 'text/html; charset=utf-8')
  assert.equal(await type('a.unknown', { content: 'text' }), 'application/octet-stream')
  assert.equal(await type('README', { content: 'text' }), 'text/plain; charset=utf-8')
  assert.equal(await type('README', { content: '\0\x01' }), 'application/octet-stream')
  assert.equal(await type('empty', { content: '' }), 'text/plain; charset=utf-8')

  const tree = new FakeTree({ README: 'text' })
  const node = await tree.lookup(undefined, 'README')
  assert.ok(node?.kind === 'file')
  const files = new Files('bytes')
  for (let i = 0; i < 3; i++) await files.serve(ctx, testRequest('/README', { method: 'HEAD' }), node)
  assert.deepEqual([tree.opened, tree.closed], [['README'], ['README']])
})

test('the entity tag changes with version, size and time, and is weak when only one of them is known', () => {
  const base = { size: 1, modTime: 1_000_000_001n, version: 'a' }
  const others = [
    { ...base, size: 2 },
    { ...base, modTime: 1_000_000_002n },
    { ...base, version: 'b' },
  ]
  assert.equal(new Set([base, ...others].map(entityTag)).size, 4)
  assert.match(entityTag({ size: 1, modTime: 1n }) ?? '', /^"/)
  assert.match(entityTag({ size: -1, modTime: 1n }) ?? '', /^W\/"/)
  assert.match(entityTag({ size: 1, modTime: 0n }) ?? '', /^W\/"/)
  assert.match(entityTag({ size: -1, modTime: 0n, version: 'a' }) ?? '', /^"/)
  assert.equal(entityTag({ size: -1, modTime: 0n }), undefined)
})

test('a small file is answered at once from memory, until it changes or more is asked for', async () => {
  const tree = new FakeTree({ 'a.txt': text })
  tree.hot.add('a.txt')
  const files = new Files('bytes')
  const ask = (headers: Record<string, string> = {}) => {
    const node = tree.peek('a.txt')
    assert.ok(node)
    return files.hot(ctx, testRequest('/a.txt', { headers }), node)
  }
  assert.equal(ask(), undefined)
  const node = tree.peek('a.txt')
  assert.ok(node)
  await files.serve(ctx, testRequest('/a.txt'), node, true)
  const first = ask()
  const second = ask()
  assert.ok(first && second)
  assert.equal((await received(first)).text, 'hello world\n')
  assert.equal(first.body, second.body)
  assert.notEqual(first.headers, second.headers, 'who adds headers must not change the kept ones')
  for (const name of ['range', 'if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since'])
    assert.equal(ask({ [name]: 'x' }), undefined, name)
  tree.remove('a.txt')
  tree.add('a.txt', { ...text, content: 'new' })
  assert.equal(ask(), undefined)
  const limited = Object.create(ctx.stats, { unlimited: { value: false } }) as typeof ctx.stats
  assert.equal(
    files.hot(testContext({ stats: limited }), testRequest('/a.txt'), node),
    undefined,
    'a bandwidth limit holds for small files too',
  )
})

test('what is sent is counted, from memory too; a failing file is an error of the transfer, a leaving client is not', async () => {
  const counted = testContext()
  const snapshot = () => counted.stats.snapshot() as { bytes: number; transfers: number; errors: number }
  const serve = async (file: FakeFile): Promise<HttpResponse> => {
    const tree = new FakeTree({ a: file })
    const node = await tree.lookup(undefined, 'a')
    assert.ok(node?.kind === 'file')
    return new Files('bytes').serve(counted, testRequest('/a'), node)
  }
  const file = { content: 'x'.repeat(10), contentType: 'text/plain' }
  for (const slice of [false, true]) {
    const whole = await serve({ ...file, slice })
    await received(whole)
    whole.done?.({ bytes: 10, complete: true })
  }
  assert.deepEqual({ ...snapshot() }.bytes, 20)
  assert.equal(snapshot().transfers, 2)
  const left = await serve(file)
  left.done?.({ bytes: 0, complete: false })
  assert.equal(snapshot().errors, 0)
  for (const failing of [
    { ...file, failsAfter: 3, failure: new AppError('io', 'bad sector') },
    { content: 'short', size: 10, slice: true, contentType: 'text/plain' },
  ]) {
    const before = snapshot().errors
    const response = await serve(failing)
    await assert.rejects(received(response), /bad sector|the file ended at byte 5/)
    response.done?.({ bytes: 3, complete: false })
    assert.equal(snapshot().errors, before + 1)
  }
})

test('a body that is not read gives its file back', async () => {
  for (const slice of [false, true]) {
    const { response, tree } = await respond({ ...text, slice })
    const body = response.body as AsyncIterable<Uint8Array> & { close?: () => Promise<void> }
    await (body.close?.() ?? body[Symbol.asyncIterator]().return?.())
    if (slice) assert.deepEqual(tree.closed, ['hello.txt'])
  }
})
