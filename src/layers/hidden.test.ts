import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryBackend, memoryOptions } from '../backends/memory/index.ts'
import { testContext } from '../core/testing.ts'
import { rejectsWith, fileAt, listed, putText, bytesAt } from '../../test/conformance/helpers.ts'
import type { Layer, Remote } from '../remote/remote.ts'
import { defaultsOf } from '../schema/option.ts'
import { hidden } from './hidden.ts'
import { withheld } from './withheld.ts'

const ctx = testContext()
const openRemote = () => Promise.reject(new Error('opens no other remote'))

/** A store with a secret in a folder, seen through each of the layers that keep it. */
async function* guarded(): AsyncGenerator<{ inner: Remote; remote: Remote }> {
  const args = { name: 'm', root: 'b', config: defaultsOf(memoryOptions), openRemote }
  const layers: ((version: string) => Layer)[] = [
    () => hidden(new Set(['keys/secret'])),
    (version) => withheld(() => new Set([version])),
  ]
  for (const layer of layers) {
    const inner = await memoryBackend().open(ctx, args)
    await putText(ctx, inner, 'keys/secret', 'secret')
    await putText(ctx, inner, 'keys/open', 'open')
    yield { inner, remote: layer((await fileAt(ctx, inner, 'keys/secret')).version ?? '')(inner) }
  }
}

test('a secret is in no listing, and nothing is found under its name', async () => {
  for await (const { remote } of guarded()) {
    assert.deepEqual([...(await listed(ctx, remote, 'keys')).keys()], ['keys/open'])
    assert.equal(await remote.stat(ctx, 'keys/secret'), undefined)
    const all: string[] = []
    for await (const { path } of remote.listRecursive?.(ctx, '') ?? []) all.push(path)
    assert.ok(!all.includes('keys/secret'))
  }
})

test('a secret is neither replaced nor moved, whatever is done to its folder', async () => {
  for await (const { inner, remote } of guarded()) {
    const file = await fileAt(ctx, remote, 'keys/open')
    await rejectsWith(putText(ctx, remote, 'keys/secret', 'x'), 'denied')
    if (remote.copy) await rejectsWith(remote.copy(ctx, file, 'keys/secret'), 'denied')
    if (remote.move) await rejectsWith(remote.move(ctx, file, 'keys/secret'), 'denied')
    if (remote.moveDirectory) await rejectsWith(remote.moveDirectory(ctx, 'keys', 'elsewhere'), 'denied')
    if (remote.purge) await rejectsWith(remote.purge(ctx, 'keys'), 'denied')
    assert.equal((await bytesAt(ctx, inner, 'keys/secret')).toString(), 'secret')
    assert.equal((await bytesAt(ctx, inner, 'keys/open')).toString(), 'open')
  }
})
