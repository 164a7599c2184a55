import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bodyOf } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { testContext } from '../../core/testing.ts'
import type { Remote } from '../../remote/remote.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, failing, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { gcs, type Gcs } from '../../../test/servers/gcs.ts'
import { gcsOptions } from './index.ts'
import { openGcs } from './remote.ts'

const ctx = testContext()
const MIB = 1024 * 1024
let server: Gcs

before(async () => void (server = await gcs()))
after(async () => await server.stop())

function open(root: string, config: Partial<Values<typeof gcsOptions>> = {}): Remote {
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const standard = { ...defaultsOf(gcsOptions), endpoint: server.url, accessToken: 'secret', projectNumber: '7' }
  return openGcs(ctx, { name: ':gcs', root, config: { ...standard, ...config }, openRemote })
}

for (const [title, config] of [
  ['', {}],
  [' with markers', { directoryMarkers: true }],
] as const)
  remoteBehaviour(`google cloud storage${title}`, {
    async open() {
      const remote = open(`bucket/below${title}`, config)
      await remote.mkdir(ctx, '')
      return { ctx, remote, close: async () => await remote.close?.() }
    },
  })

test('a large file goes up in pieces, which are taken up where they broke', async () => {
  const remote = open('pieces')
  const bytes = Buffer.alloc(17 * MIB + 5, noise(10_007, 'pieces'))
  let sent = 0
  // The first piece arrives in part, the second not at all, the rest as it should.
  server.onPiece = () => [3 * MIB, undefined, 0][sent++]
  const modTime = 1_234_567_890_123_456_789n
  const stored = await remote.put(ctx, 'f.bin', bodyOf(bytes), { modTime })
  server.onPiece = undefined
  assert.equal(stored.size, bytes.length)
  assert.equal(stored.modTime, modTime)
  assert.ok((await bytesAt(ctx, remote, 'f.bin')).equals(bytes))
  assert.ok(sent >= 5)
})

test('a large upload that breaks is given up', async () => {
  const remote = open('broken')
  await putText(ctx, remote, 'other', 'x')
  const broken = failing(['a'.repeat(17 * MIB)], new AppError('io', 'source broke'))
  await rejectsWith(remote.put(ctx, 'f.bin', broken, {}), 'io')
  assert.match(server.requests.at(-1) ?? '', /^DELETE .*upload_id=/)
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['other'])
})

test('a copy of a large file takes several calls', async () => {
  const remote = open('copies')
  const file = await remote.put(ctx, 'a', bodyOf(noise(MIB + 1, 'copy')), { modTime: 10n ** 18n })
  const copied = await remote.copy?.(ctx, file, 'b')
  assert.equal(copied?.modTime, 10n ** 18n)
  assert.equal(server.requests.filter((line) => line.includes('/copies/o/a/rewriteTo/')).length, 3)
})

test('buckets are the directories of the root, made with the first file and removed when empty', async () => {
  const remote = open('')
  await putText(ctx, remote, 'made-here/a.txt', 'x')
  assert.ok((await listed(ctx, remote, '')).has('made-here'))
  await rejectsWith(remote.rmdir(ctx, 'made-here'), 'not-empty')
  await remote.remove(ctx, await fileAt(ctx, remote, 'made-here/a.txt'))
  await remote.rmdir(ctx, 'made-here')
  assert.equal(await remote.stat(ctx, 'made-here'), undefined)
  await rejectsWith(putText(ctx, open('', { projectNumber: '' }), 'other-bucket/f', 'x'), 'invalid')
})

test('a login that is missing or malformed says so and does not show itself', () => {
  const none = { accessToken: '' }
  for (const [config, message] of [
    [none, /no login/],
    [{ ...none, serviceAccountCredentials: 'my secret' }, /service_account_credentials is not JSON$/],
    [{ ...none, token: '{}' }, /token needs client_id/],
    [{ endpoint: 'ftp://x' }, /endpoint/],
  ] as const)
    assert.throws(() => open('b', config), message)
})
