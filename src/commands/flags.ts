import { parseArgs } from 'node:util'
import { AppError, messageOf } from '../base/error.ts'
import { nearest } from '../base/nearest.ts'
import { flagName, type Option, type OptionBlock } from '../schema/option.ts'

/** One option under one of its flag names. */
export interface Flag {
  readonly name: string
  readonly block: OptionBlock
  readonly key: string
  readonly option: Option<unknown>
}

/** A value that a command line or the environment gives to an option. */
export interface Assignment {
  readonly block: OptionBlock
  readonly key: string
  readonly value: unknown
}

/** What a command line says, before anything is done about it. */
export interface CommandLine {
  /** Words and arguments in order, flags taken out. */
  readonly words: readonly string[]
  readonly assignments: readonly Assignment[]
  readonly help: boolean
  readonly version: boolean
}

/** All flags of some blocks by name and by alias. The first block that declares a name has it. */
export function flagsOf(blocks: readonly OptionBlock[]): Map<string, Flag> {
  const flags = new Map<string, Flag>()
  for (const block of blocks)
    for (const [key, option] of Object.entries(block.options))
      for (const name of [flagName(key, option), ...(option.aliases ?? [])])
        if (!flags.has(name)) flags.set(name, { name, block, key, option })
  return flags
}

/**
 * Reads a command line by the rules that rclone's users know: `--flag value`, `--flag=value`, `--flag` and `--flag=false` for
 * switches, `-vv`, `-f value`, flags and arguments in any order, `--` ends the flags.
 * Throws `usage` for an unknown flag (naming the nearest), a missing or an invalid value. `values: false` reads words only.
 */
export function parseCommandLine(
  argv: readonly string[],
  flags: ReadonlyMap<string, Flag>,
  { values = true }: { values?: boolean } = {},
): CommandLine {
  const shorts = shortsOf(flags)
  const { tokens } = parseArgs({
    args: withoutShortValues(argv, shorts),
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: nodeOptions(flags, argv),
  })
  const words: string[] = []
  const uses = new Map<Option<unknown>, { flag: Flag; shown: string; texts: string[] }>()
  let help = false
  let version = false
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const short = token.rawName.length === 2
    if (token.name === 'help' || token.name === 'h') help = true
    else if ((token.name === 'version' || token.name === 'V') && !(values && flags.has('version'))) version = true
    else {
      const flag = short
        ? (shorts.get(token.rawName.slice(1)) ?? flags.get(token.name))
        : flags.get(token.name.replaceAll('_', '-'))
      if (!flag) throw unknownFlag(token.rawName, flags)
      if (!values) continue
      const use = uses.get(flag.option) ?? { flag, shown: token.rawName, texts: [] }
      use.texts.push(textOf(flag, token.rawName, short ? token.value?.replace(/^=/, '') : token.value))
      uses.set(flag.option, use)
    }
  }
  return {
    words,
    help,
    version,
    assignments: [...uses.values()].map(({ flag, shown, texts }) => assign(flag, shown, texts)),
  }
}

/** The flags by their letter. The first block that declares a letter has it. */
function shortsOf(flags: ReadonlyMap<string, Flag>): Map<string, Flag> {
  const shorts = new Map<string, Flag>()
  for (const flag of flags.values())
    if (flag.option.short && !shorts.has(flag.option.short)) shorts.set(flag.option.short, flag)
  return shorts
}

/** `-d=false` as `--dir-slash=false`: Node takes what follows a short switch for more switches. */
function withoutShortValues(argv: readonly string[], shorts: ReadonlyMap<string, Flag>): string[] {
  const end = argv.indexOf('--')
  return argv.map((arg, i) => {
    const [, letter, value] = /^-([A-Za-z])=(.*)$/.exec(arg) ?? []
    const flag = letter === undefined || (end >= 0 && i > end) ? undefined : shorts.get(letter)
    return flag?.option.type.implied === undefined ? arg : `--${flag.name}=${value}`
  })
}

/** The value of a flag from its texts: the last one, or all of them for an option that may be repeated. */
export function assign(flag: Flag, shown: string, texts: readonly string[]): Assignment {
  const { type } = flag.option
  try {
    const values = texts.map((text) => type.parse(text))
    const value = type.repeatable ? join(values) : values.at(-1)
    return { block: flag.block, key: flag.key, value }
  } catch (error) {
    throw new AppError('usage', `invalid value ${JSON.stringify(texts.at(-1))} for ${shown}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function join(values: readonly unknown[]): unknown {
  if (typeof values[0] === 'number') return values.reduce((sum: number, n) => sum + (n as number), 0)
  return values.flat()
}

function textOf(flag: Flag, shown: string, value: string | undefined): string {
  if (value !== undefined) return value
  if (flag.option.type.implied !== undefined) return flag.option.type.implied
  throw new AppError('usage', `flag needs an argument: ${shown}`)
}

/** The flags that are said, as Node takes them: it looks hard at each that it is told of, and there are hundreds. */
function nodeOptions(flags: ReadonlyMap<string, Flag>, argv: readonly string[]) {
  const said = new Set(argv.map((arg) => /^--([^=]+)/.exec(arg)?.[1]?.replaceAll('_', '-')))
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple: true }> = {
    help: { type: 'boolean', short: 'h', multiple: true },
    version: { type: 'boolean', multiple: true },
  }
  for (const [name, { option }] of flags) {
    if (!option.short && !said.has(name)) continue
    const type = option.type.implied === undefined ? 'string' : 'boolean'
    options[name] = { type, multiple: true, ...(option.short ? { short: option.short } : {}) }
    if (name.includes('-')) options[name.replaceAll('-', '_')] = { type, multiple: true }
  }
  return options
}

/** What to do instead of a flag of rclone. */
const elsewhere: Readonly<Record<string, string>> = {
  syslog: 'use --log-systemd under systemd, --log-file, or pipe standard error to the program logger',
  'syslog-facility': 'use --log-systemd under systemd, --log-file, or pipe standard error to the program logger',
  cpuprofile: 'use NODE_OPTIONS=--cpu-prof',
  memprofile: 'use NODE_OPTIONS=--heap-prof',
  'dump-headers': 'use --dump headers',
  'dump-bodies': 'use --dump bodies',
}

function unknownFlag(shown: string, flags: ReadonlyMap<string, Flag>): AppError {
  const advice = elsewhere[shown.replace(/^--/, '').replaceAll('_', '-')]
  if (advice) return new AppError('usage', `flag ${shown} of rclone is not known here: ${advice}`)
  const hint = shown.startsWith('--') ? nearest(shown.slice(2).split('=')[0] ?? '', flags.keys()) : undefined
  return new AppError('usage', `unknown flag: ${shown}${hint ? `. Did you mean --${hint}?` : ''}`)
}
