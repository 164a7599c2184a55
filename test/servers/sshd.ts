import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { run } from '../conformance/servers.ts'
import { freePort } from '../web.ts'

export interface Sshd {
  readonly port: number
  readonly user: string
  /** A folder of the test's own that its users see, being those of this machine. */
  readonly root: string
  /** File of a private key that may log in; its public one lies beside it. */
  readonly keyFile: string
  /** File that knows the server under its port. */
  readonly knownHosts: string
  stop(): Promise<void>
}

/** Starts OpenSSH's server on loopback, with keys of its own. `lines` are added to its configuration. */
export async function startSshd(lines: readonly string[] = []): Promise<Sshd> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-sshd-'))
  const [root, keyFile, hostKey] = [join(dir, 'files'), join(dir, 'key'), join(dir, 'host_key')]
  mkdirSync(root)
  for (const file of [keyFile, hostKey])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file])
  // The daemon insists on it when root starts it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const port = await freePort()
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    'PidFile none',
    `AuthorizedKeysFile ${keyFile}.pub`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'MaxStartups 100',
    'Subsystem sftp internal-sftp',
    ...lines,
  ]
  writeFileSync(join(dir, 'sshd_config'), `${config.join('\n')}\n`)
  writeFileSync(join(dir, 'known_hosts'), `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`)
  // Its path has to be whole: it starts itself anew for each connection.
  const { stop } = await run('sshd', ['-D', '-e', '-f', join(dir, 'sshd_config')], port, () =>
    rmSync(dir, { recursive: true, force: true }),
  )
  return {
    port,
    user: userInfo().username,
    root,
    keyFile,
    knownHosts: join(dir, 'known_hosts'),
    stop,
  }
}
