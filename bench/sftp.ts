import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { find } from '../test/peers.ts'
import { startSshd } from '../test/servers/sshd.ts'
import { emptied, type FilesBench, plantGibibyte, race, roomy } from './files.ts'
import type { Figure } from './report.ts'

/** What is measured here: between a folder in memory and one OpenSSH, whole programs beside each other. */
export const sftpIds: readonly string[] = ['sftpread', 'sftpwrite']

/** Sluice and rclone at the same server; none without that. */
export async function sftpFigures(bench: FilesBench): Promise<Figure[]> {
  const ids = sftpIds.filter((id) => bench.wanted(id))
  if (ids.length === 0 || !find('sshd')) return []
  const dir = mkdtempSync(join(roomy(), 'sluice-bench-sftp-'))
  const server = await startSshd()
  try {
    const config = join(dir, 'rclone.conf')
    const { port, user, keyFile, knownHosts } = server
    writeFileSync(
      config,
      `[nas]\ntype = sftp\nhost = 127.0.0.1\nport = ${port}\nuser = ${user}\nkey_file = ${keyFile}\nknown_hosts_file = ${knownHosts}\n`,
    )
    const [here, there] = [join(dir, 'here'), join(dir, 'there')]
    const figures: Figure[] = []
    for (const id of ids) {
      console.log(`measuring: ${id}`)
      emptied(here)
      emptied(there)
      plantGibibyte(id === 'sftpread' ? there : here)
      const args = id === 'sftpread' ? ['copy', `nas:${there}`, here] : ['copy', here, `nas:${there}`]
      const medians = await race({ ...bench, config }, args, () => emptied(id === 'sftpread' ? here : there))
      const title = id === 'sftpread' ? '1 GiB read from SFTP' : '1 GiB written to SFTP'
      figures.push({ id, title, unit: 'ms', better: 'less', goals: { rclone: 1.25 }, medians })
    }
    return figures
  } finally {
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
