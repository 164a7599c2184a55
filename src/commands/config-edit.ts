import { findBackend } from '../remote/backend.ts'
import { AppError } from '../base/error.ts'
import {
  type ConfigOut,
  type Configuring,
  createRemote,
  deleteRemote,
  setPasswords,
  updateRemote,
} from '../remote/configure.ts'
import { defineOptions, option } from '../schema/option.ts'
import { bool, string } from '../schema/values.ts'
import type { Command, CommandIo } from './command.ts'
import { Prompt } from './prompt.ts'
import { masking, sectionText } from './section.ts'
import { askRemote } from './wizard.ts'

const editOptions = defineOptions('config', {
  obscure: option(bool, false, 'Obscure all passwords, even those that look obscured'),
  noObscure: option(bool, false, 'Take passwords as they are'),
  nonInteractive: option(bool, false, 'Print the next question as JSON'),
  all: option(bool, false, 'Ask for all options'),
  continue: option(bool, false, 'Answer a question that --non-interactive printed'),
  state: option(string, '', 'State of the question, with --continue'),
  result: option(string, '', 'Answer to the question, with --continue'),
  noOutput: option(bool, false, 'Print nothing'),
})

/** `key value` pairs and `key=value` words, in any mixture. Throws `usage` for a key without a value. */
function pairsOf(words: readonly string[]): Record<string, string> {
  const values = new Map<string, string>()
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const equals = word.indexOf('=')
    const value = equals < 0 ? words[++i] : word.slice(equals + 1)
    if (value === undefined) throw new AppError('usage', `found key ${JSON.stringify(word)} without value`)
    values.set(equals < 0 ? word : word.slice(0, equals), value)
  }
  return Object.fromEntries(values)
}

/** Makes or changes a remote, then prints it, or the next question when these are asked for. */
async function edit(io: CommandIo, name: string, change: (parts: Configuring) => Promise<ConfigOut>): Promise<void> {
  const { nonInteractive, all, continue: goOn, noOutput } = io.get(editOptions)
  const parts = await configuring(io)
  const out = await change(parts)
  if (nonInteractive || goOn) return await io.stdout(`${JSON.stringify(out, undefined, '\t')}\n`)
  if (all) return await withPrompt(io, (prompt) => askRemote({ ...parts, prompt }, name, parts.config.get(name) ?? {}))
  if (!noOutput) await io.stdout(masked(parts, name))
}

function masked({ config, backends }: Configuring, name: string): string {
  const values = config.get(name) ?? {}
  return sectionText(name, values, masking(findBackend(backends, values.type)))
}

async function configuring(io: CommandIo): Promise<Configuring> {
  return { config: await io.config(), backends: io.backends, warn: (text) => io.stderr(`${text}\n`) }
}

async function withPrompt<T>(io: CommandIo, use: (prompt: Prompt) => Promise<T>): Promise<T> {
  const prompt = new Prompt(io)
  try {
    return await use(prompt)
  } finally {
    prompt.close()
  }
}

/** Opens the configuration first: that may ask for the old password. */
async function encrypt(io: CommandIo, newPassword: () => Promise<string | undefined>): Promise<void> {
  const config = await io.config()
  config.setPassword(await newPassword())
  await config.save()
}

const passwordHelp =
  'Values are written KEY=VALUE or KEY VALUE. Passwords are given in the clear and kept obscured; one that is obscured ' +
  'already is recognised. To be sure, say --obscure (it is clear) or --no-obscure (it is obscured).'

/** The commands that change the configuration file. */
export const configEditCommands: readonly Command[] = [
  {
    name: 'config create',
    usage: 'NAME TYPE [KEY=VALUE]...',
    summary: 'Make a new remote, in place of one with that name',
    help: passwordHelp,
    examples: [['sluice config create films alias remote=/srv/films', 'films: stands for /srv/films']],
    options: [editOptions],
    args: [2, Infinity],
    async run(io) {
      const [name = '', type = '', ...words] = io.args
      const values = pairsOf(words)
      await edit(io, name, (parts) => createRemote(parts, name, type, values, io.get(editOptions)))
    },
  },
  {
    name: 'config update',
    usage: 'NAME [KEY=VALUE]...',
    summary: 'Change options of a remote',
    help: passwordHelp,
    examples: [['sluice config update films remote=/srv/old', 'films: stands for another directory now']],
    options: [editOptions],
    args: [1, Infinity],
    async run(io) {
      const [name = '', ...words] = io.args
      const values = pairsOf(words)
      await edit(io, name, (parts) => updateRemote(parts, name, values, io.get(editOptions)))
    },
  },
  {
    name: 'config password',
    usage: 'NAME [KEY=PASSWORD]...',
    summary: 'Change passwords of a remote, given in the clear',
    args: [2, Infinity],
    async run(io) {
      const [name = '', ...words] = io.args
      const parts = await configuring(io)
      await setPasswords(parts, name, pairsOf(words))
      await io.stdout(masked(parts, name))
    },
  },
  {
    name: 'config delete',
    usage: 'NAME',
    summary: 'Remove a remote',
    args: [1, 1],
    async run(io) {
      const name = (io.args[0] ?? '').replace(/:$/, '')
      const parts = await configuring(io)
      if (!parts.config.stored(name)) io.stderr(`there is no remote ${JSON.stringify(name)} in the file\n`)
      await deleteRemote(parts, name)
    },
  },
  {
    name: 'config touch',
    usage: '',
    summary: 'Make the configuration file if there is none',
    args: [0, 0],
    run: async (io) => await (await io.config()).touch(),
  },
  {
    name: 'config encryption set',
    usage: '',
    summary: 'Encrypt the configuration, or change its password',
    args: [0, 0],
    run: (io) => encrypt(io, () => withPrompt(io, (prompt) => prompt.askNewPassword())),
  },
  {
    name: 'config encryption remove',
    usage: '',
    summary: 'Make the configuration plain again',
    args: [0, 0],
    run: (io) => encrypt(io, () => Promise.resolve(undefined)),
  },
  {
    name: 'config encryption check',
    usage: '',
    summary: 'Check that the configuration is encrypted and that the password opens it',
    args: [0, 0],
    async run(io) {
      if (!(await io.config()).encrypted) throw new AppError('invalid', 'config file is NOT encrypted')
    },
  },
]
