import { AppError, messageOf } from '../base/error.ts'
import type { Json } from '../base/json.ts'
import { parseDuration } from '../base/duration.ts'
import { floatText } from '../template/number.ts'
import type { ParamType, Shape, Infer } from './field.ts'
import { truthOf } from './values.ts'

/** The types of parameters of calls, with the rules and sentences that clients know (rc.md 1.3). */

export const string: ParamType<string> = {
  schema: { type: 'string' },
  read(key, value) {
    if (typeof value === 'string') return value
    throw wrongType('string', key, value)
  },
}

/** A whole number: a number, cut to its whole part, or decimal text. */
export const int: ParamType<number> = {
  schema: { type: 'integer' },
  read(key, value) {
    if (typeof value === 'string') {
      const whole = /^[+-]?\d+$/.test(value)
      if (whole && Math.abs(Number(value)) < 2 ** 63) return Number(value)
      throw bad(
        `couldn't parse key ${quoted(key)} (${value}) as int64: strconv.ParseInt: parsing ${quoted(value)}: ${whole ? 'value out of range' : 'invalid syntax'}`,
      )
    }
    if (typeof value !== 'number') throw wrongType('int64', key, value)
    if (Math.abs(value) >= 2 ** 63)
      throw bad(`key ${quoted(key)} (${floatText(value, 'g', undefined)}) overflows int64 `)
    return Math.trunc(value)
  },
}

export const float: ParamType<number> = {
  schema: { type: 'number' },
  read(key, value) {
    if (typeof value === 'number') return value
    if (typeof value !== 'string') throw wrongType('float64', key, value)
    const number = value.trim() === value && value !== '' ? Number(value) : NaN
    if (Number.isNaN(number))
      throw bad(
        `couldn't parse key ${quoted(key)} (${value}) as float64: strconv.ParseFloat: parsing ${quoted(value)}: invalid syntax`,
      )
    return number
  },
}

export const bool: ParamType<boolean> = {
  schema: { type: 'boolean' },
  read(key, value) {
    if (typeof value === 'boolean') return value
    if (typeof value === 'number') return value !== 0
    if (typeof value !== 'string') throw wrongType('bool', key, value)
    const truth = truthOf(value)
    if (truth !== undefined) return truth
    throw bad(
      `couldn't parse key ${quoted(key)} (${value}) as bool: strconv.ParseBool: parsing ${quoted(value)}: invalid syntax`,
    )
  },
}

/** An object, or JSON text that holds one. */
export const object: ParamType<Readonly<Record<string, unknown>>> = {
  schema: { type: 'object', additionalProperties: true },
  read(key, value) {
    const json = fromText(key, value)
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>
    throw bad(
      `key ${quoted(key)}: json: cannot unmarshal ${jsonKind(json)} into Go value of type map[string]interface {}`,
    )
  },
}

/** A list of texts, or JSON text that holds one. */
export const strings: ParamType<readonly string[]> = {
  schema: { type: 'array', items: { type: 'string' } },
  read(key, value) {
    const json = fromText(key, value)
    if (Array.isArray(json) && json.every((item) => typeof item === 'string')) return json
    throw bad(`key ${quoted(key)}: json: cannot unmarshal ${jsonKind(json)} into Go value of type []string`)
  },
}

/** A list of objects, or JSON text that holds one. */
export const list: ParamType<readonly unknown[]> = {
  schema: { type: 'array', items: {} },
  read(key, value) {
    const json = fromText(key, value)
    if (Array.isArray(json)) return json
    throw bad(`key ${quoted(key)}: json: cannot unmarshal ${jsonKind(json)} into Go value of type []interface {}`)
  },
}

/** Texts by name; numbers and booleans in it become their text. */
export const texts: ParamType<Readonly<Record<string, string>>> = {
  schema: { type: 'object', additionalProperties: { type: 'string' } },
  read(key, value) {
    return Object.fromEntries(
      Object.entries(object.read(key, value)).map(([name, item]) => {
        if (typeof item === 'string') return [name, item]
        if (typeof item === 'number' || typeof item === 'boolean') return [name, String(item)]
        throw bad(`key ${quoted(key)}: json: cannot unmarshal ${jsonKind(item)} into Go value of type string`)
      }),
    )
  },
}

/** Milliseconds from text: `1h30m`, `5d`, `off` (Infinity). */
export const duration: ParamType<number> = {
  schema: { type: 'string', description: 'a duration such as 1h30m, 5d or off' },
  read(key, value) {
    try {
      return parseDuration(string.read(key, value))
    } catch (error) {
      throw error instanceof AppError ? error : bad(`parse duration: ${messageOf(error)}`)
    }
  },
}

/** Any JSON value. */
export const any: ParamType<unknown> = { schema: {}, read: (_key, value) => value }

/** A value of an answer that may be null. */
export function nullable<T>(type: ParamType<T>): ParamType<T | null> {
  return {
    schema: { anyOf: [type.schema, { type: 'null' }] },
    read: (key, value) => (value === null ? null : type.read(key, value)),
  }
}

/** A list of values of one type. */
export function listOf<T>(type: ParamType<T>): ParamType<readonly T[]> {
  return {
    schema: { type: 'array', items: type.schema },
    read: (key, value) => list.read(key, value).map((item) => type.read(key, item)),
  }
}

/** Values of one type by name. */
export function mapOf<T>(type: ParamType<T>): ParamType<Readonly<Record<string, T>>> {
  return {
    schema: { type: 'object', additionalProperties: type.schema },
    read: (key, value) =>
      Object.fromEntries(Object.entries(object.read(key, value)).map(([name, item]) => [name, type.read(name, item)])),
  }
}

/** An object of known fields; others may be there as well. */
export function shapeOf<S extends Shape>(shape: S): ParamType<Infer<S>> {
  return {
    schema: schemaOf(shape),
    read: (key, value) => object.read(key, value) as Infer<S>,
  }
}

/** The JSON Schema of a shape. */
export function schemaOf(shape: Shape): { [key: string]: Json } {
  const needed = Object.entries(shape).filter(([, field]) => field.required)
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(shape).map(([key, { type, help }]) => [
        key,
        { ...type.schema, ...(help ? { description: help } : {}) },
      ]),
    ),
    ...(needed.length > 0 ? { required: needed.map(([key]) => key) } : {}),
  }
}

const quoted = (text: string) => JSON.stringify(text)

/** The error of a call with a wrong parameter. */
export function bad(message: string): AppError {
  return new AppError('usage', message)
}

function wrongType(wanted: string, key: string, value: unknown): AppError {
  return bad(`expecting ${wanted} value for key ${quoted(key)} (was ${goType(value)})`)
}

/** The name that clients know a JSON value's type by. */
export function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'string' : 'map[string]interface {}'
}

/** The name that clients know a JSON value by in messages about types. */
export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return value === null ? 'null' : typeof value
}

/** The value that a parameter stands for when it came as JSON text. */
export function fromText(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value) as unknown
  } catch (error) {
    throw bad(`key ${quoted(key)}: ${messageOf(error)}`)
  }
}
