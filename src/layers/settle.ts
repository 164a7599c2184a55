import { AppError, messageOf } from '../base/error.ts'
import { type Backend, findBackend } from '../remote/backend.ts'
import { fromEnv, variableName } from '../remote/config-path.ts'
import { reveal } from '../remote/obscure.ts'
import type { Spec } from '../remote/spec.ts'
import { configKey, execRefused, type Option } from '../schema/option.ts'
import type { OptionSet } from '../schema/options.ts'

/** The remotes of a configuration file. */
export interface Sections {
  get(name: string): Readonly<Record<string, string>> | undefined
}

export interface SettleParts {
  readonly backends: readonly Backend[]
  readonly config: () => Promise<Sections>
  readonly options: OptionSet
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What a text means: the backend and the values of all its options. */
export interface Settled {
  readonly backend: Backend
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  /** Keys that the backend does not have. */
  readonly unknown: readonly string[]
}

/**
 * Finds the backend of a spec and the value of each option: connection string, then flag, then RCLONE_CONFIG_NAME_KEY, then
 * RCLONE_BACKEND_KEY, then the configuration file, then the default (serve-http.md 3.5). Unless `exec`, a connection string
 * that sets an option that runs a program is `denied` (security.md T1).
 */
export async function settle(spec: Spec, parts: SettleParts, { exec = true } = {}): Promise<Settled> {
  const overrides = spec.kind === 'local' ? {} : spec.overrides
  const section = spec.kind === 'named' ? await sectionOf(spec.name, parts) : {}
  const type = spec.kind === 'local' ? 'local' : spec.kind === 'inline' ? spec.backend : (section.type ?? '')
  const backend = findBackend(parts.backends, type)
  if (!backend)
    throw new AppError(
      'invalid',
      `didn't find backend called ${JSON.stringify(type)}. "sluice help backends" lists the kinds of storage there are`,
    )
  if (!exec) refuseExec(backend, overrides)
  const name = spec.kind === 'named' ? spec.name : spec.kind === 'inline' ? `:${spec.backend}` : 'local'
  const known = new Set(Object.keys(backend.options.options).map(configKey))
  const texts = { section, overrides, name: spec.kind === 'named' ? spec.name : undefined }
  const config = Object.fromEntries(
    Object.entries(backend.options.options).map(([key, option]) => [key, valueOf(key, option, texts, backend, parts)]),
  )
  return { backend, name, config, unknown: Object.keys(overrides).filter((key) => !known.has(key) && key !== 'type') }
}

function refuseExec(backend: Backend, overrides: Readonly<Record<string, string>>): void {
  for (const [key, option] of Object.entries(backend.options.options))
    if (option.exec && overrides[configKey(key)] !== undefined) throw execRefused(configKey(key))
}

async function sectionOf(name: string, parts: SettleParts): Promise<Readonly<Record<string, string>>> {
  const section = (await parts.config()).get(name)
  if (section) return section
  throw new AppError(
    'invalid',
    `didn't find section in config file (${JSON.stringify(name)}). "sluice listremotes" shows those that are there; a local path with a colon is written ./${name}:...`,
  )
}

interface Texts {
  readonly section: Readonly<Record<string, string>>
  readonly overrides: Readonly<Record<string, string>>
  readonly name: string | undefined
}

function valueOf(key: string, option: Option<unknown>, texts: Texts, backend: Backend, parts: SettleParts): unknown {
  const word = configKey(key)
  const named =
    texts.name === undefined
      ? undefined
      : fromEnv(parts.env, `CONFIG_${variableName(texts.name)}_${variableName(word)}`)
  const held = parts.options.explicit(backend.options)[key]
  if (texts.overrides[word] === undefined && held?.source === 'flag') return held.value
  const text =
    texts.overrides[word] ?? named ?? fromEnv(parts.env, `${variableName(backend.name)}_${variableName(word)}`)
  if (text === undefined && held) return held.value
  // Configurations of rclone hold empty values for what was never answered.
  const stored = text ?? (texts.section[word] || undefined)
  return stored === undefined ? option.default : parse(stored, word, option, backend)
}

function parse(text: string, word: string, option: Option<unknown>, backend: Backend): unknown {
  try {
    return option.password ? reveal(text) : option.type.parse(text)
  } catch (error) {
    if (text === '') return option.default
    const shown = option.secret || option.password ? '' : ` ${JSON.stringify(text)}`
    throw new AppError('invalid', `${backend.name} backend: bad value${shown} for ${word}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
