import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testContext } from '../../core/testing.ts'
import { defaultsOf } from '../../schema/option.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { parseEncoding } from '../../remote/encoding.ts'
import { localBackend, type LocalOptions, localOptions } from './index.ts'

const ways: Readonly<Record<string, Partial<LocalOptions>>> = {
  local: {},
  'local with --copy-links': { copyLinks: true },
  'local with other names': { encoding: parseEncoding('Colon,Ctl,RightSpace,InvalidUtf8') },
}

for (const [name, options] of Object.entries(ways))
  remoteBehaviour(name, {
    async open() {
      const root = mkdtempSync(join(tmpdir(), 'sluice-local-'))
      const config = { ...defaultsOf(localOptions), ...options }
      const ctx = testContext()
      const openRemote = () => Promise.reject(new Error('opens no other remote'))
      const remote = await localBackend().open(ctx, { name: 'local', root, config, openRemote })
      return {
        ctx,
        remote,
        async close() {
          await remote.close?.()
          rmSync(root, { recursive: true })
        },
      }
    },
  })
