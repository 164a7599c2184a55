import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../conformance/servers.ts'
import { freePort } from '../web.ts'
import type { FtpServer } from './proftpd.ts'

/** Debian's own Python, for which its packages are installed. */
const python = '/usr/bin/python3'

/** As `missing` of peers.ts: false when the server is there, else why a test is skipped. */
export function missingPyftpdlib(): string | false {
  if (spawnSync(python, ['-c', 'import pyftpdlib']).status === 0) return false
  if (process.env.CI) throw new Error('not installed: python3-pyftpdlib (tools/peers.sh installs it)')
  return 'needs python3-pyftpdlib'
}

/** Starts the FTP server of pyftpdlib, which knows MLSD but not all that ProFTPD knows. */
export async function startPyftpdlib(): Promise<FtpServer> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-pyftpdlib-'))
  const [root, user, password] = [join(dir, 'files'), 'me', 'secret']
  mkdirSync(root)
  const port = await freePort()
  const program = join(import.meta.dirname, 'ftp-server.py')
  const args = [program, String(port), root, user, password]
  const { stop } = await run(python, args, port, () => rmSync(dir, { recursive: true, force: true }))
  return {
    port,
    user,
    password,
    root,
    stop,
  }
}
