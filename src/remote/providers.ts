import type { Json } from '../base/json.ts'
import { configKey, type Option, rcName } from '../schema/option.ts'
import type { Backend, CommandInfo } from './backend.ts'
import { describeMetadata } from './metadata.ts'

/** An option as `config/providers` shows it, and as a question of the configuration asks for it (rc.md 3.4). */
export interface ProviderOption {
  Name: string
  FieldName: string
  Help: string
  Provider: string
  Default: Json
  Value: null
  Examples?: { Value: string; Help: string; Provider: string }[]
  ShortOpt: string
  /** Bits: 1 = no flag, 2 = not asked for. */
  Hide: number
  Required: boolean
  IsPassword: boolean
  NoPrefix: boolean
  Advanced: boolean
  /** Only the examples are allowed. */
  Exclusive: boolean
  Sensitive: boolean
  DefaultStr: string
  ValueStr: string
  Type: string
}

/** Describes a backend to clients that draw forms: an entry of `config/providers`. */
export function describeBackend(backend: Backend) {
  return {
    Name: backend.name,
    Description: backend.description,
    Prefix: backend.prefix ?? backend.name,
    Options: Object.entries(backend.options.options).map(([key, option]) => describeBackendOption(key, option)),
    CommandHelp: backend.commands?.map(describeCommand) ?? null,
    Aliases: backend.aliases ? [...backend.aliases] : null,
    Hide: false,
    MetadataInfo: describeMetadata(backend.metadata),
  }
}

function describeCommand({ name, summary, usage, help, options }: CommandInfo) {
  const line = `sluice backend ${name} REMOTE:PATH${usage ? ` ${usage}` : ''}`
  return { Name: name, Short: summary, Long: `${help ? `${help}\n\n` : ''}Usage: ${line}`, Opts: options ?? null }
}

/** Describes an option of a backend: its flag has the name of the backend before it, or not, as `--copy-links`. */
export function describeBackendOption(key: string, option: Option<unknown>, current?: string): ProviderOption {
  return {
    ...describeOption(key, option, current),
    NoPrefix: option.flag === configKey(key).replaceAll('_', '-'),
  }
}

/** Describes one option. `current` is the value that a question offers instead of the default. */
export function describeOption(key: string, option: Option<unknown>, current?: string): ProviderOption {
  const text = current ?? option.type.format(option.default)
  const closed = option.type.choices !== undefined && option.type.name !== 'bool'
  const examples = option.examples ?? (closed ? option.type.choices?.map((value) => ({ value, help: '' })) : undefined)
  return {
    Name: configKey(key),
    FieldName: rcName(key, option),
    Help: option.help,
    Provider: '',
    Default: current ?? option.type.encode(option.default),
    Value: null,
    ...(examples ? { Examples: examples.map(({ value, help }) => ({ Value: value, Help: help, Provider: '' })) } : {}),
    ShortOpt: option.short ?? '',
    Hide: option.hidden ? 3 : 0,
    Required: option.required ?? false,
    IsPassword: option.password ?? false,
    NoPrefix: false,
    Advanced: option.advanced ?? false,
    Exclusive: closed,
    Sensitive: option.secret ?? option.password ?? false,
    DefaultStr: text,
    ValueStr: text,
    // Clients know the types of rclone by name; the words of a closed set are in the examples.
    Type: closed ? 'string' : option.type.name,
  }
}
