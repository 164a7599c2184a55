import { arch, release, type } from 'node:os'
import type { Command } from './command.ts'

/** What `sluice version` prints, and the first line of a bug report. */
export function versionText(version: string): string {
  return `sluice v${version}
- os/kernel: ${type()} ${release()}
- os/type: ${process.platform}
- os/arch: ${arch()}
- node/version: ${process.version}
`
}

export const versionCommand: Command = {
  name: 'version',
  usage: '',
  summary: 'Show the version of Sluice and of what it runs on',
  args: [0, 0],
  run: (io) => io.stdout(versionText(io.version)),
}
