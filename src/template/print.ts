import { floatText } from './number.ts'
import { isList, isMap, isStruct } from './value.ts'
import type { Value } from './value.ts'

/** What `fmt.Sprint` gives: operands side by side, with a blank between two that are not strings. */
export function sprint(values: readonly Value[]): string {
  let text = ''
  for (const [i, value] of values.entries()) {
    if (i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string') text += ' '
    text += plain(value)
  }
  return text
}

/** What `fmt.Sprintln` gives: always a blank between, a line feed at the end. */
export function sprintln(values: readonly Value[]): string {
  return `${values.map(plain).join(' ')}\n`
}

/** The value as `%v` prints it. */
export function plain(value: Value): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return floatText(value, 'g', undefined)
  if (isList(value)) return `[${value.map(plain).join(' ')}]`
  if (isMap(value)) return `map[${members(value, plain)}]`
  if (isStruct(value)) return `{${Object.values(value).map(plain).join(' ')}}`
  return String(value)
}

/** The members of a map in the order of their keys. */
export function members(map: ReadonlyMap<string, Value>, print: (value: Value) => string): string {
  return sortedKeys(map)
    .map((key) => `${print(key)}:${print(map.get(key))}`)
    .join(' ')
}

export function sortedKeys(map: ReadonlyMap<string, Value>): string[] {
  return [...map.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}
