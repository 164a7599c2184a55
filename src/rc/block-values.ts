import { AppError, messageOf } from '../base/error.ts'
import { configKey, flagName, type Option, type OptionBlock, rcName } from '../schema/option.ts'
import type { RcBlock } from './services.ts'

/** Values by option block and key. */
export type BlockValues = Map<OptionBlock, Record<string, unknown>>

/** An option and where it belongs. */
export interface NamedOption {
  readonly block: OptionBlock
  readonly key: string
  readonly option: Option<unknown>
}

/**
 * Reads values under the names of `options/get` (`BufferSize`, in any case), as `options/set` and `_config` have them. Unknown
 * names are ignored. Throws `usage` for a value that does not fit, and `denied` for an option that runs programs.
 */
export function readBlock(rcBlock: RcBlock, values: Readonly<Record<string, unknown>>): BlockValues {
  const found: BlockValues = new Map()
  const known = rcBlock.named
  for (const [name, value] of Object.entries(values)) {
    const nested = rcBlock.nested?.[name]
    if (nested && typeof value === 'object' && value !== null) {
      const inner = optionsByName([nested])
      for (const [key, item] of Object.entries(value)) put(found, inner.get(key.toLowerCase()), key, item)
    } else put(found, known.get(name.toLowerCase()), name, value)
  }
  return found
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
    if (!option || (typeof value === 'object' && value !== null && !Array.isArray(value))) continue
    put(found, option, name, value)
    taken.push(name)
  }
  return { values: found, taken }
}

/** `bufferSize` → `buffer_size`, `updateOlder` (flag `update`) → `update`. */
export function flatName(key: string, option: Option<unknown>): string {
  return flagName(key, option).replaceAll('-', '_')
}

/** The options of some blocks by the names of flags in snake case. */
export function optionsByFlag(blocks: readonly OptionBlock[]): Map<string, NamedOption> {
  const all = blocks.flatMap((block) =>
    Object.entries(block.options).map(([key, option]) => [flatName(key, option), { block, key, option }] as const),
  )
  return new Map(all)
}

/** The options of some blocks by the names that `options/set` knows, in lower case. */
export function optionsByName(blocks: readonly OptionBlock[]): Map<string, NamedOption> {
  const names = new Map<string, NamedOption>()
  for (const block of blocks)
    for (const [key, option] of Object.entries(block.options)) {
      const found = { block, key, option }
      // The names of flags are taken as well, for those who know only them.
      for (const name of [configKey(key), flatName(key, option)]) if (!names.has(name)) names.set(name, found)
      names.set(rcName(key, option).toLowerCase(), found)
    }
  return names
}

function put(values: BlockValues, found: NamedOption | undefined, name: string, json: unknown): void {
  if (!found) return
  const { block, key, option } = found
  if (option.exec)
    throw new AppError('denied', `setting ${JSON.stringify(name)} over the network is not allowed: it runs a program`)
  const held = values.get(block)
  try {
    const value = option.type.decode(json)
    if (held) held[key] = value
    else values.set(block, { [key]: value })
  } catch (error) {
    throw new AppError('usage', `Reshape failed to Unmarshal: ${name}: ${messageOf(error)}`, { cause: error })
  }
}
