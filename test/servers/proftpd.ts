import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificate } from '../certificate.ts'
import { run } from '../conformance/servers.ts'
import { freePort } from '../web.ts'

export interface FtpServer {
  readonly port: number
  readonly user: string
  readonly password: string
  /** The folder of this machine that the user sees as `/`. */
  readonly root: string
  stop(): Promise<void>
}

export type FtpTls = 'none' | 'explicit' | 'implicit'

/** Starts ProFTPD on loopback with a user of its own. `lines` are added to its configuration. */
export async function startProftpd(tls: FtpTls = 'none', lines: readonly string[] = []): Promise<FtpServer> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-proftpd-'))
  const root = join(dir, 'files')
  mkdirSync(root)
  const [uid = 0, gid = 0] = [process.getuid?.(), process.getgid?.()]
  const [user, password] = ['me', 'a secret']
  const hash = execFileSync('openssl', ['passwd', '-6', password], { encoding: 'utf8' }).trim()
  writeFileSync(join(dir, 'users'), `${user}:${hash}:${uid}:${gid}::${root}:/bin/sh\n`, { mode: 0o600 })
  const port = await freePort()
  const config = [
    'ServerType standalone',
    'ServerName test',
    'DefaultAddress 127.0.0.1',
    'SocketBindTight on',
    `Port ${port}`,
    'UseIPv6 off',
    'UseReverseDNS off',
    `PidFile ${dir}/pid`,
    `ScoreboardFile ${dir}/scoreboard`,
    'DelayTable none',
    `SystemLog ${dir}/log`,
    'WtmpLog off',
    'ModulePath /usr/lib/proftpd',
    'AuthOrder mod_auth_file.c',
    `AuthUserFile ${dir}/users`,
    'RequireValidShell off',
    'RootLogin on',
    'DefaultRoot ~',
    'AllowOverwrite on',
    'AllowStoreRestart on',
    ...(uid === 0 ? ['User root', 'Group root'] : []),
    ...(tls === 'none' ? [] : tlsLines(dir, tls)),
    ...lines,
  ]
  writeFileSync(join(dir, 'proftpd.conf'), `${config.join('\n')}\n`)
  const { stop } = await run('proftpd', ['-n', '-q', '-c', join(dir, 'proftpd.conf')], port, () =>
    rmSync(dir, { recursive: true, force: true }),
  )
  return {
    port,
    user,
    password,
    root,
    stop,
  }
}

function tlsLines(dir: string, tls: FtpTls): string[] {
  const { cert, key } = certificate(dir, 'proftpd')
  return [
    'LoadModule mod_tls.c',
    'TLSEngine on',
    'TLSRequired on',
    `TLSRSACertificateFile ${cert}`,
    `TLSRSACertificateKeyFile ${key}`,
    `TLSLog ${dir}/tls.log`,
    // The data connection has to go on with the session of the other one.
    ...(tls === 'implicit' ? ['TLSOptions UseImplicitSSL'] : []),
  ]
}
