import { arch, release, type } from 'node:os'
import { defineOptions, option } from '../schema/option.ts'
import { bool } from '../schema/values.ts'
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

const versionOptions = defineOptions('version', {
  check: option(bool, false, 'Say how to find out whether there is a newer one: Sluice itself asks nobody'),
})

/** For `--check`: nothing is sent to anybody, so that only the version of this program is known. */
function checkText(version: string): string {
  return `yours:  ${version}\nlatest: not asked for; this tells it: npm view sluice version\n`
}

export const versionCommand: Command = {
  name: 'version',
  usage: '',
  summary: 'Show the version of Sluice and of what it runs on',
  options: [versionOptions],
  args: [0, 0],
  run: (io) => io.stdout(io.get(versionOptions).check ? checkText(io.version) : versionText(io.version)),
}
