import type { Sshd } from './sshd.ts'
import type { Context } from '../../src/core/context.ts'
import type { Remote } from '../../src/remote/remote.ts'
import { defaultsOf, type Values } from '../../src/schema/option.ts'
import { sftpBackend, sftpOptions } from '../../src/backends/sftp/index.ts'

/** Options of a remote; with `ssh` it is reached by the program. */
export type Change = Partial<Omit<Values<typeof sftpOptions>, 'ssh'>> & { readonly ssh?: true }

/** A remote on a server of a test. */
export async function opened(ctx: Context, server: Sshd, change: Change = {}, root = server.root): Promise<Remote> {
  const { ssh, ...rest } = change
  const { port, user, keyFile, knownHosts } = server
  const program = `ssh -F none -o BatchMode=yes -i ${keyFile} -o UserKnownHostsFile=${knownHosts} -p ${port} ${user}@127.0.0.1`
  const config = {
    ...defaultsOf(sftpOptions),
    ...(ssh ? { ssh: program.split(' ') } : { host: '127.0.0.1', port, user, keyFile, knownHostsFile: knownHosts }),
    ...rest,
  }
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  return await sftpBackend.open(ctx, { name: 'nas', root, config, openRemote })
}
