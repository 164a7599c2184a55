import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { farRemote, openCached } from './testing.ts'

const cases = [
  ['that uploads later', { cacheMode: 'full', writeBack: 3_600_000 }],
  ['that uploads at once', { cacheMode: 'full', writeBack: 0 }],
  ['that uploads meanwhile', { cacheMode: 'writes', writeBack: 1 }],
  ['that only recovers', { cacheMode: 'minimal' }],
] as const

for (const [how, options] of cases)
  remoteBehaviour(`a cache ${how}`, {
    async open() {
      const dir = mkdtempSync(join(tmpdir(), 'sluice-cache-'))
      const { ctx, remote, cache } = await openCached(dir, await farRemote(), options)
      return {
        ctx,
        remote,
        async close() {
          await cache.close()
          rmSync(dir, { recursive: true })
        },
      }
    },
  })
