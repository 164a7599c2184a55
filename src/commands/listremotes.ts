import { AppError, messageOf } from '../base/error.ts'
import { globToRegex } from '../base/glob.ts'
import { Regex } from '../base/regex.ts'
import { defineOptions, option, type Values } from '../schema/option.ts'
import { bool, commaList, string } from '../schema/values.ts'
import type { Command, CommandIo } from './command.ts'

const listOptions = defineOptions('listremotes', {
  long: option(bool, false, 'Show the kind of each remote as well, and its description'),
  json: option(bool, false, 'Write JSON'),
  name: option(string, '', 'List remotes whose name matches this pattern, such as "nas*"'),
  type: option(string, '', 'List remotes of these kinds, a pattern as well'),
  description: option(string, '', 'List remotes whose description matches this pattern'),
  source: option(string, '', 'List remotes from this source: file or environment'),
  orderBy: option(commaList, [], 'Order by name, type, source or description, each with =descending or not', {
    flag: 'order-by',
  }),
})

/** A remote as `--json` shows it. */
interface Remote {
  readonly name: string
  readonly type: string
  readonly source: 'file' | 'environment'
  readonly description?: string
}

async function remotesOf(io: CommandIo): Promise<Remote[]> {
  const config = await io.config()
  return config.sections().map((name) => {
    const { type = '', description = '' } = config.get(name) ?? {}
    const source = config.stored(name) ? 'file' : 'environment'
    return { name, type, source, ...(description === '' ? {} : { description }) }
  })
}

/** Tells which texts match a pattern of the kind that filters have; all match none. Throws `usage`. */
function matcher(pattern: string): (text: string) => boolean {
  if (pattern === '') return () => true
  try {
    const regex = new Regex(globToRegex(pattern, { mode: 'text' }))
    return (text) => regex.test(text)
  } catch (error) {
    throw new AppError('usage', `bad pattern ${JSON.stringify(pattern)}: ${messageOf(error)}`, { cause: error })
  }
}

const keys = ['name', 'type', 'source', 'description'] as const

function order(by: readonly string[]): (a: Remote, b: Remote) => number {
  const steps = [...by, 'name'].map((text) => {
    const [word = '', direction = 'ascending'] = text.split('=')
    const key = keys.find((one) => one === word)
    if (!key || !['ascending', 'asc', 'descending', 'desc'].includes(direction))
      throw new AppError(
        'usage',
        `bad --order-by ${JSON.stringify(text)}: use ${keys.join(', ')}, with =descending or not`,
      )
    return { key, sign: direction.startsWith('desc') ? -1 : 1 }
  })
  return (a, b) => {
    for (const { key, sign } of steps) {
      const [left = '', right = ''] = [a[key], b[key]]
      if (left !== right) return left < right ? -sign : sign
    }
    return 0
  }
}

function chosen(remotes: readonly Remote[], filter: string, flags: Values<typeof listOptions>): Remote[] {
  const [byArgument, byName, byType] = [filter, flags.name, flags.type].map(matcher)
  const [byDescription, bySource] = [flags.description, flags.source].map(matcher)
  return remotes
    .filter(({ name, type }) => byArgument?.(name) && byName?.(name) && byType?.(type))
    .filter(({ description = '', source }) => byDescription?.(description) && bySource?.(source))
    .sort(order(flags.orderBy))
}

/** Names and kinds in columns. */
function columns(remotes: readonly Remote[]): string {
  const width = Math.max(0, ...remotes.map(({ name }) => name.length)) + 1
  const rows = remotes.map(({ name, type, description }) => [`${name}:`.padEnd(width), type, description ?? ''])
  return rows.map((row) => `${row.join(' ').trimEnd()}\n`).join('')
}

export const listremotesCommand: Command = {
  name: 'listremotes',
  usage: '[PATTERN]',
  summary: 'List the remotes of the configuration and of the environment',
  help: 'PATTERN chooses by name, as --name.',
  examples: [["sluice listremotes --type 's3' --json", 'all of one kind, for a script']],
  options: [listOptions],
  args: [0, 1],
  async run(io) {
    const flags = io.get(listOptions)
    const remotes = chosen(await remotesOf(io), io.args[0] ?? '', flags)
    if (flags.json) {
      const lines = remotes.map((remote) => JSON.stringify(remote)).join(',\n')
      return await io.stdout(`[\n${lines}${lines && '\n'}]\n`)
    }
    return await io.stdout(flags.long ? columns(remotes) : remotes.map(({ name }) => `${name}:\n`).join(''))
  },
}
