import { collect } from '../base/body.ts'
import { obscure, reveal } from '../remote/obscure.ts'
import type { Command, CommandIo } from './command.ts'

/** The argument, or for `-` the first line of standard input: an argument can be seen by others of this machine. */
async function argument(io: CommandIo): Promise<string> {
  const [text = ''] = io.args
  if (text !== '-') return text
  const input = Buffer.from(await collect(io.stdin, 1024 * 1024)).toString()
  return input.split(/\r?\n/, 1)[0] ?? ''
}

export const obscureCommands: readonly Command[] = [
  {
    name: 'obscure',
    usage: 'PASSWORD|-',
    summary: 'Obscure a password for the configuration file',
    help: 'Keeps eyes off a password; it is no protection against somebody who has the file. With - it is read from the standard input.',
    examples: [['printf %s "$PASS" | sluice obscure -', 'Obscure what a variable holds']],
    args: [1, 1],
    run: async (io) => await io.stdout(`${obscure(await argument(io))}\n`),
  },
  {
    name: 'reveal',
    usage: 'OBSCURED|-',
    summary: 'Show the password behind an obscured one',
    args: [1, 1],
    run: async (io) => await io.stdout(`${reveal(await argument(io))}\n`),
  },
]
