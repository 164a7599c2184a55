import type { FtpServer } from './proftpd.ts'
import type { Context } from '../../src/core/context.ts'
import type { Remote } from '../../src/remote/remote.ts'
import { defaultsOf, type Values } from '../../src/schema/option.ts'
import { ftpBackend, ftpOptions } from '../../src/backends/ftp/index.ts'

export type Change = Partial<Values<typeof ftpOptions>>

/** A remote on a server of a test. */
export async function opened(ctx: Context, server: FtpServer, change: Change = {}, root = ''): Promise<Remote> {
  const { port, user, password: pass } = server
  const config = { ...defaultsOf(ftpOptions), host: '127.0.0.1', port, user, pass, ...change }
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  return await ftpBackend.open(ctx, { name: 'box', root, config, openRemote })
}
