import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { BlobServiceClient, ContainerSASPermissions, StorageSharedKeyCredential } from '@azure/storage-blob'
import { bodyOf } from '../../base/body.ts'
import { testContext } from '../../core/testing.ts'
import type { Remote } from '../../remote/remote.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import type { FileServer } from '../../../test/conformance/servers.ts'
import { missing } from '../../../test/peers.ts'
import { azurite } from '../../../test/servers/azurite.ts'
import { azureblobOptions } from './index.ts'
import { openAzure } from './remote.ts'
import { emulator } from './service.ts'

const ctx = testContext()
const skip = missing('azurite-blob')
let server: FileServer | undefined

before(async () => void (skip || (server = await azurite())))
after(async () => await server?.stop())

function open(root: string, config: Partial<Values<typeof azureblobOptions>> = {}): Remote {
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const all = { ...defaultsOf(azureblobOptions), useEmulator: true, endpoint: server?.url ?? '', ...config }
  return openAzure(ctx, { name: ':azureblob', root, config: all, openRemote })
}

for (const [title, config] of [
  ['in one request or a few blocks', { chunkSize: 256 * 1024, uploadConcurrency: 4 }],
  ['with markers', { directoryMarkers: true }],
] as const)
  remoteBehaviour(`azureblob ${title}`, {
    skip,
    async open() {
      const remote = open(`bucket/${title}`, config)
      await remote.mkdir(ctx, '')
      return { ctx, remote, close: async () => await remote.close?.() }
    },
  })

test(
  'a file that goes up in chunks has the checksum of the whole, and of a small one the service tells it',
  { skip },
  async () => {
    const remote = open('sums', { chunkSize: 1000, uploadConcurrency: 3 })
    for (const size of [0, 999, 1000, 1001, 12_345]) {
      const bytes = noise(size, 'sum')
      const { hashes } = await remote.put(ctx, `f${size}`, bodyOf(bytes), { size })
      assert.equal(hashes?.md5, createHash('md5').update(bytes).digest('hex'), `${size}`)
    }
    const without = open('sums', { chunkSize: 1000, disableChecksum: true })
    assert.equal((await without.put(ctx, 'none', bodyOf(noise(3000, 'x')), {})).hashes, undefined)
  },
)

test(
  'containers are the directories of the root, made with the first file and removed when empty',
  { skip },
  async () => {
    const remote = open('')
    await putText(ctx, remote, 'made-here/a.txt', 'x')
    assert.equal((await remote.stat(ctx, 'made-here'))?.kind, 'directory')
    assert.ok((await listed(ctx, remote, '')).has('made-here'))
    await rejectsWith(putText(ctx, remote, 'loose.txt', 'x'), 'invalid')
    await rejectsWith(remote.rmdir(ctx, 'made-here'), 'not-empty')
    await remote.remove(ctx, await fileAt(ctx, remote, 'made-here/a.txt'))
    await remote.rmdir(ctx, 'made-here')
    assert.equal(await remote.stat(ctx, 'made-here'), undefined)
    assert.equal(await remote.stat(ctx, 'No Container'), undefined)
  },
)

test('a tier is set for new files and changed later', { skip }, async () => {
  const remote = open('tiers', { accessTier: 'cool' })
  const file = await putText(ctx, remote, 'f', 'x')
  assert.equal(file.tier, 'Cool')
  await remote.setTier?.(ctx, file, 'hot')
  assert.equal((await fileAt(ctx, remote, 'f')).tier, 'Hot')
})

test('a SAS URL and a connection string are logins too', { skip }, async () => {
  await putText(ctx, open('shared'), 'f', 'hello')
  const { url = '' } = server ?? {}
  const key = new StorageSharedKeyCredential('devstoreaccount1', emulator.key)
  const client = new BlobServiceClient(url, key).getContainerClient('shared')
  const permissions = ContainerSASPermissions.parse('rl')
  const sasUrl = await client.generateSasUrl({ expiresOn: new Date(Date.now() + 3_600_000), permissions })
  const login = { useEmulator: false, endpoint: '' }
  assert.equal((await bytesAt(ctx, open('shared', { ...login, sasUrl }), 'f')).toString(), 'hello')
  await rejectsWith(open('other', { ...login, sasUrl }).stat(ctx, 'f'), 'denied')
  await rejectsWith(putText(ctx, open('shared', { ...login, sasUrl }), 'g', 'x'), 'denied')
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${emulator.key};BlobEndpoint=${url};`
  assert.equal((await bytesAt(ctx, open('shared', { ...login, connectionString }), 'f')).toString(), 'hello')
})

test('options that lead nowhere say what is missing', () => {
  for (const [config, message] of [
    [{ useEmulator: false, endpoint: '' }, /account is missing/],
    [{ sasUrl: 'https://x.example/?a=b' }, /no SAS URL/],
    [{ connectionString: 'nonsense' }, /connection string/],
    [{ endpoint: 'ftp://x' }, /endpoint/],
  ] as const)
    assert.throws(() => open('c', config), message)
})
