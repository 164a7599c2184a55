import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { bodyOf, collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { retrying } from '../../layers/retry.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, failing, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { faultProxy } from '../../../test/fault-proxy.ts'
import { missing } from '../../../test/peers.ts'
import { swift, swiftPrograms } from '../../../test/servers/swift.ts'
import { openTestS3 } from './testing.ts'

const skip = missing(...swiftPrograms)
const MIB = 1024 * 1024

remoteBehaviour('s3 at Swift', {
  skip,
  open: async () => await openTestS3(await swift(), 'behaviour/below/here'),
})

remoteBehaviour('s3 at Swift, with the options of newer and of older stores', {
  skip,
  open: async () =>
    await openTestS3(await swift(), 'options', {
      provider: 'Minio',
      v2Auth: true,
      directoryMarkers: true,
      listChunk: 3,
      usePresignedRequest: true,
    }),
})

test(
  'an upload in parts is one file, of known and of unknown size, with the MD5 that its source knew',
  { skip },
  async () => {
    const { ctx, remote } = await openTestS3(await swift(), 'parts', { uploadCutoff: 6 * MIB, uploadConcurrency: 2 })
    const bytes = noise(11 * MIB + 5, 'parts')
    const md5 = createHash('md5').update(bytes).digest('hex')
    const info = { modTime: 1_234_567_890_123_456_789n, hashes: { md5 }, contentType: 'text/x-parts' }
    for (const size of [{ size: bytes.length }, {}]) {
      const put = await remote.put(ctx, 'a/parts.bin', bodyOf(bytes), { ...info, ...size })
      const file = await fileAt(ctx, remote, 'a/parts.bin')
      assert.deepEqual(put, file)
      assert.match(file.version ?? '', /-3$/)
      assert.equal(file.size, bytes.length)
      assert.equal(await remote.hash(ctx, file, 'md5'), md5)
      assert.ok((await bytesAt(ctx, remote, 'a/parts.bin')).equals(bytes))
    }
    const range = await collect(
      await remote.open(ctx, await fileAt(ctx, remote, 'a/parts.bin'), { start: 5 * MIB - 2, end: 5 * MIB + 3 }),
    )
    assert.deepEqual([...range], [...bytes.subarray(5 * MIB - 2, 5 * MIB + 3)])
  },
)

test('an upload in parts that fails leaves no parts behind', { skip }, async () => {
  const { ctx, remote } = await openTestS3(await swift(), 'failing', { uploadCutoff: 6 * MIB })
  await remote.mkdir(ctx, '')
  const part = 'x'.repeat(6 * MIB)
  const error = new AppError('io', 'source broke')
  await rejectsWith(remote.put(ctx, 'never.bin', failing([part, part], error), { size: 20 * MIB }), 'io')
  assert.deepEqual(await remote.command(ctx, 'list-multipart-uploads', [], {}), { failing: [] })
  const keeping = await openTestS3(await swift(), 'failing', { leavePartsOnError: true })
  await rejectsWith(keeping.remote.put(ctx, 'never.bin', failing([part, part], error), {}), 'io')
  const left = (await remote.command(ctx, 'list-multipart-uploads', [], {})) as { failing: unknown[] }
  assert.equal(left.failing.length, 1)
  await remote.cleanUp(ctx)
  assert.deepEqual(await remote.command(ctx, 'list-multipart-uploads', [], {}), left, 'it is not a day old')
  await remote.command(ctx, 'cleanup', [], { 'max-age': '-1m' })
  assert.deepEqual(await remote.command(ctx, 'list-multipart-uploads', [], {}), { failing: [] })
})

test('a large file is copied in parts, and keeps its time, type and metadata', { skip }, async () => {
  const { ctx, remote } = await openTestS3(await swift(), 'copies', { copyCutoff: 5 * MIB })
  const bytes = noise(11 * MIB, 'copies')
  const metadata = { 'cache-control': 'max-age=5', colour: 'grün', 'other-thing': 'a b' }
  const info = { modTime: 10n ** 18n + 5n, contentType: 'text/x-copy', metadata }
  const file = await remote.put(ctx, 'from.bin', bodyOf(bytes), { size: bytes.length, ...info })
  const copied = await remote.copy(ctx, file, 'to/it.bin')
  const found = await fileAt(ctx, remote, 'to/it.bin')
  assert.deepEqual(copied, found)
  assert.ok((await bytesAt(ctx, remote, 'to/it.bin')).equals(bytes))
  assert.deepEqual(
    { modTime: found.modTime, contentType: found.contentType, metadata: found.metadata, hashes: found.hashes },
    { ...info, hashes: file.hashes },
  )
  await remote.setModTime(ctx, found, 1_000_000_000n)
  assert.equal((await fileAt(ctx, remote, 'to/it.bin')).modTime, 1_000_000_000n)
})

test('a listing has the times of the uploads, and says so', { skip }, async () => {
  const { ctx, remote } = await openTestS3(await swift(), 'times')
  await putText(ctx, remote, 'old.txt', 'old', { modTime: 5n })
  const entry = (await listed(ctx, remote, '')).get('old.txt') as FileEntry
  assert.equal(entry.timeOfUpload, true)
  assert.ok(entry.modTime > 10n ** 18n)
  assert.equal((await fileAt(ctx, remote, 'old.txt')).modTime, 5n)
  const hasty = await openTestS3(await swift(), 'times', { noHeadObject: true })
  assert.equal((await fileAt(ctx, hasty.remote, 'old.txt')).modTime, entry.modTime)
})

test(
  'the root of all lists buckets; one that is not there is not found, one that has files cannot be removed',
  { skip },
  async () => {
    const { ctx, remote } = await openTestS3(await swift(), '')
    await putText(ctx, remote, 'first-bucket/a/b.txt', 'x')
    await remote.mkdir(ctx, 'second-bucket')
    const buckets = [...(await listed(ctx, remote, '')).keys()]
    assert.ok(buckets.includes('first-bucket') && buckets.includes('second-bucket'))
    assert.deepEqual([...(await listed(ctx, remote, 'second-bucket')).keys()], [])
    assert.equal((await remote.stat(ctx, 'second-bucket'))?.kind, 'directory')
    assert.equal(await remote.stat(ctx, 'no-such-bucket'), undefined)
    await rejectsWith(listed(ctx, remote, 'no-such-bucket'), 'not-found')
    await rejectsWith(remote.rmdir(ctx, 'first-bucket'), 'not-empty')
    await rejectsWith(putText(ctx, remote, 'third-bucket', 'x'), 'invalid')
    await remote.rmdir(ctx, 'second-bucket')
    assert.equal(await remote.stat(ctx, 'second-bucket'), undefined)
    await remote.purge(ctx, 'first-bucket')
    assert.equal(await remote.stat(ctx, 'first-bucket'), undefined)
  },
)

test(
  'old versions are listed under names with their time, read and removed; a moment shows what was there then',
  { skip },
  async () => {
    const { ctx, remote } = await openTestS3(await swift(), 'versioned')
    await remote.mkdir(ctx, '')
    assert.equal(await remote.command(ctx, 'versioning', ['Enabled'], {}), 'Enabled')
    await putText(ctx, remote, 'dir/a.txt', 'first', { modTime: 1n })
    const between = await later(remote.command.bind(remote, ctx, 'versioning', [], {}))
    await putText(ctx, remote, 'dir/a.txt', 'second', { modTime: 2n })
    await putText(ctx, remote, 'dir/b.txt', 'b')

    const all = await openTestS3(await swift(), 'versioned', { versions: true })
    const names = [...(await listed(ctx, all.remote, 'dir')).keys()].sort()
    assert.equal(names.length, 3)
    const old = names.find((name) => /^dir\/a-v\d{4}-\d\d-\d\d-\d{6}-\d{3}\.txt$/.test(name)) ?? ''
    assert.equal((await bytesAt(ctx, all.remote, old)).toString(), 'first')
    assert.equal((await bytesAt(ctx, all.remote, 'dir/a.txt')).toString(), 'second')
    assert.equal((await fileAt(ctx, all.remote, old)).modTime, 1n)
    await rejectsWith(all.remote.setModTime(ctx, await fileAt(ctx, all.remote, old), 3n), 'unsupported')

    const then = await openTestS3(await swift(), 'versioned', { versionAt: between })
    assert.deepEqual([...(await listed(ctx, then.remote, 'dir')).keys()], ['dir/a.txt'])
    assert.equal((await bytesAt(ctx, then.remote, 'dir/a.txt')).toString(), 'first')
    assert.equal(await then.remote.stat(ctx, 'dir/b.txt'), undefined)
    await rejectsWith(putText(ctx, then.remote, 'dir/c.txt', 'c'), 'denied')

    await remote.remove(ctx, await fileAt(ctx, remote, 'dir/a.txt'))
    await remote.remove(ctx, await fileAt(ctx, remote, 'dir/b.txt'))
    assert.equal((await all.remote.stat(ctx, 'dir'))?.kind, 'directory')
    assert.equal((await then.remote.stat(ctx, 'dir'))?.kind, 'directory')
    assert.equal(await remote.stat(ctx, 'dir'), undefined)
    await all.remote.remove(ctx, await fileAt(ctx, all.remote, old))
    assert.equal((await listed(ctx, all.remote, 'dir')).size, 2)
    await all.remote.purge(ctx, '')
    assert.equal(await remote.stat(ctx, ''), undefined)
  },
)

/** A moment that is after all that was done so far and before all that comes, at the store's clock of whole seconds. */
async function later(ask: () => Promise<unknown>): Promise<string> {
  const now = Math.ceil((Date.now() + 1) / 1000) * 1000
  while (Date.now() < now + 1000) await ask()
  return new Date(now).toISOString()
}

test('a signed link gives a file to whoever has it, for a time', { skip }, async () => {
  for (const v2Auth of [false, true]) {
    const { ctx, remote } = await openTestS3(await swift(), 'links', { v2Auth })
    await putText(ctx, remote, 'a folder/ü+?.txt', 'shared')
    const link = await remote.publicLink(ctx, 'a folder/ü+?.txt', { expire: 60_000 })
    assert.equal(await (await fetch(link)).text(), 'shared')
    assert.equal((await fetch(link.replace('.txt', '.tx'))).status, 403)
    assert.ok((await fetch(link.split('?')[0] ?? '')).status >= 400)
    await rejectsWith(remote.publicLink(ctx, 'missing', {}), 'not-found')
  }
})

test('a wrong key is denied, and a message does not tell it', { skip }, async () => {
  for (const v2Auth of [false, true]) {
    const { ctx, remote } = await openTestS3({ ...(await swift()), key: 'wrong-secret' }, 'links', { v2Auth })
    await assert.rejects(listed(ctx, remote, ''), (error: AppError) => {
      assert.equal(error.code, 'denied')
      assert.match(error.message, /bucket links: .*SignatureDoesNotMatch/)
      assert.doesNotMatch(error.message, /wrong-secret/)
      return true
    })
  }
})

test('a store in another region is found by its answer', { skip }, async () => {
  const { ctx, remote } = await openTestS3(await swift(), 'regions', { region: 'eu-elsewhere-1' })
  await putText(ctx, remote, 'a.txt', 'found')
  assert.equal((await bytesAt(ctx, remote, 'a.txt')).toString(), 'found')
})

test('connections that break while a file is written and read are made good', { skip }, async (t) => {
  const store = await swift()
  const proxy = await faultProxy(t, Number(new URL(store.url).port))
  const through = { ...store, url: `http://127.0.0.1:${proxy.port}` }
  const { ctx, remote } = await openTestS3(through, 'faults', { uploadCutoff: 6 * MIB })
  const bytes = noise(22 * MIB, 'faults')
  async function* breaking(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += MIB) {
      if (at === 8 * MIB || at === 17 * MIB) proxy.breakAll()
      yield bytes.subarray(at, at + MIB)
    }
  }
  await remote.put(ctx, 'a.bin', breaking(), { size: bytes.length })
  proxy.breakAll()
  const first = proxy.connections
  proxy.faults((connection) => (connection > first + 3 ? undefined : { [connection % 2 ? 'cut' : 'reset']: 5_000_000 }))
  const policy = { tries: 10, first: 1, longest: 1, random: Math.random }
  assert.ok((await bytesAt(ctx, retrying(policy)(remote), 'a.bin')).equals(bytes))
})
