import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { failing, putText } from '../../test/conformance/helpers.ts'
import { memoryBackend, memoryOptions } from '../backends/memory/index.ts'
import { AppError } from '../base/error.ts'
import { testContext } from '../core/testing.ts'
import { serve } from '../http/testing-sockets.ts'
import { extend } from '../layers/extend.ts'
import { defaultsOf } from '../schema/option.ts'
import { Writes } from '../vfs/write.ts'
import { uploadHandler } from './upload.ts'

test('a part of a file that is replaced while the rest of it is read is refused as too late', async (t) => {
  const ctx = testContext()
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const memory = await memoryBackend().open(ctx, {
    name: 'm',
    root: 'bucket',
    config: defaultsOf(memoryOptions),
    openRemote,
  })
  await putText(ctx, memory, 'a.txt', 'abc')
  // As of a file in pieces, of which the second one is gone.
  const remote = extend(memory, { open: async () => failing(['a'], new AppError('not-found', 'gone')) })
  const tree = { remote, writes: new Writes({ remote, tempDir: tmpdir(), changed: () => {} }) }
  const { urls } = await serve(t, uploadHandler({ ctx, tree, most: Infinity, holes: true, origins: [] }))
  const answer = await fetch(new URL('/a.txt', urls[0]), { method: 'PUT', body: 'd', headers: { range: 'bytes=3-' } })
  assert.equal(answer.status, 409)
  assert.match(await answer.text(), /another version came in between/)
})
