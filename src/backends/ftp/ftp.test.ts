import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { missing } from '../../../test/peers.ts'
import { type FtpServer, startProftpd } from '../../../test/servers/proftpd.ts'
import { missingPyftpdlib, startPyftpdlib } from '../../../test/servers/pyftpdlib.ts'
import { testContext } from '../../core/testing.ts'
import { type Change, opened } from '../../../test/servers/ftp-remote.ts'

interface Way {
  readonly start: () => Promise<FtpServer>
  readonly options?: Change
  readonly skip: string | false
  readonly impossibleNames?: readonly string[]
}

const proftpd = missing('proftpd', 'openssl')
const unsafe = { noCheckCertificate: true }
const ways: Readonly<Record<string, Way>> = {
  ProFTPD: { start: () => startProftpd(), skip: proftpd },
  'ProFTPD with explicit TLS': {
    start: () => startProftpd('explicit'),
    options: { ...unsafe, explicitTls: true },
    skip: proftpd,
  },
  'ProFTPD with implicit TLS': {
    start: () => startProftpd('implicit'),
    options: { ...unsafe, tls: true },
    skip: proftpd,
  },
  'ProFTPD without MLSD and EPSV': {
    start: () => startProftpd('none', ['ListOptions "-a"']),
    options: { disableMlsd: true, disableEpsv: true },
    skip: proftpd,
  },
  pyftpdlib: { start: () => startPyftpdlib(), skip: missingPyftpdlib() },
}

for (const [name, { start, options, skip, impossibleNames = [] }] of Object.entries(ways))
  remoteBehaviour(`ftp on ${name}`, {
    skip,
    impossibleNames,
    async open() {
      const server = await start()
      const ctx = testContext()
      const remote = await opened(ctx, server, options, 'some/where')
      await remote.mkdir(ctx, '')
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
