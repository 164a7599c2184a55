import { setImmediate as nextTurn } from 'node:timers/promises'

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

// The library of TypeScript does not declare this part of ECMAScript 2026 yet.
const raw = JSON as unknown as { rawJSON(text: string): Json; isRawJSON(value: unknown): boolean }

/** A number as JSON with the very digits of a text. Throws SyntaxError for a text that is no JSON of one value. */
export function rawJson(text: string): Json {
  return raw.rawJSON(text)
}

/** What objects that keep the order of their keys are made from. */
const inOrder = Object.freeze({})

/** The same fields as an object whose keys are written in the order in which they stand; all others are written sorted. */
export function ordered<T extends object>(fields: T): T {
  return Object.assign(Object.create(inOrder) as T, fields)
}

const itemsInOrder = Symbol('items in order')

/** The same list, marked: the keys of its items are written in the order in which they stand. Cheaper than to copy them all. */
export function orderedItems<T extends object>(items: T[]): readonly T[] {
  return Object.defineProperty(items, itemsInOrder, { value: true })
}

/**
 * Writes JSON as rc clients know it (rc.md 1.4): tabs, keys in order, `<`, `>`, `&` and the line separators of JavaScript
 * escaped, one line break at the end. What JSON can't carry (undefined) is left out of objects.
 */
export function encodeJson(value: unknown): string {
  return `${write(value, '\n')}\n`
}

/** A list of more items is written in pieces. */
const LONG = 2000
const PIECE = 500

/** True for an answer that holds a long list, which `encodeInPieces` is for. */
export function isLong(fields: object): boolean {
  return Object.values(fields).some((value) => Array.isArray(value) && value.length > LONG)
}

/** As `encodeJson`, in pieces, between which others get their turn. */
export async function* encodeInPieces(fields: object): AsyncGenerator<Uint8Array> {
  const indent = '\n\t'
  const item = '\n\t\t'
  let text = ''
  let between = '{'
  for (const key of keysOf(fields)) {
    const value: unknown = fields[key as keyof typeof fields]
    if (value === undefined) continue
    text += `${between}${indent}${escaped(key)}: `
    between = ','
    if (!Array.isArray(value) || value.length <= LONG) {
      text += write(value, indent)
      continue
    }
    const inPlace = itemsInOrder in value
    for (let i = 0; i < value.length; i++) {
      text += (i === 0 ? '[' : ',') + item + write(value[i], item, inPlace)
      if (i % PIECE < PIECE - 1) continue
      yield Buffer.from(text)
      text = ''
      await nextTurn()
    }
    text += `${indent}]`
  }
  yield Buffer.from(between === '{' ? '{}\n' : `${text}\n}\n`)
}

function write(value: unknown, indent: string, inPlace = false): string {
  if (typeof value === 'string') return escaped(value)
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return writeList(value, indent)
  return raw.isRawJSON(value) ? JSON.stringify(value) : writeObject(value as Record<string, unknown>, indent, inPlace)
}

function writeList(list: readonly unknown[], indent: string): string {
  if (list.length === 0) return '[]'
  const inner = `${indent}\t`
  const inPlace = itemsInOrder in list
  let text = '['
  for (let i = 0; i < list.length; i++) text += (i > 0 ? ',' : '') + inner + write(list[i], inner, inPlace)
  return `${text}${indent}]`
}

function writeObject(object: Readonly<Record<string, unknown>>, indent: string, inPlace: boolean): string {
  const keys = inPlace ? Object.keys(object) : keysOf(object)
  const inner = `${indent}\t`
  let text = ''
  for (const key of keys)
    if (object[key] !== undefined)
      text += `${text === '' ? '{' : ','}${inner}${escaped(key)}: ${write(object[key], inner)}`
  return text === '' ? '{}' : `${text}${indent}}`
}

/** The keys of an object as they are written. */
function keysOf(object: object): string[] {
  const keys = Object.keys(object)
  return Object.getPrototypeOf(object) === inOrder ? keys : keys.sort()
}

// oxlint-disable-next-line no-irregular-whitespace -- the two line separators are meant
const special = /[<>&\u2028\u2029]/
const specials = new RegExp(special, 'g')

/** Text that is written as it is: most names, types and times. */
// oxlint-disable-next-line no-control-regex, no-irregular-whitespace -- they are what is looked for
const simple = /^[^"\\<>&\u0000-\u001f\u2028\u2029\ud800-\udfff]*$/

function escaped(text: string): string {
  if (simple.test(text)) return `"${text}"`
  return withEscapes(JSON.stringify(text))
}

function withEscapes(json: string): string {
  return special.test(json)
    ? json.replace(specials, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json
}

/** JSON with the keys as they stand and the escapes of `encodeJson`: on one line, or indented. */
export function jsonText(value: object, indent = ''): string {
  return withEscapes(JSON.stringify(value, undefined, indent))
}

/** The same value in plain objects, so that all keys are written in their order: how an answer within an answer is shown. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || raw.isRawJSON(value)) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
