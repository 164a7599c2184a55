import { formatCsv } from '../base/csv.ts'
import { AppError, messageOf } from '../base/error.ts'
import { nearest } from '../base/nearest.ts'
import { configKey, execRefused, type Option } from '../schema/option.ts'
import { type Backend, findBackend } from './backend.ts'
import type { ConfigFile } from './config.ts'
import { isObscured, obscure } from './obscure.ts'
import { describeBackendOption, type ProviderOption } from './providers.ts'
import { checkName } from './spec.ts'

export interface Configuring {
  readonly config: ConfigFile
  readonly backends: readonly Backend[]
  /** Refuse to set what makes storage run programs: for values that came over the network. */
  readonly refuseExec?: boolean
  /** Called with a sentence about something that was done but may not be meant. */
  readonly warn?: (message: string) => void
}

/** The `opt` of `config/create` and `config/update`; also their flags. */
export interface ConfigureOptions {
  /** Obscure passwords whatever they look like. Without it and `noObscure`, those that are not obscured yet. */
  readonly obscure?: boolean
  readonly noObscure?: boolean
  /** Ask for every option, not only for what the backend cannot do without. */
  readonly all?: boolean
  /** Go on with the answer `result` to the question of `state`. */
  readonly continue?: boolean
  readonly state?: string
  readonly result?: string
}

/** The next question, or the end when `State` is empty (rc.md 3.5). */
export interface ConfigOut {
  State: string
  Option: ProviderOption | null
  /** What was wrong with the last answer. */
  Error: string
  Result: string
}

type Texts = Readonly<Record<string, unknown>>

/**
 * Creates a remote, replacing one of that name, and saves. Values may be strings, numbers, booleans or lists. Gives the first
 * question when all are to be asked. Throws `invalid` for a bad name, an unknown backend and a bad value, before anything
 * is written.
 */
export async function createRemote(
  parts: Configuring,
  name: string,
  type: string,
  values: Texts,
  options: ConfigureOptions = {},
): Promise<ConfigOut> {
  checkName(name)
  const backend = backendOf(parts, type)
  if (options.continue) return await updateRemote(parts, name, values, options)
  const { type: _type, ...texts } = textsFor(parts, backend, values, options)
  parts.config.replace(name, { type, ...texts })
  await parts.config.save()
  return question({ parts, name, backend, given: values }, options)
}

/** Sets values of a remote and saves; else as `createRemote`. */
export async function updateRemote(
  parts: Configuring,
  name: string,
  values: Texts,
  options: ConfigureOptions = {},
): Promise<ConfigOut> {
  const backend = backendOf(parts, typeof values.type === 'string' ? values.type : typeOf(parts, name))
  const texts = textsFor(parts, backend, values, options)
  if (Object.keys(texts).length > 0) parts.config.set(name, texts)
  const out = question({ parts, name, backend, given: values }, options)
  await parts.config.save()
  return out
}

/** Sets values that are given in the clear and are kept obscured, whatever the backend says about them. */
export async function setPasswords(parts: Configuring, name: string, values: Texts): Promise<void> {
  typeOf(parts, name)
  for (const key of Object.keys(values)) refuseExec(parts, key, '')
  parts.config.set(
    name,
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, obscure(textOf(key, value))])),
  )
  await parts.config.save()
}

/**
 * Removes values of a remote and saves; gives the keys that were there. Throws `invalid` for a remote that is not there, and
 * for its type, without which it is none.
 */
export async function unsetKeys(
  parts: Pick<Configuring, 'config'>,
  name: string,
  keys: readonly string[],
): Promise<string[]> {
  const stored = parts.config.stored(name)
  if (!stored) throw new AppError('invalid', `remote ${JSON.stringify(name)} doesn't exist`)
  if (keys.includes('type'))
    throw new AppError('invalid', `can't unset the "type" of a remote - use config/delete to remove the remote instead`)
  const removed = keys.filter((key) => Object.hasOwn(stored, key))
  parts.config.set(name, Object.fromEntries(removed.map((key) => [key, undefined])))
  await parts.config.save()
  return removed
}

/** Removes a remote and saves. One that is not there is no error. */
export async function deleteRemote(parts: Configuring, name: string): Promise<void> {
  parts.config.remove(name)
  await parts.config.save()
}

/** The backend of that name. Throws `invalid` when there is none. */
export function backendOf(parts: Pick<Configuring, 'backends'>, type: string): Backend {
  const found = findBackend(parts.backends, type)
  if (!found) throw new AppError('invalid', `couldn't find backend for type ${JSON.stringify(type)}`)
  return found
}

function typeOf(parts: Configuring, name: string): string {
  const type = parts.config.get(name)?.type
  if (type === undefined) throw new AppError('invalid', "couldn't find type field in config")
  return type
}

/** The texts to keep for values, checked and with passwords obscured. */
function textsFor(
  parts: Configuring,
  backend: Backend,
  values: Texts,
  options: ConfigureOptions,
): Record<string, string> {
  if (options.obscure && options.noObscure)
    throw new AppError('invalid', "can't use --obscure and --no-obscure together")
  const known = new Map(Object.entries(backend.options.options).map(([key, option]) => [configKey(key), option]))
  const texts: Record<string, string> = {}
  for (const [key, value] of Object.entries(values)) {
    // Answers to questions that are asked once, nothing to keep.
    if (key.startsWith('config_')) continue
    const option = known.get(key)
    const text = textOf(key, value)
    refuseExec(parts, key, text)
    if (!option && key !== 'type') parts.warn?.(unknownKey(key, backend, known.keys()))
    texts[key] = option ? storedText(key, option, text, options) : text
  }
  return texts
}

function unknownKey(key: string, backend: Backend, known: Iterable<string>): string {
  const near = nearest(key, [...known])
  return `the ${backend.name} backend has no option ${key}${near === undefined ? '' : ` (do you mean ${near}?)`}; it is kept in the configuration`
}

function storedText(key: string, option: Option<unknown>, text: string, options: ConfigureOptions): string {
  if (option.password) {
    const keep = text === '' || options.noObscure || (!options.obscure && isObscured(text))
    return keep ? text : obscure(text)
  }
  if (text !== '') check(key, option, text)
  return text
}

/**
 * Throws `denied` for an option that runs a program, of whatever backend: the type may change later. A text that sets one
 * within a connection string counts as well, for what the configuration says is trusted when it is opened.
 */
function refuseExec(parts: Configuring, key: string, text: string): void {
  if (!parts.refuseExec) return
  const running = parts.backends.flatMap(({ options }) =>
    Object.entries(options.options)
      .filter(([, option]) => option.exec)
      .map(([name]) => configKey(name)),
  )
  const found = running.find((name) => name === key || new RegExp(`,\\s*${name}\\s*[=,:]`, 'i').test(text))
  if (found !== undefined) throw execRefused(found, '--rc-allow-exec allows it')
}

function check(key: string, option: Option<unknown>, text: string): void {
  try {
    option.type.parse(text)
  } catch (error) {
    const shown = option.secret ? '' : ` ${JSON.stringify(text)}`
    throw new AppError('invalid', `bad value${shown} for ${key}: ${messageOf(error)}`, { cause: error })
  }
}

function textOf(key: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return formatCsv(value.map((item) => textOf(key, item)))
  throw new AppError('invalid', `bad value for ${key}: expected a string, a number, a boolean or a list`)
}

const done: ConfigOut = Object.freeze({ State: '', Option: null, Error: '', Result: '' })

interface Asking {
  readonly parts: Configuring
  readonly name: string
  readonly backend: Backend
  /** What came with this call is not asked for. */
  readonly given: Texts
}

/** Takes the answer of `options`, if there is one, and gives the next question. */
function question(asking: Asking, options: ConfigureOptions): ConfigOut {
  const { parts, name, backend } = asking
  if (!options.continue) return options.all ? ask(asking, 0, false) : done
  const [state, at = '0', advanced] = (options.state ?? '').split(',')
  if (state === '') return done
  if (state === '*all-advanced') return options.result === 'true' ? ask(asking, 0, true) : done
  const [key, option] = Object.entries(backend.options.options)[Number(at)] ?? []
  if (state !== '*all-set' || key === undefined || !option)
    throw new AppError('invalid', `unknown internal state ${JSON.stringify(options.state)}`)
  const error = answer(parts, name, key, option, options)
  if (error !== undefined)
    return { ...questionFor(parts, name, Number(at), [key, option], advanced === 'true'), Error: error }
  return ask(asking, Number(at) + 1, advanced === 'true')
}

/** Keeps an answer; gives what is wrong with it. The default is not written, unless it replaces another value. */
function answer(
  parts: Configuring,
  name: string,
  key: string,
  option: Option<unknown>,
  options: ConfigureOptions,
): string | undefined {
  const result = options.result ?? ''
  const word = configKey(key)
  refuseExec(parts, word, result)
  const current = parts.config.stored(name)?.[word]
  if (result === (current ?? option.type.format(option.default))) return undefined
  if (result === '' && option.required) return 'This value is required and it has no default'
  try {
    // Answers come in the clear, except for what is sent back unchanged.
    const text = storedText(
      word,
      option,
      result,
      option.password ? { ...options, obscure: !options.noObscure } : options,
    )
    parts.config.set(name, { [word]: text === '' ? undefined : text })
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** The first question from option `from` on; hidden ones are left out, advanced ones come after a question of their own. */
function ask({ parts, name, backend, given }: Asking, from: number, advanced: boolean): ConfigOut {
  const all = Object.entries(backend.options.options)
  for (const [index, entry] of all.entries())
    if (
      index >= from &&
      !entry[1].hidden &&
      (entry[1].advanced ?? false) === advanced &&
      !Object.hasOwn(given, configKey(entry[0]))
    )
      return questionFor(parts, name, index, entry, advanced)
  if (advanced || !all.some(([, option]) => option.advanced && !option.hidden)) return done
  return { State: '*all-advanced', Option: editAdvanced, Error: '', Result: '' }
}

function questionFor(
  parts: Configuring,
  name: string,
  index: number,
  [key, option]: readonly [string, Option<unknown>],
  advanced: boolean,
): ConfigOut {
  const current = parts.config.get(name)?.[configKey(key)]
  return {
    State: `*all-set,${index},${advanced}`,
    Option: describeBackendOption(key, option, current || undefined),
    Error: '',
    Result: '',
  }
}

const editAdvanced: ProviderOption = Object.freeze({
  Name: 'config_fs_advanced',
  FieldName: '',
  Help: 'Edit advanced config?',
  Provider: '',
  Default: false,
  Value: null,
  Examples: [
    { Value: 'true', Help: 'Yes', Provider: '' },
    { Value: 'false', Help: 'No', Provider: '' },
  ],
  ShortOpt: '',
  Hide: 0,
  Required: false,
  IsPassword: false,
  NoPrefix: false,
  Advanced: false,
  Exclusive: true,
  Sensitive: false,
  DefaultStr: 'false',
  ValueStr: 'false',
  Type: 'bool',
})
