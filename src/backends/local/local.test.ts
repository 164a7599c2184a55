import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testContext } from '../../core/testing.ts'
import { defaultsOf } from '../../schema/option.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { localOptions } from './index.ts'
import { LocalRemote } from './remote.ts'

for (const copyLinks of [false, true])
  remoteBehaviour(copyLinks ? 'local with --copy-links' : 'local', {
    async open() {
      const root = mkdtempSync(join(tmpdir(), 'sluice-local-'))
      const config = { ...defaultsOf(localOptions), copyLinks }
      const ctx = testContext()
      const remote = LocalRemote.open(ctx, { name: 'local', root, config })
      return {
        ctx,
        remote,
        async close() {
          await remote.close()
          rmSync(root, { recursive: true })
        },
      }
    },
  })
