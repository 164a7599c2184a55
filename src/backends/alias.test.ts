import { testContext } from '../core/testing.ts'
import { defaultsOf } from '../schema/option.ts'
import { rejectsWith } from '../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../test/conformance/remote.ts'
import { test } from 'node:test'
import { aliasBackend } from './alias.ts'
import { memoryBackend, memoryOptions } from './memory/index.ts'

const ctx = testContext()

function aliased(remote: string, root: string) {
  const memory = memoryBackend()
  const openRemote = async (spec: string) =>
    await memory.open(ctx, { name: 'm', root: spec.slice(2), config: defaultsOf(memoryOptions), openRemote })
  return aliasBackend.open(ctx, { name: 'also', root, config: { remote }, openRemote })
}

remoteBehaviour('alias', {
  async open() {
    const remote = await aliased('m:some/where', 'below')
    await remote.mkdir(ctx, '')
    return { ctx, remote, close: async () => {} }
  },
})

test('an alias of nothing, or of itself, is refused', async () => {
  for (const remote of ['', 'also:', 'also:x']) await rejectsWith(aliased(remote, ''), 'invalid')
})
