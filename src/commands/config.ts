import { tmpdir } from 'node:os'
import { AppError } from '../base/error.ts'
import { mainOptions } from '../core/options.ts'
import type { ConfigFile } from '../remote/config.ts'
import { findBackend } from '../remote/backend.ts'
import { describeBackend } from '../remote/providers.ts'
import type { Command, CommandIo } from './command.ts'
import { configEditCommands } from './config-edit.ts'
import { redacting, sectionText } from './section.ts'
import { wizard } from './wizard.ts'

const EMPTY = '; empty config\n'

/** Four blanks, as rclone indents what these commands print. */
const json = (value: unknown) => `${JSON.stringify(value, undefined, 4)}\n`

/** The name of a remote that is there; a colon behind it may be given. Throws `invalid`. */
function remoteName(config: ConfigFile, text: string): string {
  const name = text.replace(/:$/, '')
  if (config.get(name)) return name
  throw new AppError('invalid', `there is no remote ${JSON.stringify(name)}. See: sluice listremotes`)
}

function redacted(io: CommandIo, config: ConfigFile, name: string): string {
  const values = config.get(name) ?? {}
  return sectionText(name, values, redacting(findBackend(io.backends, values.type)))
}

function sorted(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const menuCommand: Command = {
  name: 'config',
  usage: '',
  summary: 'Set up remotes by answering questions',
  help: 'Shows a menu: new, edit, delete, rename or copy a remote, set a password for the file. Answers can be piped in.',
  args: [0, 0],
  run: wizard,
}

/** rclone's commands for logins that a browser renews. No storage here has one: each says so, and what to do instead. */
const loginCommands: readonly Command[] = ['userinfo', 'reconnect', 'disconnect'].map((word) => ({
  name: `config ${word}`,
  usage: 'REMOTE:',
  summary: 'For logins by way of a browser, which no storage here has',
  args: [1, 1],
  hidden: true,
  async run(io) {
    const config = await io.config()
    const name = remoteName(config, io.args[0] ?? '')
    throw new AppError(
      'unsupported',
      `${name} is storage of the kind ${config.get(name)?.type}, which has no login that a browser renews. Change its passwords and keys with: sluice config update ${name}`,
    )
  },
}))

/** `sluice config ...`: everything about the configuration file. */
export const configCommands: readonly Command[] = [
  menuCommand,
  { ...menuCommand, name: 'config edit', hidden: true },
  ...loginCommands,
  {
    name: 'config file',
    usage: '',
    summary: 'Show where the configuration file is',
    args: [0, 0],
    async run(io) {
      const { path, exists } = await io.config()
      if (path === '') return await io.stdout('Configuration is in memory only\n')
      // Scripts look for these sentences, word by word.
      const sentence = exists
        ? 'Configuration file is stored at:'
        : "Configuration file doesn't exist, but rclone will use this path:"
      return await io.stdout(`${sentence}\n${path}\n`)
    },
  },
  {
    name: 'config paths',
    usage: '',
    summary: 'Show the paths of configuration, caches and temporary files',
    args: [0, 0],
    async run(io) {
      const { path } = await io.config()
      const temp = io.get(mainOptions).tempDir || tmpdir()
      await io.stdout(`Config file: ${path}\nCache dir:   ${io.cacheDir}\nTemp dir:    ${temp}\n`)
    },
  },
  {
    name: 'config show',
    usage: '[REMOTE]',
    summary: 'Print the configuration, decrypted, or one remote of it',
    args: [0, 1],
    async run(io) {
      const config = await io.config()
      const [name] = io.args
      if (name !== undefined) {
        const found = remoteName(config, name)
        return await io.stdout(sectionText(found, config.get(found) ?? {}))
      }
      const text = config.text()
      return await io.stdout(text.trim() === '' ? EMPTY : text.replace(/\n?$/, '\n'))
    },
  },
  {
    name: 'config redacted',
    usage: '[REMOTE]',
    summary: 'Print the configuration with its secrets taken out, to show it to others',
    help: 'Passwords and secrets become XXX. Look it over all the same: a host or a path may tell more than you like.',
    args: [0, 1],
    async run(io) {
      const config = await io.config()
      const [name] = io.args
      const names = name === undefined ? config.sections() : [remoteName(config, name)]
      await io.stdout(names.length === 0 ? EMPTY : names.map((name) => redacted(io, config, name)).join('\n'))
    },
  },
  {
    name: 'config dump',
    usage: '',
    summary: 'Print the configuration as JSON',
    args: [0, 0],
    async run(io) {
      const config = await io.config()
      const names = config.sections().sort()
      await io.stdout(json(Object.fromEntries(names.map((name) => [name, sorted(config.get(name) ?? {})]))))
    },
  },
  {
    name: 'config providers',
    usage: '',
    summary: 'Print all kinds of storage and their options as JSON',
    args: [0, 0],
    run: (io) => io.stdout(json(io.backends.map(describeBackend))),
  },
  ...configEditCommands,
]
