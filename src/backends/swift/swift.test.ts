import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { testContext } from '../../core/testing.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, failing, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { missing } from '../../../test/peers.ts'
import { swift, swiftPrograms } from '../../../test/servers/swift.ts'
import { swiftOptions } from './index.ts'
import { openSwift } from './remote.ts'

const ctx = testContext()
const skip = missing(...swiftPrograms)

async function open(root: string, config: Partial<Values<typeof swiftOptions>> = {}): Promise<Remote> {
  const { auth, user, key } = await swift()
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const all = { ...defaultsOf(swiftOptions), auth, user, key, ...config }
  return openSwift(ctx, { name: ':swift', root, config: all, openRemote })
}

remoteBehaviour('swift', {
  skip,
  async open() {
    const remote = await open('bucket ü/below')
    await remote.mkdir(ctx, '')
    return { ctx, remote, close: async () => await remote.close?.() }
  },
})

remoteBehaviour('swift with files in segments', {
  skip,
  withoutHash: ['big.bin'],
  async open() {
    const remote = await open('segmented/a b', { chunkSize: 160 * 1024 })
    await remote.mkdir(ctx, '')
    return { ctx, remote, close: async () => await remote.close?.() }
  },
})

/** What is left of segments, by name. */
async function segments(bucket: string): Promise<string[]> {
  const remote = await open(`${bucket}_segments`)
  const names: string[] = []
  for await (const { kind, path } of remote.listRecursive?.(ctx, '') ?? []) if (kind === 'file') names.push(path)
  return names
}

test('segments are those of rclone, and go when their file is replaced or removed', { skip }, async () => {
  const remote = await open('large', { chunkSize: 1000 })
  const bytes = noise(2500, 'segments')
  await remote.put(ctx, 'dir/f', bodyOf(bytes), { size: 2500, modTime: 10n ** 18n })
  const names = await segments('large')
  assert.equal(names.length, 3)
  for (const [i, name] of names.entries()) assert.match(name, new RegExp(`^dir/f/\\d+\\.\\d{9}/2500/0000000${i}$`))
  const [entry] = [...(await listed(ctx, remote, 'dir')).values()] as FileEntry[]
  assert.equal(entry?.size, 2500)
  const copied = await remote.copy?.(ctx, await fileAt(ctx, remote, 'dir/f'), 'copy')
  assert.equal(copied?.modTime, 10n ** 18n)
  await remote.setModTime?.(ctx, await fileAt(ctx, remote, 'copy'), 2n * 10n ** 18n)
  await putText(ctx, remote, 'dir/f', 'small')
  assert.equal((await segments('large')).length, 3)
  assert.ok((await bytesAt(ctx, remote, 'copy')).equals(bytes))
  await remote.remove(ctx, await fileAt(ctx, remote, 'copy'))
  assert.deepEqual(await segments('large'), [])
})

test('the segments of an upload that breaks are removed, unless they are to stay', { skip }, async () => {
  const broken = () => failing(['a'.repeat(2500)], new AppError('io', 'source broke'))
  const remote = await open('parts', { chunkSize: 1000 })
  await rejectsWith(remote.put(ctx, 'f', broken(), {}), 'io')
  assert.deepEqual(await segments('parts'), [])
  const leaving = await open('parts', { chunkSize: 1000, leavePartsOnError: true })
  await rejectsWith(leaving.put(ctx, 'f', broken(), { size: 5000 }), 'io')
  assert.ok((await segments('parts')).length > 0)
  assert.equal(await remote.stat(ctx, 'f'), undefined)
})

test('of unknown size a small file is stored whole, and a large one too without segments', { skip }, async () => {
  const remote = await open('unknown', { chunkSize: 1000 })
  await remote.put(ctx, 'small', bodyOf('x'.repeat(999)), {})
  const whole = await open('unknown', { chunkSize: 1000, noChunk: true })
  const { hashes } = await whole.put(ctx, 'large', bodyOf(noise(2500, 'x')), {})
  assert.ok(hashes?.md5)
  await rejectsWith(segments('unknown'), 'not-found')
})

test('a wrong login is denied, and one that is incomplete is told', { skip }, async () => {
  await rejectsWith((await open('c', { key: 'wrong' })).stat(ctx, 'f'), 'denied')
  await rejectsWith(open('c', { key: '' }), 'invalid')
  await rejectsWith(open('c', { auth: '' }), 'invalid')
})

test('the usage is that of the account, or of one container', { skip }, async () => {
  const remote = await open('used')
  await putText(ctx, remote, 'f', 'seven b')
  assert.deepEqual(await remote.about?.(ctx), { used: 7, objects: 1 })
  const whole = await (await open('')).about?.(ctx)
  assert.ok((whole?.used ?? 0) >= 7)
})
