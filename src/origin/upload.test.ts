import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test, type TestContext } from 'node:test'
import { bytesAt, failing, putText } from '../../test/conformance/helpers.ts'
import { memoryBackend, memoryOptions } from '../backends/memory/index.ts'
import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { testContext } from '../core/testing.ts'
import { serve } from '../http/testing-sockets.ts'
import { extend } from '../layers/extend.ts'
import type { Remote } from '../remote/remote.ts'
import { defaultsOf } from '../schema/option.ts'
import { Writes } from '../vfs/write.ts'
import { uploadHandler } from './upload.ts'

async function memory(ctx: Context): Promise<Remote> {
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  return await memoryBackend().open(ctx, { name: 'm', root: 'bucket', config: defaultsOf(memoryOptions), openRemote })
}

/** A server of uploads to a remote; gives the URL of a file there. */
async function uploads(t: TestContext, ctx: Context, remote: Remote): Promise<URL> {
  const tree = { remote, writes: new Writes({ remote, tempDir: tmpdir(), changed: () => {} }) }
  const { urls } = await serve(t, uploadHandler({ ctx, tree, most: Infinity, holes: true, origins: [] }))
  return new URL('/a.txt', urls[0])
}

test('a part of a file that is replaced while the rest of it is read is refused as too late', async (t) => {
  const ctx = testContext()
  const store = await memory(ctx)
  await putText(ctx, store, 'a.txt', 'abc')
  // As of a file in pieces, of which the second one is gone.
  const remote = extend(store, { open: async () => failing(['a'], new AppError('not-found', 'gone')) })
  const url = await uploads(t, ctx, remote)
  const answer = await fetch(url, { method: 'PUT', body: 'd', headers: { range: 'bytes=3-' } })
  assert.equal(answer.status, 409)
  assert.match(await answer.text(), /another version came in between/)
})

test('a part that is slow to begin does not undo the whole file that came after it', async (t) => {
  const ctx = testContext()
  const store = await memory(ctx)
  const [asked, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let looks = 0
  const remote = extend(store, {
    async stat(own, path) {
      const entry = await store.stat(own, path)
      if (looks++ > 0) return entry
      asked.resolve()
      await over.promise
      return entry
    },
  })
  const url = await uploads(t, ctx, remote)
  const part = fetch(url, { method: 'PUT', body: 'part', headers: { range: 'bytes=0-' } })
  await asked.promise
  assert.equal((await fetch(url, { method: 'PUT', body: 'the whole file' })).status, 201)
  over.resolve()
  assert.equal((await part).status, 204)
  assert.equal((await bytesAt(ctx, store, 'a.txt')).toString(), 'the whole file')
})
