import assert from 'node:assert/strict'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { missing } from '../../../test/peers.ts'
import { startSshd } from '../../../test/servers/sshd.ts'
import { testContext } from '../../core/testing.ts'
import { type Change, opened } from '../../../test/servers/sftp-remote.ts'

const ways: Readonly<Record<string, Change>> = {
  OpenSSH: {},
  'OpenSSH by a program': { ssh: true },
  'OpenSSH in tiny requests': { chunkSize: 1000, concurrency: 3, connections: 1 },
}

for (const [name, options] of Object.entries(ways))
  remoteBehaviour(`sftp on ${name}`, {
    skip: missing('sshd', 'ssh'),
    async open() {
      const server = await startSshd()
      const ctx = testContext()
      const remote = await opened(ctx, server, options, `${server.root}/some/where`)
      await remote.mkdir(ctx, '')
      assert.deepEqual(remote.info.hashes, ['md5', 'sha1'])
      return {
        ctx,
        remote,
        async close() {
          await remote.close?.()
          await server.stop()
        },
      }
    },
  })
