import { AppError } from '../base/error.ts'
import { whenDone, type HeaderList, type HttpResponse, type Middleware } from './message.ts'

export interface HeaderSettings {
  /** Value of `Server`; `''` = none. */
  readonly server: string
  /** Headers for every response, each as `Name: value`. */
  readonly add: readonly string[]
}

/**
 * Adds headers to every response: Server, `X-Content-Type-Options: nosniff`, and those that the operator wants. A header that
 * the response has already stays as it is. Throws `usage` for a header that cannot be sent.
 */
export function headers({ server, add }: HeaderSettings): Middleware {
  const extra: HeaderList = add.flatMap(parseHeader)
  if (server !== '') extra.push('server', checkedValue('Server', server))
  if (!extra.includes('x-content-type-options')) extra.push('x-content-type-options', 'nosniff')
  const addTo = (response: HttpResponse) => ({ ...response, headers: merged(response.headers, extra) })
  return (next) =>
    function addHeaders(ctx, request) {
      return whenDone(next(ctx, request), addTo)
    }
}

/** A new list of `list` and, for names it does not have, `extra`. */
function merged(list: HeaderList, extra: HeaderList): HeaderList {
  const all = list.slice()
  for (let i = 0; i < extra.length; i += 2) {
    const name = extra[i] as string
    if (!hasName(list, name)) all.push(name, extra[i + 1] as string)
  }
  return all
}

function hasName(list: HeaderList, name: string): boolean {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true
  return false
}

/** Splits `Name: value`, name in lower case. Throws `usage` when it cannot be sent, or is not the operator's to set. */
export function parseHeader(text: string): [name: string, value: string] {
  const colon = text.indexOf(':')
  const name = text.slice(0, Math.max(0, colon)).trim().toLowerCase()
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))
    throw new AppError('usage', `bad header "${text}": write it as "Name: value"`)
  if (framing.has(name)) throw new AppError('usage', `bad header "${text}": ${name} is set by the server`)
  return [name, checkedValue(name, text.slice(colon + 1).trim())]
}

const framing = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'trailer',
  'keep-alive',
  'date',
])

/** The value, when it can be sent: visible characters of Latin-1, blanks and tabs. Throws `usage` otherwise. */
function checkedValue(name: string, value: string): string {
  // Nothing else may go on the wire, line breaks least of all.
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
    throw new AppError('usage', `the value of header ${name} has characters that cannot be sent`)
  return value
}
