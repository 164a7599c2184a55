import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testContext } from '../../core/testing.ts'
import { defaultsOf } from '../../schema/option.ts'
import { writeFixture } from '../../../test/conformance/fixture.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { fileServers } from '../../../test/conformance/servers.ts'
import { missing } from '../../../test/peers.ts'
import { httpOptions } from './index.ts'
import { HttpRemote } from './remote.ts'

for (const [program, { start, impossibleNames }] of Object.entries(fileServers))
  remoteBehaviour(`http from ${program}`, {
    readOnly: true,
    skip: missing(program),
    impossibleNames,
    async open() {
      const root = mkdtempSync(join(tmpdir(), 'sluice-http-'))
      writeFixture(root)
      const { url, stop } = await start(root)
      const ctx = testContext()
      const config = { ...defaultsOf(httpOptions), url }
      const openRemote = () => Promise.reject(new Error('opens no other remote'))
      const remote = HttpRemote.open(ctx, { name: ':http', root: '', config, openRemote })
      return {
        ctx,
        remote,
        async close() {
          await remote.close()
          await stop()
          rmSync(root, { recursive: true })
        },
      }
    },
  })
