import { defineOptions, option } from '../schema/option.ts'
import { bool } from '../schema/values.ts'
import type { Command } from './command.ts'

const listOptions = defineOptions('listremotes', {
  long: option(bool, false, 'Show the kind of each remote as well'),
})

export const listremotesCommand: Command = {
  name: 'listremotes',
  usage: '',
  summary: 'List the remotes of the configuration and of the environment',
  options: [listOptions],
  args: [0, 0],
  async run(io) {
    const config = await io.config()
    const names = config.sections().sort()
    const width = Math.max(0, ...names.map((name) => name.length)) + 1
    const line = io.get(listOptions).long
      ? (name: string) => `${`${name}:`.padEnd(width)} ${config.get(name)?.type ?? ''}\n`
      : (name: string) => `${name}:\n`
    await io.stdout(names.map(line).join(''))
  },
}
