import { formatFloat, formatInteger, padded } from './number.ts'
import type { Flags } from './number.ts'
import { members, plain } from './print.ts'
import { quote, quoteCharacter } from './quote.ts'
import { Native, isList, isMap, typeOf } from './value.ts'
import type { Struct, Value } from './value.ts'

/** `%[flags][width][.precision][[index]]verb`; a star takes the number from the operands. */
const directive =
  /%(?<flags>[-+# 0]*)(?:(?:\[(?<widthAt>\d+)\])?(?<width>\*|\d+))?(?<dot>\.(?:(?:\[(?<precisionAt>\d+)\])?(?<precision>\*|\d+))?)?(?:\[(?<at>\d+)\])?(?<verb>[^]?)/gu
/** Wider than this is a mistake, and would only use up memory. */
const widest = 1_000_000

/** What `fmt.Sprintf` gives, its complaints about wrong operands included (`%!d(string=x)`). */
export function sprintf(format: string, values: readonly Value[]): string {
  const operands = new Operands(values)
  let text = ''
  let end = 0
  for (const match of format.matchAll(directive)) {
    text += format.slice(end, match.index)
    end = match.index + match[0].length
    const { verb = '', at, ...parts } = match.groups ?? {}
    if (verb === '%') text += '%'
    else if (verb === '') text += '%!(NOVERB)'
    else {
      const flags = flagsOf(parts, operands)
      text += operands.next(at)
        ? print(operands.value, verb, flags)
        : `%!${verb}(${at === undefined ? 'MISSING' : 'BADINDEX'})`
    }
  }
  return text + format.slice(end) + operands.extra()
}

/** The operands of a printf, taken one after the other or by index. */
class Operands {
  readonly #values: readonly Value[]
  #at = 0
  #byIndex = false
  value: Value

  constructor(values: readonly Value[]) {
    this.#values = values
  }

  /** Moves to the next operand; false when there is none. */
  next(index: string | undefined): boolean {
    if (index !== undefined) {
      this.#at = Number(index) - 1
      this.#byIndex = true
    }
    if (this.#at < 0 || this.#at >= this.#values.length) return false
    this.value = this.#values[this.#at++]
    return true
  }

  extra(): string {
    const rest = this.#byIndex ? [] : this.#values.slice(this.#at)
    return rest.length === 0 ? '' : `%!(EXTRA ${rest.map(typed).join(', ')})`
  }
}

function flagsOf(parts: Readonly<Record<string, string | undefined>>, operands: Operands): Flags {
  const amount = (text: string | undefined, index: string | undefined): number | undefined => {
    if (text !== '*') return text === undefined ? undefined : Math.min(Number(text), widest)
    if (!operands.next(index) || typeof operands.value !== 'bigint') return undefined
    return Math.max(-widest, Math.min(Number(operands.value), widest))
  }
  const signs = parts.flags ?? ''
  const width = amount(parts.width, parts.widthAt)
  const precision = amount(parts.precision, parts.precisionAt)
  const minus = signs.includes('-') || (width ?? 0) < 0
  return {
    minus,
    plus: signs.includes('+'),
    sharp: signs.includes('#'),
    space: signs.includes(' '),
    zero: signs.includes('0') && !minus,
    width: width === undefined ? undefined : Math.abs(width),
    precision: parts.dot === undefined ? undefined : Math.max(0, precision ?? 0),
  }
}

function typed(value: Value): string {
  return value === null || value === undefined ? '<nil>' : `${typeOf(value)}=${plain(value)}`
}

function print(value: Value, verb: string, flags: Flags): string {
  if (verb === 'T') return padded(typeOf(value), flags)
  if (value === null || value === undefined) return verb === 'v' ? padded('<nil>', flags) : `%!${verb}(<nil>)`
  const again = (item: Value) => print(item, verb, flags)
  if (isList(value)) return `[${value.map(again).join(' ')}]`
  if (isMap(value)) return `map[${members(value, again)}]`
  if (typeof value === 'object' && !(value instanceof Native)) return struct(value, verb, flags)
  return scalar(value, verb, flags) ?? `%!${verb}(${typed(value)})`
}

function struct(value: Struct, verb: string, flags: Flags): string {
  const field = ([name, item]: [string, Value]) => `${flags.plus ? `${name}:` : ''}${print(item, verb, flags)}`
  return `{${Object.entries(value).map(field).join(' ')}}`
}

function scalar(value: boolean | string | bigint | number | Native, verb: string, flags: Flags): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return verb === 't' || verb === 'v' ? padded(String(value), flags) : undefined
    case 'bigint':
      return integer(value, verb, flags)
    case 'number':
      return formatFloat(value, verb, flags)
    case 'string':
      return string(value, verb, flags)
    default: {
      const number = value.integer?.()
      const text = 'vsqxX'.includes(verb) ? string(String(value), verb, flags) : undefined
      return text ?? (number === undefined ? undefined : integer(number, verb, flags))
    }
  }
}

function integer(value: bigint, verb: string, flags: Flags): string | undefined {
  const character = value >= 0n && value <= 0x10ffffn ? String.fromCodePoint(Number(value)) : '\ufffd'
  if (verb === 'c') return padded(character, flags)
  if (verb === 'q') return padded(quoteCharacter(character, flags.plus), flags)
  if (verb !== 'U') return formatInteger(value, verb, flags)
  const point = `U+${value.toString(16).toUpperCase().padStart(4, '0')}`
  return padded(flags.sharp ? `${point} '${character}'` : point, flags)
}

function string(value: string, verb: string, flags: Flags): string | undefined {
  const cut = flags.precision === undefined ? value : Array.from(value).slice(0, flags.precision).join('')
  switch (verb) {
    case 'v':
      return padded(flags.sharp ? quote(cut) : cut, flags)
    case 's':
      return padded(cut, flags)
    case 'q':
      return padded(flags.sharp && !/`|[^\P{C}\t]/u.test(cut) ? `\`${cut}\`` : quote(cut, flags.plus), flags)
    case 'x':
    case 'X': {
      const hex = Buffer.from(value).subarray(0, flags.precision).toString('hex')
      const pairs = flags.space ? hex.replace(/..(?=.)/g, '$& ') : hex
      return padded(verb === 'X' ? pairs.toUpperCase() : pairs, flags)
    }
    default:
      return undefined
  }
}
