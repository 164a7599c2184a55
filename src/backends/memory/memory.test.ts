import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testContext } from '../../core/testing.ts'
import { defaultsOf } from '../../schema/option.ts'
import { bytesAt, putText } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { memoryBackend, memoryOptions } from './index.ts'

const ctx = testContext()
const openRemote = () => Promise.reject(new Error('opens no other remote'))
const config = defaultsOf(memoryOptions)

remoteBehaviour('memory', {
  async open() {
    const remote = await memoryBackend().open(ctx, { name: ':memory', root: 'below/here', config, openRemote })
    await remote.mkdir(ctx, '')
    return { ctx, remote, close: async () => {} }
  },
})

test('remotes of one name see the same objects, those of other names and other apps do not', async () => {
  const backend = memoryBackend()
  const at = (name: string, root: string, from = backend) => from.open(ctx, { name, root, config, openRemote })
  await putText(ctx, await at(':memory', ''), 'bucket/a.txt', 'shared')
  assert.equal((await bytesAt(ctx, await at(':memory', 'bucket'), 'a.txt')).toString(), 'shared')
  assert.equal(await (await at('other', '')).stat(ctx, 'bucket/a.txt'), undefined)
  assert.equal(await (await at(':memory', '', memoryBackend())).stat(ctx, 'bucket/a.txt'), undefined)
})

test('slashes too many around a root mean nothing', async () => {
  const backend = memoryBackend()
  const at = (root: string) => backend.open(ctx, { name: ':memory', root, config, openRemote })
  await putText(ctx, await at('bucket/'), 'a.txt', 'found')
  assert.equal((await bytesAt(ctx, await at('/bucket//'), 'a.txt')).toString(), 'found')
})
