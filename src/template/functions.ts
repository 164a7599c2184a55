import { sprint, sprintln } from './print.ts'
import { sprintf } from './printf.ts'
import { Time } from './time.ts'
import { Native, asInteger, isList, isMap, isTrue, typeOf } from './value.ts'
import type { Value } from './value.ts'

/** A function of the template language; mistakes of use are plain Errors, the interpreter adds the place. */
export interface TemplateFunction {
  /** Count of arguments: exactly `least`, unless `most` allows more. */
  readonly least: number
  readonly most?: number
  readonly call: (args: readonly Value[]) => Value
}

function define(least: number, call: (...args: Value[]) => Value, most = least): TemplateFunction {
  return { least, most, call: (args) => call(...args) }
}

function text(value: Value): string {
  if (typeof value === 'string') return value
  throw new Error(`wrong type for value; expected string; got ${typeOf(value)}`)
}

const strings = (test: (text: string, part: string) => boolean) => define(2, (a, b) => test(text(a), text(b)))

/**
 * The functions of Go's templates and those that rclone adds. `and` and `or` are here for their names only: the interpreter
 * does not evaluate more of their arguments than it needs.
 */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  and: define(1, (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1), Infinity),
  or: define(1, (...args) => args.find(isTrue) ?? args.at(-1), Infinity),
  not: define(1, (value) => !isTrue(value)),
  len: define(1, length),
  index: define(1, index, Infinity),
  slice: define(1, slice, 4),
  print: define(0, (...args) => sprint(args), Infinity),
  printf: define(1, (format, ...args) => sprintf(text(format), args), Infinity),
  println: define(0, (...args) => sprintln(args), Infinity),
  html: define(0, (...args) => escapeForHtml(joined(args)), Infinity),
  js: define(0, (...args) => escapeForScript(joined(args)), Infinity),
  urlquery: define(0, (...args) => escapeForQuery(joined(args)), Infinity),
  call: define(
    1,
    (value) => {
      throw new Error(`non-function of type ${typeOf(value)}`)
    },
    Infinity,
  ),
  eq: define(
    1,
    (first, ...rest) => {
      if (rest.length === 0) throw new Error('missing argument for comparison')
      return rest.some((other) => isEqual(first, other))
    },
    Infinity,
  ),
  ne: define(2, (a, b) => !isEqual(a, b)),
  lt: define(2, (a, b) => compare(a, b) < 0),
  le: define(2, (a, b) => compare(a, b) <= 0),
  gt: define(2, (a, b) => compare(a, b) > 0),
  ge: define(2, (a, b) => compare(a, b) >= 0),
  afterEpoch: define(1, (time) => {
    if (!(time instanceof Time)) throw new Error(`wrong type for value; expected time.Time; got ${typeOf(time)}`)
    return time.nanoseconds > 0n
  }),
  contains: strings((all, part) => all.includes(part)),
  hasPrefix: strings((all, part) => all.startsWith(part)),
  hasSuffix: strings((all, part) => all.endsWith(part)),
}

/** Operands of a text function side by side; nil among them counts for nothing but is printed when alone. */
function joined(args: readonly Value[]): string {
  const [only] = args
  return args.length === 1 && typeof only === 'string' ? only : sprint(args)
}

/** Lengths of text are in bytes. */
function length(value: Value): bigint {
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value))
  if (isList(value)) return BigInt(value.length)
  if (isMap(value)) return BigInt(value.size)
  throw new Error(value === null || value === undefined ? 'len of nil pointer' : `len of type ${typeOf(value)}`)
}

function position(value: Value, max: number): number {
  const at = typeof value === 'bigint' ? value : undefined
  if (at === undefined) throw new Error(`cannot index slice/array with type ${typeOf(value)}`)
  if (at < 0n || at > BigInt(max)) throw new Error(`index out of range: ${at}`)
  return Number(at)
}

function index(value: Value, ...keys: readonly Value[]): Value {
  let item = value
  for (const key of keys) {
    if (item === null || item === undefined) throw new Error('index of untyped nil')
    if (typeof item === 'string') {
      const bytes = Buffer.from(item)
      item = BigInt(bytes[position(key, bytes.length - 1)] as number)
    } else if (isList(item)) item = item[position(key, item.length - 1)]
    else if (isMap(item)) item = item.get(text(key)) ?? null
    else throw new Error(`can't index item of type ${typeOf(item)}`)
  }
  return item
}

function slice(value: Value, ...bounds: readonly Value[]): Value {
  const cut = (length: number): [number, number] => {
    const [start = 0, end = length, max = length] = bounds.map((bound) => position(bound, length))
    if (start > end || end > max) throw new Error(`invalid slice index: ${start} > ${end}`)
    return [start, end]
  }
  if (typeof value === 'string') {
    if (bounds.length === 3) throw new Error('cannot 3-index slice a string')
    const bytes = Buffer.from(value)
    return bytes.subarray(...cut(bytes.length)).toString()
  }
  if (isList(value)) return value.slice(...cut(value.length))
  throw new Error(
    value === null || value === undefined ? 'slice of untyped nil' : `can't slice item of type ${typeOf(value)}`,
  )
}

/** What equals may be compared: numbers of a kind, text, booleans, values of one type. */
function kindOf(value: Value): string {
  return value instanceof Native && value.integer ? 'int' : typeOf(value)
}

function isEqual(a: Value, b: Value): boolean {
  const [left, right] = [a ?? null, b ?? null]
  if (left === null || right === null) return left === right
  if (kindOf(left) !== kindOf(right)) throw new Error('incompatible types for comparison')
  if (left instanceof Time && right instanceof Time)
    return left.nanoseconds === right.nanoseconds && left.zone === right.zone
  if (typeof left === 'object' && !(left instanceof Native)) throw new Error(`non-comparable type ${typeOf(left)}`)
  return typeof left === 'boolean' ? left === right : compare(left, right) === 0
}

function compare(a: Value, b: Value): number {
  const [left, right] = [asOrdered(a), asOrdered(b)]
  if (left === undefined || right === undefined) throw new Error('invalid type for comparison')
  if (typeof left !== typeof right) throw new Error('incompatible types for comparison')
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right))
  return left < right ? -1 : left > right ? 1 : 0
}

function asOrdered(value: Value): string | number | bigint | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value
  return asInteger(value)
}

const htmlCharacters: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
}

function escapeForHtml(value: string): string {
  return value.replace(/["'&<>\0]/g, (c) => htmlCharacters[c] as string)
}

function escapeForScript(value: string): string {
  return value.replace(/[\\'"<>&=]|[^\P{C}\u00ad]|[\u2028\u2029]/gu, (c) => {
    if (c === '\\' || c === "'" || c === '"') return `\\${c}`
    const point = c.codePointAt(0) as number
    return point > 0xffff ? c : `\\u${point.toString(16).toUpperCase().padStart(4, '0')}`
  })
}

function escapeForQuery(value: string): string {
  return encodeURIComponent(value.toWellFormed())
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
