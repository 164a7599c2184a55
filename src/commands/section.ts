import type { Backend } from '../remote/backend.ts'
import { configKey } from '../schema/option.ts'

/** One remote as INI text. `cover` gives what stands in the place of a value that is not to be shown. */
export function sectionText(
  name: string,
  values: Readonly<Record<string, string>>,
  cover: (key: string) => string | undefined = () => undefined,
): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${(value && cover(key)) ?? value}\n`)
  return `[${name}]\n${lines.join('')}`
}

/** Covers passwords and secrets with `XXX`, and with them whatever the backend does not know, but never the type. */
export function redacting(backend: Backend | undefined): (key: string) => string | undefined {
  const secrets = keysOf(backend, true)
  const known = new Set(Object.keys(backend?.options.options ?? {}).map(configKey))
  return (key) => (secrets.has(key) || !(known.has(key) || harmless.has(key)) ? 'XXX' : undefined)
}

/** Keys that every remote may have. */
const harmless: ReadonlySet<string> = new Set(['type', 'description'])

/** Covers passwords as rclone does where it shows a remote that was just made; other secrets with `XXX`. */
export function masking(backend: Backend | undefined): (key: string) => string | undefined {
  const passwords = keysOf(backend, false)
  const redact = redacting(backend)
  return (key) => (passwords.has(key) ? '*** ENCRYPTED ***' : redact(key))
}

function keysOf(backend: Backend | undefined, withSecrets: boolean): Set<string> {
  return new Set(
    Object.entries(backend?.options.options ?? {})
      .filter(([, option]) => option.password || (withSecrets && option.secret))
      .map(([key]) => configKey(key)),
  )
}
