import { formatCsv, parseCsv } from '../base/csv.ts'
import { formatDuration, fromNanoseconds, parseDuration, toNanoseconds } from '../base/duration.ts'
import { type Json, rawJson } from '../base/json.ts'
import { formatSize, parseSize, sizeOff } from '../base/size.ts'
import type { ValueType } from './value.ts'

const trueWords: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True']
const falseWords: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False']

/** What a word says of yes or no, as Go's ParseBool reads it; undefined = it is none of those words. */
export function truthOf(word: string): boolean | undefined {
  if (trueWords.includes(word)) return true
  return falseWords.includes(word) ? false : undefined
}

/** `true` or `false`, also `1`, `t`, `0`, `f`. A flag needs no argument. JSON: boolean, or one of the texts. */
export const bool: ValueType<boolean> = {
  name: 'bool',
  implied: 'true',
  choices: ['true', 'false'],
  parse(text) {
    const value = truthOf(text)
    if (value === undefined) throw new Error(`bad boolean "${text}": use true or false`)
    return value
  },
  format: String,
  decode(json) {
    if (typeof json === 'boolean') return json
    if (typeof json === 'string' || json === 0 || json === 1) return bool.parse(String(json))
    throw wrongJson('true or false', json)
  },
  encode: (value) => value,
}

/** Yes, no, or nothing said: `true`, `false`, `unset`. JSON: boolean, null, or one of the texts. */
export const tristate: ValueType<boolean | undefined> = {
  name: 'Tristate',
  parse: (text) => (text === '' || text.toLowerCase() === 'unset' ? undefined : bool.parse(text)),
  format: (value) => (value === undefined ? 'unset' : String(value)),
  decode: (json) => (json === null ? undefined : typeof json === 'string' ? tristate.parse(json) : bool.decode(json)),
  encode: (value) => value ?? null,
}

/** A whole number that JavaScript holds exactly. JSON: number or text. */
export const int: ValueType<number> = {
  name: 'int',
  parse(text) {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN
    if (!Number.isSafeInteger(value)) throw new Error(`bad whole number "${text}"`)
    return value
  },
  format: String,
  decode(json) {
    if (typeof json === 'string') return int.parse(json)
    if (typeof json === 'number' && Number.isSafeInteger(json)) return json
    throw wrongJson('a whole number', json)
  },
  encode: (value) => value,
}

/** A finite number. JSON: number or text. */
export const float: ValueType<number> = {
  name: 'float64',
  parse(text) {
    const value = text.trim() === '' ? NaN : Number(text)
    if (!Number.isFinite(value)) throw new Error(`bad number "${text}"`)
    return value
  },
  format: String,
  decode(json) {
    if (typeof json === 'string') return float.parse(json)
    if (typeof json === 'number' && Number.isFinite(json)) return json
    throw wrongJson('a number', json)
  },
  encode: (value) => value,
}

/** Any text. */
export const string: ValueType<string> = {
  name: 'string',
  parse: (text) => text,
  format: (value) => value,
  decode(json) {
    if (typeof json === 'string') return json
    throw wrongJson('a string', json)
  },
  encode: (value) => value,
}

/** A text that is a password. The option says whether it is stored obscured (`password: true`) or never shown (`secret: true`). */
export const password: ValueType<string> = { ...string }

/** Bytes; `off` is -1. JSON: whole bytes, or the text form, in which a bare number counts KiB. */
export const size: ValueType<number> = {
  name: 'SizeSuffix',
  parse: parseSize,
  format: formatSize,
  decode(json) {
    if (typeof json === 'string') return parseSize(json)
    if (typeof json === 'number' && Number.isInteger(json)) return json < 0 ? sizeOff : json
    throw wrongJson('a number of bytes or a size such as "10M"', json)
  },
  encode: (value) => wholeJson(BigInt(value)),
}

/** Milliseconds, fractions allowed; `off` is Infinity. JSON: whole nanoseconds, or the text form. */
export const duration: ValueType<number> = {
  name: 'Duration',
  parse: (text) => parseDuration(text),
  format: formatDuration,
  decode(json) {
    if (typeof json === 'string') return parseDuration(json)
    if (typeof json === 'number' && Number.isInteger(json)) return fromNanoseconds(BigInt(json))
    throw wrongJson('a number of nanoseconds or a duration such as "1h30m"', json)
  },
  encode: (value) => wholeJson(toNanoseconds(value)),
}

/** A list that grows with each use of the flag; one use is one item, commas included. JSON: array of strings, or one string. */
export const strings: ValueType<string[]> = {
  name: 'stringArray',
  repeatable: true,
  parse: (text) => [text],
  format: (value) => formatCsv(value),
  decode: (json) => (json === null ? [] : typeof json === 'string' ? [json] : textsOf(json)),
  encode: (value) => [...value],
}

/** Pairs KEY=VALUE, one for each use of the flag. JSON: an object; null for none. */
export const pairs: ValueType<string[]> = {
  ...strings,
  parse(text) {
    if (text.indexOf('=') > 0) return [text]
    throw new Error(`"${text}" is not KEY=VALUE`)
  },
  decode(json) {
    if (json === null || typeof json !== 'object' || Array.isArray(json))
      return strings.decode(json).flatMap((text) => pairs.parse(text))
    const values = textsOf(Object.values(json))
    return Object.keys(json).map((key, i) => `${key}=${values[i]}`)
  },
  encode: (value) => (value.length === 0 ? null : Object.fromEntries(value.map(pairOf))),
}

/** The key and the value of `KEY=VALUE`; no value for a key alone. */
export function pairOf(text: string): [key: string, value: string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** A list in one text, separated by commas with CSV quoting. JSON: array of strings, or the text form. */
export const commaList: ValueType<string[]> = listType('CommaSepList', ',')

/** A list in one text, separated by blanks with CSV quoting. JSON: array of strings, or the text form. */
export const spaceList: ValueType<string[]> = listType('SpaceSepList', ' ')

function listType(name: string, separator: string): ValueType<string[]> {
  const parse = (text: string) => parseCsv(text, separator)
  return {
    name,
    parse,
    format: (value) => formatCsv(value, separator),
    decode: (json) => (json === null ? [] : typeof json === 'string' ? parse(json) : textsOf(json)),
    encode: (value) => [...value],
  }
}

/** One of a closed set of words, in any case. JSON: the word, or its index in the set. */
export function oneOf<const T extends string>(...choices: readonly T[]): ValueType<T> {
  const parse = (text: string) => {
    const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase())
    if (found === undefined) throw new Error(`invalid choice "${text}" from: ${choices.join(', ')}`)
    return found
  }
  return {
    name: choices.join('|'),
    choices,
    parse,
    format: (value) => value,
    decode(json) {
      if (typeof json === 'string') return parse(json)
      const found = typeof json === 'number' ? choices[json] : undefined
      if (found === undefined) throw wrongJson(`one of ${choices.join(', ')}`, json)
      return found
    },
    encode: (value) => value,
  }
}

/** Permission bits, written in octal. JSON: a number (not octal), or the octal text. */
export const fileMode: ValueType<number> = {
  name: 'FileMode',
  parse(text) {
    if (!/^[0-7]{1,6}$/.test(text)) throw new Error(`bad FileMode "${text}" - must be octal digits`)
    return Number.parseInt(text, 8)
  },
  format: (value) => value.toString(8).padStart(3, '0'),
  decode(json) {
    if (typeof json === 'string') return fileMode.parse(json)
    if (typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= 0o777777) return json
    throw wrongJson('permission bits', json)
  },
  encode: (value) => value,
}

/** How often a flag was given: `-v -v` is 2, `--verbose=2` as well. The results of several uses add up. */
export const count: ValueType<number> = {
  ...int,
  name: 'count',
  repeatable: true,
  implied: '1',
}

function textsOf(json: unknown): string[] {
  if (Array.isArray(json) && json.every((item) => typeof item === 'string')) return json
  throw wrongJson('a list of strings', json)
}

function wrongJson(expected: string, json: unknown): Error {
  return new Error(`expected ${expected}, not ${JSON.stringify(json) ?? 'nothing'}`)
}

/** A whole number as JSON with all its digits: JSON.stringify alone would round what is beyond 2^53. */
function wholeJson(value: bigint): Json {
  const safe = Number(value)
  return Number.isSafeInteger(safe) ? safe : rawJson(value.toString())
}
