import { perlClass, posixClass, unicodeClass } from './regex-class.ts'

/** A regular expression as a tree. Greedy and lazy repetition are the same here: only whether there is a match counts. */
export type RegexNode =
  | { readonly kind: 'set'; readonly test: (codePoint: number) => boolean }
  | { readonly kind: 'assert'; readonly what: 'start' | 'end' | 'line-start' | 'line-end' | 'word' | 'not-word' }
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly node: RegexNode; readonly min: number; readonly max: number }

interface Flags {
  fold: boolean
  dotAll: boolean
  lines: boolean
}

const MAX_DEPTH = 500
const MAX_REPEAT = 1000

/**
 * Reads the syntax of RE2, which Go programs use: Perl's without look-around and back references. Throws an Error in Go's
 * words for anything else.
 */
export function parseRegex(source: string): RegexNode {
  return new Parser(source).parse()
}

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0
  #flags: Flags = { fold: false, dotAll: false, lines: false }

  constructor(text: string) {
    this.#text = text
  }

  parse(): RegexNode {
    const node = this.#choice()
    if (this.#at < this.#text.length) throw this.#error('unexpected )', 0, this.#text.length)
    return node
  }

  #choice(): RegexNode {
    const nodes = [this.#sequence()]
    while (this.#take('|')) nodes.push(this.#sequence())
    return nodes.length === 1 ? (nodes[0] as RegexNode) : { kind: 'choice', nodes }
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = []
    let repeated = -1
    while (this.#at < this.#text.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const from = this.#at
      const counts = this.#repetition()
      if (!counts) {
        nodes.push(...this.#atom())
        repeated = -1
        continue
      }
      if (repeated >= 0) throw this.#error('invalid nested repetition operator', repeated)
      const node = nodes.pop()
      if (!node) throw this.#error('missing argument to repetition operator', from)
      nodes.push({ kind: 'repeat', node, min: counts[0], max: counts[1] })
      repeated = from
    }
    return nodes.length === 1 ? (nodes[0] as RegexNode) : { kind: 'sequence', nodes }
  }

  /** `*`, `+`, `?`, `{n,m}`, each with an optional `?` behind it. */
  #repetition(): [min: number, max: number] | undefined {
    const from = this.#at
    const counts = this.#counts()
    if (!counts) return undefined
    if (counts[0] > MAX_REPEAT || (counts[1] !== Infinity && counts[1] > MAX_REPEAT) || counts[0] > counts[1])
      throw this.#error('invalid repeat count', from)
    this.#take('?')
    return counts
  }

  #counts(): [min: number, max: number] | undefined {
    if (this.#take('*')) return [0, Infinity]
    if (this.#take('+')) return [1, Infinity]
    if (this.#take('?')) return [0, 1]
    const [whole, min, comma, max] = this.#match(/\{(0|[1-9]\d*)(,?)(0|[1-9]\d*|)\}/y) ?? []
    if (whole === undefined || (comma === '' && max !== '')) return undefined
    this.#at += whole.length
    return [Number(min), comma === '' ? Number(min) : max === '' ? Infinity : Number(max)]
  }

  #atom(): RegexNode[] {
    if (this.#peek() === '(') return this.#group()
    if (this.#peek() === '\\') return this.#escape()
    if (this.#peek() === '[') return [this.#class()]
    if (this.#take('.')) return [this.#flags.dotAll ? anything : notNewline]
    if (this.#take('^')) return [{ kind: 'assert', what: this.#flags.lines ? 'line-start' : 'start' }]
    if (this.#take('$')) return [{ kind: 'assert', what: this.#flags.lines ? 'line-end' : 'end' }]
    return [this.#literal(this.#next())]
  }

  #group(): RegexNode[] {
    const from = this.#at
    const outer = this.#flags
    const named = this.#match(/\(\?P?<\w+>/y)
    if (named) this.#at += named[0].length
    else if (this.#text.startsWith('(?', from) && this.#changeFlags()) return []
    else if (this.#at === from) this.#at++
    if (++this.#depth > MAX_DEPTH) throw this.#error('expression nests too deeply', 0, this.#text.length)
    this.#flags = { ...this.#flags }
    const node = this.#choice()
    if (!this.#take(')')) throw this.#error('missing closing )', 0, this.#text.length)
    this.#depth--
    this.#flags = outer
    return [node]
  }

  /** `(?i-s)` changes the rest of the group and gives true; `(?i:` begins a group and gives false. */
  #changeFlags(): boolean {
    const from = this.#at
    const [whole, on = '', off = '', end] = this.#match(/\(\?([imsU]*)(-[imsU]+)?([:)])/y) ?? []
    if (whole === undefined) {
      const wrong = this.#match(/\(\?[imsU]*-?[imsU]*./suy)?.[0] ?? '(?'
      throw this.#error('invalid or unsupported Perl syntax', from, from + wrong.length)
    }
    this.#at += whole.length
    const read = (letter: string, before: boolean) => !off.includes(letter) && (before || on.includes(letter))
    const { fold, dotAll, lines } = this.#flags
    const flags = { fold: read('i', fold), dotAll: read('s', dotAll), lines: read('m', lines) }
    this.#flags = flags
    return end === ')'
  }

  #escape(): RegexNode[] {
    const from = this.#at
    switch (this.#text[from + 1]) {
      case 'A':
        this.#at += 2
        return [{ kind: 'assert', what: 'start' }]
      case 'z':
        this.#at += 2
        return [{ kind: 'assert', what: 'end' }]
      case 'b':
      case 'B':
        this.#at += 2
        return [{ kind: 'assert', what: this.#text[from + 1] === 'b' ? 'word' : 'not-word' }]
      case 'Q': {
        const end = this.#text.indexOf('\\E', from + 2)
        const quoted = this.#text.slice(from + 2, end < 0 ? undefined : end)
        this.#at = end < 0 ? this.#text.length : end + 2
        return Array.from(quoted, (c) => this.#literal(c.codePointAt(0) ?? 0))
      }
    }
    const named = this.#namedClass()
    return [named === undefined ? this.#literal(this.#escapedChar()) : this.#set(`[${named}]`)]
  }

  /** `\d`, `\pL`, `\p{Greek}` as the inside of a class, or undefined when something else stands here. */
  #namedClass(): string | undefined {
    const perl = this.#match(/\\[dDsSwW]/y)?.[0]
    if (perl !== undefined) {
      this.#at += perl.length
      return perlClass(perl.charAt(1))
    }
    const unicode = this.#match(/\\([pP])(?:\{(\^?)(\w+)\}|(\w))/y)
    if (!unicode) return undefined
    const [whole, letter, hat, long, short = ''] = unicode
    const found = unicodeClass(long ?? short, (letter === 'P') !== (hat === '^'))
    if (found === undefined) throw this.#error('invalid character class range', this.#at, this.#at + whole.length)
    this.#at += whole.length
    return found
  }

  /** The code point that an escape such as `\n`, `\x41`, `\.` stands for. */
  #escapedChar(): number {
    const from = this.#at
    if (from + 1 >= this.#text.length)
      throw new Error('error parsing regexp: trailing backslash at end of expression: ``')
    const [whole = '', octal, short, long, simple, mark] =
      this.#match(
        /\\(?:(0[0-7]{0,2}|[1-7][0-7]{1,2})|x(?:([\da-fA-F]{2})|\{([\da-fA-F]+)\})|([afnrtv])|([^\w\P{ASCII}]|_))/uy,
      ) ?? []
    const digits = short ?? long
    const code =
      octal !== undefined
        ? Number.parseInt(octal, 8)
        : digits !== undefined
          ? Number.parseInt(digits, 16)
          : (controls[simple ?? ''] ?? mark?.codePointAt(0) ?? Infinity)
    if (code > 0x10ffff) throw this.#error('invalid escape sequence', from, from + 2)
    this.#at += whole.length
    return code
  }

  #class(): RegexNode {
    const from = this.#at++
    let inside = this.#take('^') ? '^' : ''
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#at >= this.#text.length) throw this.#error('missing closing ]', from, this.#text.length)
      inside += this.#posix() ?? this.#namedClass() ?? this.#range(from)
    }
    this.#at++
    return this.#set(`[${inside}]`)
  }

  #posix(): string | undefined {
    const name = this.#match(/\[:(.*?):\]/suy)
    if (!name) return undefined
    const found = posixClass(name[1] ?? '')
    if (found === undefined) throw this.#error('invalid character class range', this.#at, this.#at + name[0].length)
    this.#at += name[0].length
    return found
  }

  #range(classStart: number): string {
    const from = this.#at
    const low = this.#classChar(classStart)
    if (!this.#match(/-[^\]]/suy)) return hex(low)
    this.#at++
    const high = this.#classChar(classStart)
    if (high < low) throw this.#error('invalid character class range', from)
    return `${hex(low)}-${hex(high)}`
  }

  #classChar(classStart: number): number {
    if (this.#at >= this.#text.length) throw this.#error('missing closing ]', classStart, this.#text.length)
    return this.#peek() === '\\' ? this.#escapedChar() : this.#next()
  }

  #literal(code: number): RegexNode {
    return this.#flags.fold ? this.#set(`[${hex(code)}]`) : { kind: 'set', test: (c) => c === code }
  }

  #set(source: string): RegexNode {
    const pattern = new RegExp(`^${source}$`, this.#flags.fold ? 'iv' : 'v')
    return { kind: 'set', test: (c) => pattern.test(String.fromCodePoint(c)) }
  }

  #peek(): string | undefined {
    return this.#text[this.#at]
  }

  #take(char: string): boolean {
    const there = this.#peek() === char
    if (there) this.#at++
    return there
  }

  #next(): number {
    const code = this.#text.codePointAt(this.#at) ?? 0
    this.#at += code > 0xffff ? 2 : 1
    return code
  }

  #match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at
    return sticky.exec(this.#text)
  }

  #error(what: string, from: number, to = this.#at): Error {
    return new Error(`error parsing regexp: ${what}: \`${this.#text.slice(from, to)}\``)
  }
}

const anything: RegexNode = { kind: 'set', test: () => true }
const notNewline: RegexNode = { kind: 'set', test: (c) => c !== 10 }
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

const hex = (code: number) => `\\u{${code.toString(16)}}`
