import { AppError, messageOf } from '../../base/error.ts'
import { ordered } from '../../base/json.ts'
import { filterOptions } from '../../core/filter-options.ts'
import { describeOption } from '../../remote/providers.ts'
import { optional, required } from '../../schema/field.ts'
import type { Option, OptionBlock } from '../../schema/option.ts'
import type { OptionSet } from '../../schema/options.ts'
import { any, listOf, object, string } from '../../schema/params.ts'
import { type BlockValues, flatName, readBlock, type RcOption, hidden, showBlock } from '../block-values.ts'
import { Answer, type Call, method, nothing } from '../method.ts'
import type { RcBlock, Services } from '../services.ts'

const blocks = optional(string, 'Names of blocks, separated by commas; all blocks when absent')

export const optionsMethods = [
  method({
    path: 'options/blocks',
    title: 'List all the option blocks',
    input: nothing,
    output: { options: required(listOf(string), 'Names of the blocks') },
    run: ({ services }) => ({ options: services.blocks.map(({ name }) => name).toSorted() }),
  }),
  method({
    path: 'options/get',
    title: 'Get all the global options',
    help: 'The answer has an object for each block. Sizes are bytes, durations nanoseconds, enumerations words; secrets are covered. Unknown names of blocks are ignored.',
    input: { blocks },
    output: nothing,
    run: ({ services }, input) =>
      new Answer(eachBlock(services, input.blocks, (block) => showBlock(block, (one) => services.options.get(one)))),
  }),
  method({
    path: 'options/info',
    title: 'Get info about all the global options',
    help: 'The answer has a list for each block: name, type, help and default of each option, as `config/providers` has them for storage.',
    input: { blocks },
    output: nothing,
    run: ({ services }, input) =>
      new Answer(
        eachBlock(services, input.blocks, (block) => block.options.map((one) => described(one, services.options))),
      ),
  }),
  method({
    path: 'options/local',
    title: 'Get the currently active config for this call',
    help: 'With what `_config`, `_filter` and the like set for this very call.',
    input: nothing,
    output: {
      config: required(object, 'The options of the block `main`'),
      filter: required(object, 'Those of the block `filter`'),
    },
    run: ({ ctx, services }) =>
      new Answer({
        config: showBlock(blockOf(services, 'main'), (one) => ctx.get(one)),
        filter: showBlock(blockOf(services, 'filter'), (one) => ctx.get(one)),
      }),
  }),
  method({
    path: 'options/set',
    title: 'Set an option',
    help: `Takes an object for each block, with the names that \`options/get\` shows, in any case; unknown names in a block are ignored. All is set or nothing.

Sizes may be bytes or text such as \`42M\`, durations nanoseconds or text such as \`30s\`, enumerations words or numbers. What is set holds for what begins later; the log level, bandwidth limits, filters and the time for which directories are kept hold at once. The blocks \`http\` and \`rc\` are settled at the start.`,
    input: {
      main: optional(any, 'Options of work on files and of storage'),
      filter: optional(any, 'Filters'),
      log: optional(any, 'Logging'),
      vfs: optional(any, 'Trees of files and directories'),
      mount: optional(any, 'Without effect'),
    },
    output: nothing,
    run: setOptions,
  }),
] as const

function eachBlock<T>(services: Services, names: string | undefined, show: (block: RcBlock) => T): Record<string, T> {
  const wanted = names === undefined || names === '' ? undefined : names.split(',').map((name) => name.trim())
  return Object.fromEntries(
    services.blocks.filter(({ name }) => wanted?.includes(name) ?? true).map((block) => [block.name, show(block)]),
  )
}

function blockOf({ blocks: all }: Services, name: string): RcBlock {
  const found = all.find((block) => block.name === name)
  if (!found) throw new AppError('invalid', `unknown option block ${JSON.stringify(name)}`)
  return found
}

const covered = (option: Option<unknown>) => option.secret ?? option.password ?? false

function described({ block, key, option, path }: RcOption, options: OptionSet): object {
  const value = (options.get(block) as Readonly<Record<string, unknown>>)[key]
  const { Provider: _provider, ShortOpt, Examples, ...rest } = describeOption(key, option)
  return ordered({
    ...rest,
    Name: flatName(key, option),
    FieldName: path.join('.'),
    ...(option.group ? { Groups: option.group } : {}),
    ...(ShortOpt ? { ShortOpt } : {}),
    ...(Examples ? { Examples: Examples.map(({ Value, Help }) => ({ Value, Help })) } : {}),
    // Clients' schemas know no null here, which is how an empty object is told elsewhere.
    Default: option.asText ? option.type.format(option.default) : (option.type.encode(option.default) ?? []),
    ValueStr: covered(option) && option.type.format(value) !== '' ? hidden : option.type.format(value),
  })
}

async function setOptions({ raw, services }: Call): Promise<void> {
  const changes: BlockValues = new Map()
  // Nothing is set before all of it is known to be right.
  for (const [name, values] of Object.entries(raw))
    for (const [block, found] of readValues(blockOf(services, name), values))
      changes.set(block, { ...changes.get(block), ...found })
  const filter = changes.get(filterOptions)
  if (filter) await services.setFilter(filter)
  for (const [block, values] of changes) setAll(services.options, block, values)
}

function readValues(block: RcBlock, values: unknown): BlockValues {
  const name = JSON.stringify(block.name)
  if (block.frozen)
    throw new AppError('denied', `options of the block ${name} are settled when the program starts: give them as flags`)
  try {
    return readBlock(block, object.read(block.name, values))
  } catch (error) {
    if (error instanceof AppError && error.code === 'denied') throw error
    const message = messageOf(error).replace(/^(?!Reshape)/, 'Reshape failed to Unmarshal: ')
    throw new AppError('invalid', `failed to write options from block ${name}: ${message}`, { cause: error })
  }
}

function setAll(options: OptionSet, block: OptionBlock, values: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(values)) options.set(block, key, value, 'rc')
}
