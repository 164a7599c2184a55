import { AppError, messageOf } from '../base/error.ts'
import { type Json, ordered } from '../base/json.ts'
import { configKey, execRefused, flagName, type Option, type OptionBlock, rcName } from '../schema/option.ts'
import type { RcBlock } from './services.ts'

/** Values by option block and key. */
export type BlockValues = Map<OptionBlock, Record<string, unknown>>

/** An option and where it stands in `options/get`. */
export interface RcOption {
  readonly block: OptionBlock
  readonly key: string
  readonly option: Option<unknown>
  /** `['HTTP', 'BaseURL']` */
  readonly path: readonly string[]
}

/** What is shown in the place of a secret. */
export const hidden = '*** redacted ***'

/** A block as it is written down. */
export type DeclaredBlock = Omit<RcBlock, 'options' | 'named' | 'flat'>

/** A block whose options are found by their names. */
export function indexed(block: DeclaredBlock): RcBlock {
  const options = optionsIn(block)
  const flat = new Map(options.map((one) => [flatName(one.key, one.option), one]))
  return { ...block, options, named: optionsByName(options), flat }
}

/** The options of a block, in order. */
function optionsIn(rcBlock: DeclaredBlock): RcOption[] {
  const blocks = [
    ...rcBlock.blocks.map((block) => ({ block, prefix: [] as string[] })),
    ...Object.entries(rcBlock.nested ?? {}).map(([name, block]) => ({ block, prefix: [name] })),
  ]
  return blocks.flatMap(({ block, prefix }) =>
    Object.entries(block.options)
      .filter(([key, { rc }]) => rc !== false && !rcBlock.omit?.includes(key))
      .map(([key, option]) => ({ block, key, option, path: [...prefix, ...rcName(key, option).split('.')] })),
  )
}

/** The values of a block as clients read them, in rclone's nesting; `get` gives those of one of ours. Secrets are covered. */
export function showBlock(rcBlock: RcBlock, get: (block: OptionBlock) => Readonly<Record<string, unknown>>): object {
  const shown = ordered<Record<string, unknown>>({})
  for (const { block, key, option, path } of rcBlock.options) setAt(shown, path, showValue(option, get(block)[key]))
  fill(shown, rcBlock.fixed ?? {})
  for (const [old, now] of Object.entries(rcBlock.formerly ?? {}))
    setAt(shown, old.split('.'), valueAt(shown, now.split('.')) ?? '')
  return shown
}

/** A value as clients read it: enumerations as words, sizes in bytes, durations in nanoseconds, no secrets. */
function showValue(option: Option<unknown>, value: unknown): Json {
  const json = option.asText ? option.type.format(value) : option.type.encode(value)
  const list = Array.isArray(json)
  if (json === '' || (list && json.length === 0)) return option.exec || (option.secret && list) ? null : json
  if (!option.secret && !option.password) return json
  return list ? [hidden] : hidden
}

function fill(object: Record<string, unknown>, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    const held = object[name]
    if (held === undefined) object[name] = value
    else if (isObject(held) && isObject(value)) fill(held, value)
  }
}

function setAt(object: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) object[first] = value
  else setAt((object[first] ??= ordered({})) as Record<string, unknown>, rest, value)
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce((at, name) => (at as Record<string, unknown> | undefined)?.[name], object)
}

/**
 * Reads values under the names of `options/get` (`BufferSize`, in any case), as `options/set` and `_config` have them. Unknown
 * names are ignored. Throws `usage` for a value that does not fit, and `denied` for an option that runs programs.
 */
export function readBlock(rcBlock: RcBlock, values: Readonly<Record<string, unknown>>): BlockValues {
  const found: BlockValues = new Map()
  readInto(found, rcBlock.named, values, '')
  return found
}

function readInto(
  found: BlockValues,
  known: ReadonlyMap<string, RcOption>,
  values: Readonly<Record<string, unknown>>,
  prefix: string,
): void {
  for (const [name, value] of Object.entries(values)) {
    const path = prefix + name
    const inner = `${path.toLowerCase()}.`
    const option = known.get(path.toLowerCase())
    if (isObject(value) && known.keys().some((key) => key.startsWith(inner))) readInto(found, known, value, `${path}.`)
    else if (option) put(found, option, path, value)
  }
}

/** Reads values under the snake-cased names of flags (`buffer_size`); gives the names that it took. */
export function readFlat(
  rcBlock: RcBlock,
  values: Readonly<Record<string, unknown>>,
): { values: BlockValues; taken: string[] } {
  const found: BlockValues = new Map()
  const taken: string[] = []
  for (const [name, value] of Object.entries(values)) {
    const option = rcBlock.flat.get(name)
    if (!option || isObject(value)) continue
    if (value === null) throw new AppError('invalid', `${name} is null: leave it out, or give it a value`)
    put(found, option, name, value)
    taken.push(name)
  }
  return { values: found, taken }
}

/** `bufferSize` → `buffer_size`, `updateOlder` (flag `update`) → `update`. */
export function flatName(key: string, option: Option<unknown>): string {
  return flagName(key, option).replaceAll('-', '_')
}

/** Options by the names that `options/set` knows, in lower case. */
function optionsByName(options: readonly RcOption[]): Map<string, RcOption> {
  const names = new Map<string, RcOption>()
  for (const one of options) {
    // The names of flags are taken as well, for those who know only them.
    for (const name of [configKey(one.key), flatName(one.key, one.option)]) if (!names.has(name)) names.set(name, one)
    names.set(one.path.join('.').toLowerCase(), one)
  }
  return names
}

function put(values: BlockValues, { block, key, option }: RcOption, name: string, json: unknown): void {
  // A client may send back all that it was shown.
  if (option.secret && JSON.stringify(json).includes(hidden)) return
  if (option.exec) {
    if (json === null) return
    throw execRefused(name)
  }
  const held = values.get(block)
  try {
    const value =
      option.secret && json === null ? option.default : option.type.decode(option.asText && json === '' ? [] : json)
    if (held) held[key] = value
    else values.set(block, { [key]: value })
  } catch (error) {
    throw new AppError('usage', `Reshape failed to Unmarshal: ${name}: ${messageOf(error)}`, { cause: error })
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
