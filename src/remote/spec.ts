import { createHash } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'
import { AppError } from '../base/error.ts'
import { nameOf, parentOf } from '../base/path.ts'

/** Settings in a connection string, by config key; they win over all other sources. */
export type Overrides = Readonly<Record<string, string>>

/** What a string names: a path of this machine, a remote of the configuration, or a backend set up on the fly. */
export type Spec =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'named'; readonly name: string; readonly overrides: Overrides; readonly path: string }
  | { readonly kind: 'inline'; readonly backend: string; readonly overrides: Overrides; readonly path: string }

/**
 * Reads `name:path`, `:backend:path`, both with `,key=value,key="quoted:value",flag` before the colon, or a local path
 * (serve-http.md 3.5). Only a colon before any slash makes a remote; with `windows` a drive letter is local and backslashes
 * become slashes. Throws `invalid` with rclone's sentence.
 */
export function parseSpec(text: string, options: { windows?: boolean } = {}): Spec {
  if (text === '') throw invalid("can't use empty string as a path")
  const path = (rest: string) => (options.windows ? rest.replaceAll('\\', '/') : rest)
  if (isLocal(text, options.windows ?? false)) return { kind: 'local', path: path(text) }
  const inline = text.startsWith(':')
  const from = inline ? 1 : 0
  const length = text.slice(from).search(/[:,]/)
  if (length < 0) throw invalid('config name needs a trailing `:`')
  const name = text.slice(from, from + length)
  checkName(name)
  const { overrides, rest } = readOverrides(text, from + length)
  return inline
    ? { kind: 'inline', backend: name, overrides, path: path(rest) }
    : { kind: 'named', name, overrides, path: path(rest) }
}

function isLocal(text: string, windows: boolean): boolean {
  if (text.startsWith(':')) return false
  if (!text.includes(':') || (windows && /^[A-Za-z]:/.test(text))) return true
  return /^[^:,]*[/\\]/.test(text)
}

/** Throws `invalid` unless `name` may stand for a remote in a configuration. */
export function checkName(name: string): void {
  if (name === '') throw invalid("config name can't be empty")
  if (!/^[\p{L}\p{N}_.+@][\p{L}\p{N}_.+@ -]*$/u.test(name) || name.endsWith(' '))
    throw invalid(
      'config name contains invalid characters - may only contain numbers, letters, `_`, `-`, `.`, `+`, `@` and space, ' +
        'while not start with `-` or space, and not end with space',
    )
}

/** Reads `,key=value...:` from `at`, where a comma or the colon stands; `rest` is what follows the colon. */
function readOverrides(text: string, at: number): { overrides: Overrides; rest: string } {
  const overrides = new Map<string, string>()
  while (text[at] !== ':') {
    const from = at + 1
    const found = text.slice(from).search(/[:,=]/)
    const key = found < 0 ? text.slice(from) : text.slice(from, from + found)
    if (!/^[A-Za-z0-9_.]*$/.test(key)) throw invalid('config parameters may only contain `0-9`, `A-Z`, `a-z` and `_`')
    if (found < 0) throw invalid('config parameter must end with `,` or `:`')
    if (key === '') throw invalid("config parameters can't be empty")
    at = from + found
    const [value, next] = text[at] === '=' ? readValue(text, at + 1) : ['true', at]
    overrides.set(key, value)
    at = next
  }
  return { overrides: Object.fromEntries(overrides), rest: text.slice(at + 1) }
}

/** Gives a value and the place of the comma or colon behind it. */
function readValue(text: string, from: number): [value: string, next: number] {
  const quote = text[from]
  if (quote !== '"' && quote !== "'") {
    const length = text.slice(from).search(/[:,]/)
    if (length < 0) throw invalid('unquoted config value must end with `,` or `:`')
    return [text.slice(from, from + length), from + length]
  }
  let value = ''
  for (let at = from + 1; ;) {
    const end = text.indexOf(quote, at)
    if (end < 0) throw invalid('unterminated quoted config value')
    value += text.slice(at, end)
    if (text[end + 1] === ',' || text[end + 1] === ':') return [value, end + 1]
    if (text[end + 1] !== quote) throw invalid('expecting `:` or `,` or another quote after a quote')
    value += quote
    at = end + 2
  }
}

/** Writes a value so that it may stand in a connection string, whatever it holds. */
export function quoteSpecValue(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** The canonical text of a spec: settings in order of their keys, all values quoted. `parseSpec` reads it back. */
export function formatSpec(spec: Spec): string {
  if (spec.kind === 'local') return isLocal(spec.path, false) ? spec.path : `./${spec.path}`
  const settings = formatOverrides(spec.overrides)
  return `${headOf(spec)}${settings && `,${settings}`}:${spec.path}`
}

/**
 * A spec as that of its folder and a name in it. The name is `''` for a root, and for what ends in a slash. A path of this
 * machine becomes absolute.
 */
export function splitSpec(spec: Spec): { readonly parent: Spec; readonly name: string } {
  if (spec.kind === 'local') {
    const path = resolve(spec.path)
    return { parent: { ...spec, path: dirname(path) }, name: basename(path) }
  }
  const parent = parentOf(spec.path)
  // What begins at the root of the storage stays there: without the slash it would begin where a login leads.
  const path = parent === '' && spec.path.startsWith('/') ? '/' : parent
  return { parent: { ...spec, path }, name: nameOf(spec.path) }
}

const headOf = (spec: Exclude<Spec, { kind: 'local' }>) => (spec.kind === 'named' ? spec.name : `:${spec.backend}`)

function formatOverrides(overrides: Overrides): string {
  return Object.keys(overrides)
    .sort()
    .map((key) => `${key}=${quoteSpecValue(overrides[key] ?? '')}`)
    .join(',')
}

/**
 * The name under which caches on disk keep a remote: `name`, `:http`, with settings of its own `:http{6BaL5}`, `local` for
 * paths. rclone computes the same one, from the settings that the backend knows.
 */
export function cacheName(spec: Spec): string {
  if (spec.kind === 'local') return 'local'
  const settings = formatOverrides(spec.overrides)
  if (settings === '') return headOf(spec)
  return `${headOf(spec)}{${createHash('md5').update(settings).digest('base64url').slice(0, 5)}}`
}

function invalid(message: string): AppError {
  return new AppError('invalid', message)
}
