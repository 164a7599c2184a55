/**
 * What templates compute with. Integers are bigints and floats are numbers, as Go tells int from float64; `null` is nil;
 * lists are arrays; plain objects are structs; a Map is a map; anything with methods extends Native.
 */
export type Value =
  | null
  | undefined
  | boolean
  | string
  | bigint
  | number
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | Native
  | Struct

export interface Struct {
  readonly [field: string]: Value
}

/** A value with methods, such as a point in time. */
export abstract class Native {
  /** The name of its Go type: `time.Time`. */
  abstract readonly type: string
  abstract readonly methods: Readonly<Record<string, Method>>
  /** How it prints. */
  abstract toString(): string
  /** How it stands in a script. */
  abstract toJSON(): string | number
  /** The number behind a named integer type, such as a duration. */
  integer?(): bigint
}

export interface Method {
  readonly parameters: readonly ('string' | 'integer' | 'same')[]
  call(...args: readonly Value[]): Value
}

/** The name of the Go type, for messages and `%T`. */
export function typeOf(value: Value): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'string') return 'string'
  if (value instanceof Native) return value.type
  if (isList(value)) return value.length > 0 ? `[]${typeOf(value[0])}` : '[]interface {}'
  if (isMap(value)) return 'map[string]interface {}'
  return 'struct'
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map
}

export function isStruct(value: Value): value is Struct {
  return typeof value === 'object' && value !== null && !isList(value) && !isMap(value) && !(value instanceof Native)
}

/** Whether `if`, `with`, `and`, `or` and `not` take it for true: not zero and not empty. */
export function isTrue(value: Value): boolean {
  if (typeof value === 'string' || isList(value)) return value.length > 0
  if (isMap(value)) return value.size > 0
  if (value instanceof Native) return value.integer === undefined || value.integer() !== 0n
  return Boolean(value)
}

/** An integer, also when it comes as a named type or as a float without a fraction. */
export function asInteger(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  return value instanceof Native ? value.integer?.() : undefined
}
