import { nearest } from '../base/nearest.ts'
import { AppError } from '../base/error.ts'
import { configKey, flagName, type Option, type OptionBlock } from '../schema/option.ts'
import { type Backend, findBackend } from '../remote/backend.ts'
import type { Command, CommandIo } from './command.ts'
import { variablesOf } from './environment.ts'
import { exitMeanings } from './exit.ts'

/** One row of the flags table. */
export interface FlagRow {
  readonly left: string
  readonly help: string
  readonly group: string
}

/** `  -v, --verbose count`: the flag as help shows it. */
export function flagRow(key: string, option: Option<unknown>, block: OptionBlock): FlagRow {
  const short = option.short ? `-${option.short}, ` : '    '
  const argument = option.type.implied === undefined ? ` ${option.type.name}` : ''
  const initial = option.type.format(option.default)
  const shown =
    initial === '' || initial === 'false' || initial === '0' ? '' : ` (default ${quoteText(option, initial)})`
  return {
    left: `${short}--${flagName(key, option)}${argument}`,
    help: `${option.help}${shown}`,
    group: option.group ?? block.name,
  }
}

function quoteText(option: Option<unknown>, text: string): string {
  return option.type.name === 'string' ? JSON.stringify(text) : text
}

/** All visible flags of some blocks. */
export function flagRows(blocks: readonly OptionBlock[]): FlagRow[] {
  return blocks.flatMap((block) =>
    Object.entries(block.options)
      .filter(([, option]) => !option.hidden)
      .map(([key, option]) => flagRow(key, option, block)),
  )
}

function table(rows: readonly { left: string; help: string }[]): string {
  const width = Math.min(44, Math.max(0, ...rows.map((row) => row.left.length)))
  return rows.map((row) => `  ${row.left.padEnd(width)}  ${row.help}\n`).join('')
}

/** The page of the whole program. */
export function programHelp(commands: readonly Command[], version: string): string {
  const rows = commands
    .filter((command) => !command.hidden && !command.name.includes(' '))
    .map((command) => ({ left: command.name, help: command.summary }))
  const serve = commands.find((command) => command.name === 'serve http')
  return `sluice ${version}: serves any storage over HTTP, and speaks rclone.

Usage:
  sluice COMMAND [ARGUMENT]... [FLAG]...

Start here:
${examples(serve?.examples ?? [])}
Commands:
${table(rows)}
Help:
  sluice help COMMAND          what a command does, with its flags
  sluice help flags [WORD]     the global flags [that have a word]
  sluice help backends         the kinds of storage
  sluice help backend NAME     one kind of storage and its options
  sluice help environment      environment variables
  sluice help exit-codes       exit statuses
  sluice help rc METHOD        a method of the remote control; rc all lists them
`
}

function examples(list: readonly (readonly [string, string])[]): string {
  return list.map(([line, meaning]) => `  ${line}\n      ${meaning}\n`).join('')
}

/** The page of one command. */
export function commandHelp(command: Command, commands: readonly Command[]): string {
  const below = commands.filter((other) => other.name.startsWith(`${command.name} `) && !other.hidden)
  let out = `${command.summary}\n\nUsage:\n  sluice ${command.name}${command.usage ? ` ${command.usage}` : ''} [FLAG]...\n`
  if (command.help) out += `\n${command.help.trim()}\n`
  if (below.length > 0) out += `\nCommands:\n${table(below.map((c) => ({ left: c.name, help: c.summary })))}`
  if (command.examples) out += `\nExamples:\n${examples(command.examples)}`
  const rows = flagRows(command.options ?? [])
  if (rows.length > 0) out += `\nFlags:\n${table(rows)}`
  return `${out}\nGlobal flags: sluice help flags\n`
}

/** The global flags under their headings; with a word, those that mention it. */
export function flagsHelp(blocks: readonly OptionBlock[], word?: string): string {
  const rows = flagRows(blocks).filter(
    (row) => !word || `${row.left} ${row.help}`.toLowerCase().includes(word.toLowerCase()),
  )
  if (rows.length === 0) return `No flag mentions ${JSON.stringify(word)}.\n`
  const groups = Map.groupBy(rows, (row) => row.group)
  return [...groups].map(([group, list]) => `${group}:\n${table(list)}`).join('\n')
}

/** One kind of storage. */
export function backendHelp(backend: Backend): string {
  let out = `${backend.name}: ${backend.description}\n\nOptions, as keys of rclone.conf, in connection strings and as flags:\n`
  for (const [key, option] of Object.entries(backend.options.options)) {
    const initial = option.type.format(option.default)
    out += `\n  ${configKey(key)} (${option.type.name}${initial === '' ? '' : `, default ${initial}`})\n      ${option.help}\n`
    for (const example of option.examples ?? []) out += `      - ${example.value}: ${example.help}\n`
  }
  return backend.commands ? `${out}\n${commandsOf(backend)}` : out
}

/** What only one kind of storage can do, for `sluice backend help`. */
export function commandsOf({ name, commands = [] }: Backend): string {
  let out = `Commands of ${name}, as in: sluice backend COMMAND REMOTE:PATH [ARGUMENT]... [-o NAME=VALUE]...\n`
  for (const { name, usage, summary, help, options = {} } of commands) {
    out += `\n  ${name}${usage ? ` ${usage}` : ''}\n      ${summary}\n`
    if (help) out += `      ${help}\n`
    for (const [key, meaning] of Object.entries(options)) out += `      -o ${key}: ${meaning}\n`
  }
  return out
}

function environmentHelp(): string {
  const [ours, theirs] = variablesOf('cache-dir')
  return `Every flag can be set by the environment: --cache-dir by ${ours} or ${theirs}; ours wins, a flag wins over both.
A list takes commas, as a line of CSV.

  RCLONE_CONFIG               configuration file
  RCLONE_CONFIG_PASS          password of an encrypted configuration
  RCLONE_CONFIG_NAME_KEY      an option of the remote NAME: RCLONE_CONFIG_NAS_TYPE=local makes the remote nas:
  RCLONE_BACKEND_KEY          an option of every remote of a kind: RCLONE_LOCAL_LINKS=true
  NO_COLOR                    any text: no colours, unless --color says otherwise
`
}

function exitHelp(): string {
  return `Exit statuses:\n${table(exitMeanings.map(([code, meaning]) => ({ left: String(code), help: meaning })))}`
}

/** The text for `sluice help WORDS...`. Throws `usage` for an unknown topic. */
export function helpText(
  words: readonly string[],
  io: Pick<CommandIo, 'commands' | 'backends' | 'globals' | 'version'>,
): string {
  const [topic, name] = words
  if (topic === undefined) return programHelp(io.commands, io.version)
  if (topic === 'flags') return flagsHelp(io.globals, name)
  if (topic === 'environment') return environmentHelp()
  if (topic === 'exit-codes') return exitHelp()
  if (topic === 'backends') return table(io.backends.map((b) => ({ left: b.name, help: b.description })))
  if (topic === 'backend') return backendHelp(backendNamed(name ?? '', io.backends))
  const wanted = words.join(' ')
  const command = io.commands.find((c) => c.name === wanted)
  if (command) return commandHelp(command, io.commands)
  const hint = nearest(wanted, [
    ...io.commands.map((c) => c.name),
    'flags',
    'backends',
    'backend',
    'environment',
    'exit-codes',
  ])
  throw new AppError(
    'usage',
    `no help for ${JSON.stringify(wanted)}.${hint ? ` Did you mean "${hint}"?` : ' See: sluice help'}`,
  )
}

/** The backend of that name. Throws `usage`. */
export function backendNamed(name: string, backends: readonly Backend[]): Backend {
  const found = findBackend(backends, name)
  if (found) return found
  throw new AppError('usage', `didn't find backend called ${JSON.stringify(name)}. See: sluice help backends`)
}

export const helpCommand: Command = {
  name: 'help',
  usage: '[TOPIC]...',
  summary: 'Show help for a command, flags, backends and more',
  args: [0, 4],
  async run(io) {
    const [topic, method] = io.args
    // All methods are loaded for it alone.
    const ofRc = topic === 'rc' && method !== undefined
    await io.stdout(ofRc ? (await import('./rc-help.ts')).rcHelp(method) : helpText(io.args, io))
  },
}
