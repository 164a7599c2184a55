/** A value that JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

// The library's types do not know it yet.
const { isRawJSON: isRawJson } = JSON as unknown as { isRawJSON: (this: void, value: unknown) => boolean }

/** What objects that keep the order of their keys are made from. */
const inOrder = Object.freeze({})

/** The same fields as an object whose keys are written in the order in which they stand; all others are written sorted. */
export function ordered<T extends object>(fields: T): T {
  return Object.assign(Object.create(inOrder) as T, fields)
}

/**
 * Writes JSON as rc clients know it (rc.md 1.4): tabs, keys in order, `<`, `>`, `&` and the line separators of JavaScript
 * escaped, one line break at the end. What JSON can't carry (undefined) is left out of objects.
 */
export function encodeJson(value: unknown): string {
  return `${write(value, '\n')}\n`
}

function write(value: unknown, indent: string): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return escaped(value)
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return writeList(value, indent)
  return isRawJson(value) ? JSON.stringify(value) : writeObject(value as Record<string, unknown>, indent)
}

function writeList(list: readonly unknown[], indent: string): string {
  if (list.length === 0) return '[]'
  const inner = `${indent}\t`
  let text = '['
  for (let i = 0; i < list.length; i++) text += (i > 0 ? ',' : '') + inner + write(list[i], inner)
  return `${text}${indent}]`
}

function writeObject(object: Readonly<Record<string, unknown>>, indent: string): string {
  const keys = Object.keys(object)
  if (Object.getPrototypeOf(object) !== inOrder) keys.sort()
  const inner = `${indent}\t`
  let text = ''
  for (const key of keys)
    if (object[key] !== undefined)
      text += `${text === '' ? '{' : ','}${inner}${escaped(key)}: ${write(object[key], inner)}`
  return text === '' ? '{}' : `${text}${indent}}`
}

// oxlint-disable-next-line no-irregular-whitespace -- the two line separators are meant
const special = /[<>&\u2028\u2029]/
const specials = new RegExp(special, 'g')

function escaped(text: string): string {
  const json = JSON.stringify(text)
  return special.test(json)
    ? json.replace(specials, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json
}

/** The same value in plain objects, so that all keys are written in their order: how an answer within an answer is shown. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || isRawJson(value)) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
