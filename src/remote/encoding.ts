import { lazy } from '../base/lazy.ts'
import { type Option, option } from '../schema/option.ts'
import type { ValueType } from '../schema/value.ts'

/** Marks a character that looks like a replacement and is none; before two hex digits, a byte that is no UTF-8. */
const QUOTE = '‛'
/** Added to a printable ASCII character this is its full-width look-alike. */
const WIDE = 0xfee0
/** The picture of NUL; those of the other control characters follow. */
const PICTURES = 0x2400

/** Where a character of a name is replaced. */
type Place = 'anywhere' | 'left' | 'right'

interface Rule {
  readonly place: Place
  /** Each character and what stands for it. */
  readonly pairs: ReadonlyMap<string, string>
}

function wide(place: Place, characters: string): Rule {
  return { place, pairs: new Map(Array.from(characters, (c) => [c, String.fromCharCode(c.charCodeAt(0) + WIDE)])) }
}

function pictures(place: Place, ...codes: readonly number[]): Rule {
  const picture = (code: number) => String.fromCharCode(code === 0x7f ? 0x2421 : PICTURES + code)
  return { place, pairs: new Map(codes.map((code) => [String.fromCharCode(code), picture(code)])) }
}

const breaks = [0x09, 0x0a, 0x0b, 0x0d]

/** The words of `encoding` in the order in which they are tried: serve-http.md section 4.3. `Slash` and `Dot` are in every encoding. */
const rules: Readonly<Record<string, Rule>> = {
  LtGt: wide('anywhere', '<>'),
  DoubleQuote: wide('anywhere', '"'),
  SingleQuote: wide('anywhere', "'"),
  BackQuote: wide('anywhere', '`'),
  Dollar: wide('anywhere', '$'),
  Colon: wide('anywhere', ':'),
  Question: wide('anywhere', '?'),
  Asterisk: wide('anywhere', '*'),
  Pipe: wide('anywhere', '|'),
  Hash: wide('anywhere', '#'),
  Percent: wide('anywhere', '%'),
  BackSlash: wide('anywhere', '\\'),
  SquareBracket: wide('anywhere', '[]'),
  Semicolon: wide('anywhere', ';'),
  Exclamation: wide('anywhere', '!'),
  CrLf: pictures('anywhere', 0x0d, 0x0a),
  Del: pictures('anywhere', 0x7f),
  Ctl: pictures('anywhere', ...Array.from({ length: 0x1f }, (_, i) => i + 1)),
  LeftSpace: pictures('left', 0x20),
  LeftPeriod: wide('left', '.'),
  LeftTilde: wide('left', '~'),
  LeftCrLfHtVt: pictures('left', ...breaks),
  RightSpace: pictures('right', 0x20),
  RightPeriod: wide('right', '.'),
  RightCrLfHtVt: pictures('right', ...breaks),
}
const words: readonly string[] = ['Slash', ...Object.keys(rules), 'InvalidUtf8', 'Dot', 'None', 'Raw']

/** Which characters a storage cannot have in names, and how they are written there instead. Compatible with rclone's. */
export interface Encoding {
  /** The words that it is made of, joined by commas. */
  readonly text: string
  /** The canonical name as the storage has it. */
  encodeName(name: string): string
  /** The name in the storage as a canonical one. */
  decodeName(name: string): string
}

/** A canonical path as the storage has it. */
export function encodePath(encoding: Encoding, path: string): string {
  return path.includes('/')
    ? path
        .split('/')
        .map((name) => encoding.encodeName(name))
        .join('/')
    : encoding.encodeName(path)
}

/** The path in the storage as a canonical one. */
export function decodePath(encoding: Encoding, path: string): string {
  return path.includes('/')
    ? path
        .split('/')
        .map((name) => encoding.decodeName(name))
        .join('/')
    : encoding.decodeName(path)
}

/** The option `encoding` of a backend. */
export function encodingOption(flag: string, standard: string): Option<Encoding> {
  return option(encodingType, parseEncoding(standard), 'Characters that the storage cannot have in names', {
    flag,
    advanced: true,
  })
}

const encodingType: ValueType<Encoding> = {
  name: 'Encoding',
  parse: parseEncoding,
  format: ({ text }) => text,
  decode: (json) => parseEncoding(typeof json === 'string' ? json : JSON.stringify(json)),
  encode: ({ text }) => text,
}

/**
 * Reads `Slash,Colon,Dot`. Throws an Error that names the words there are. `Slash` and `Dot` are in every encoding: whatever a
 * name looks like, in the storage it never is a path, or the directory above.
 */
export function parseEncoding(text: string): Encoding {
  const chosen = new Set(text.split(',').map((word) => word.trim()))
  for (const word of chosen)
    if (!words.includes(word)) throw new Error(`bad encoding ${JSON.stringify(word)}, use some of: ${words.join(', ')}`)
  if (chosen.has('Raw')) return { text, encodeName: (name) => name, decodeName: shown }
  const own = lazy(() => new Names(chosen))
  return {
    text,
    encodeName: (name) => own().encode(fromCanonical(name)),
    decodeName: (name) => toCanonical(own().decode(name)),
  }
}

/** Names under one set of words, to and from those that have all characters. */
class Names {
  readonly #dots: ReadonlyMap<string, string>
  readonly #undotted: ReadonlyMap<string, string>
  readonly #anywhere = new Map([
    ['\0', '␀'],
    ['/', '／'],
  ])
  readonly #left = new Map<string, string>()
  readonly #right = new Map<string, string>()
  readonly #back: ReadonlyMap<string, string>
  readonly #backLeft: ReadonlyMap<string, string>
  readonly #backRight: ReadonlyMap<string, string>

  constructor(chosen: ReadonlySet<string>) {
    this.#dots = new Map(dotted(chosen))
    this.#undotted = reversed(this.#dots)
    const places = { anywhere: this.#anywhere, left: this.#left, right: this.#right }
    for (const [word, { place, pairs }] of Object.entries(rules))
      if (chosen.has(word)) for (const [plain, replaced] of pairs) places[place].set(plain, replaced)
    this.#back = reversed(this.#anywhere)
    this.#backLeft = reversed(this.#left)
    this.#backRight = reversed(this.#right)
  }

  encode(name: string): string {
    const dotted = this.#dots.get(name)
    if (dotted !== undefined) return dotted
    const first = this.#encodedEnd(name.slice(0, 1), this.#left, this.#backLeft)
    const rest = first === undefined ? name : name.slice(1)
    const last = this.#encodedEnd(rest.slice(-1), this.#right, this.#backRight)
    const middle = last === undefined ? rest : rest.slice(0, -1)
    return (first ?? '') + this.#encodedMiddle(middle) + (last ?? '')
  }

  decode(name: string): string {
    const undotted = this.#undotted.get(name)
    if (undotted !== undefined) return undotted
    const [first, from] = decodedStart(name, this.#backLeft)
    const [last, to] = decodedEnd(name.slice(from), this.#backRight)
    return first + this.#decodedMiddle(name.slice(from, from + to)) + last
  }

  #encodedEnd(c: string, replaced: ReadonlyMap<string, string>, back: ReadonlyMap<string, string>): string | undefined {
    return replaced.get(c) ?? (back.has(c) ? QUOTE + c : undefined)
  }

  #encodedMiddle(text: string): string {
    return text.replaceAll(units, (unit) => {
      if (unit.length > 1) return unit
      return this.#anywhere.get(unit) ?? (unit === QUOTE || this.#back.has(unit) ? QUOTE + unit : unit)
    })
  }

  #decodedMiddle(text: string): string {
    return text.replaceAll(quotedUnits, (unit) => {
      if (unit.length === 1) return this.#back.get(unit) ?? unit
      const marked = unit.slice(1)
      return marked === QUOTE || this.#back.has(marked) ? marked : unit
    })
  }
}

/** What may be replaced: control characters, ASCII signs, their stand-ins; a byte that is no UTF-8 stays as it is. */
const units = /‛[0-9A-F]{2}|[\0-\x2f:-@[-`{-\x7f‛\u2400-\u2421\uff00-\uff5e]/g
const quotedUnits = /‛[0-9A-F]{2}|‛[‛\u2400-\u2421\uff00-\uff5e]|[\u2400-\u2421\uff00-\uff5e]/g

const dots = new Map([
  ['.', '．'],
  ['..', '．．'],
  ['．', '‛．'],
  ['．．', '‛．‛．'],
])
const undotted = reversed(dots)

/** What stands for `.` and `..`, and the names of which another rule would make what stands for `..`. */
function* dotted(chosen: ReadonlySet<string>): Iterable<[string, string]> {
  yield* dots
  if (chosen.has('RightPeriod')) yield ['．.', '‛．．']
  if (chosen.has('LeftPeriod')) yield ['.．', '．‛．']
}

function reversed(map: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...map].map(([key, value]) => [value, key]))
}

/** What the first character stands for, and where the rest begins. */
function decodedStart(name: string, back: ReadonlyMap<string, string>): [string, number] {
  const plain = back.get(name.charAt(0))
  if (plain !== undefined) return [plain, 1]
  return name.startsWith(QUOTE) && back.has(name.charAt(1)) ? [name.charAt(1), 2] : ['', 0]
}

/** What the last character stands for, and how much comes before it: quotes before it come in pairs, unless it is quoted itself. */
function decodedEnd(name: string, back: ReadonlyMap<string, string>): [string, number] {
  const last = name.slice(-1)
  const plain = back.get(last)
  if (plain === undefined) return ['', name.length]
  const quotes = /‛*$/.exec(name.slice(0, -1))?.[0].length ?? 0
  return quotes % 2 === 1 ? [last, name.length - 2] : [plain, name.length - 1]
}

/** A name of storage where nothing is replaced: only what no path can have is shown in another way. */
function shown(name: string): string {
  if (name === '.' || name === '..') return name.replaceAll('.', '．')
  return name.replaceAll('/', '／').replaceAll('\0', '␀')
}

/**
 * Names of storage as canonical ones and back: those have all characters but `/` and NUL, and are never `.` or `..`. Every
 * canonical name is the name of one in the storage, and the other way round, so quotes are added only where they are needed.
 */
function toCanonical(name: string): string {
  if (/^‛*．．?$/.test(name)) return QUOTE + name
  if (name === '.' || name === '..') return dots.get(name) ?? name
  return name.replaceAll(/‛*[／␀]|[/\0]/g, (unit) => (unit === '/' ? '／' : unit === '\0' ? '␀' : QUOTE + unit))
}

function fromCanonical(name: string): string {
  if (name === '．' || name === '．．') return undotted.get(name) ?? name
  if (/^‛+．．?$/.test(name)) return name.slice(1)
  return name.replaceAll(/‛*[／␀]/g, (unit) => (unit === '／' ? '/' : unit === '␀' ? '\0' : unit.slice(1)))
}
