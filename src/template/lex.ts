import { TemplateError } from './node.ts'

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'field'
  | 'dot'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'string'
  | 'character'
  | 'number'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'comma'
  | '('
  | ')'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written, except for strings and character constants, which are decoded. */
  readonly text: string
  readonly line: number
}

const keywords = new Set('block break continue define else end if nil range template true false with'.split(' '))
const white = /[ \t\r\n]/

/** Splits a template into text and the tokens of its actions, with trim markers applied and comments left out. */
export class Lexer {
  readonly #name: string
  readonly #text: string
  readonly #tokens: Token[] = []
  #at = 0
  #line = 1

  constructor(name: string, text: string) {
    this.#name = name
    this.#text = text
  }

  run(): Token[] {
    let trim = false
    for (;;) {
      const open = this.#text.indexOf('{{', this.#at)
      const end = open < 0 ? this.#text.length : open
      let text = this.#text.slice(this.#at, end)
      if (trim) text = text.replace(/^[ \t\r\n]+/, '')
      const trimsBefore = open >= 0 && /^-[ \t\r\n]/.test(this.#text.slice(open + 2, open + 4))
      if (trimsBefore) text = text.replace(/[ \t\r\n]+$/, '')
      // A text that was trimmed at its start begins on the line where its first character stands.
      const skipped = this.#text.slice(this.#at, end).indexOf(text)
      this.#count(this.#at, this.#at + Math.max(0, skipped))
      if (text !== '') this.#emit('text', text)
      this.#count(this.#at + Math.max(0, skipped), end)
      if (open < 0) break
      this.#at = open + 2 + (trimsBefore ? 2 : 0)
      if (trimsBefore) this.#count(open + 2, this.#at)
      trim = this.#text.startsWith('/*', this.#at) ? this.#comment() : this.#action()
    }
    this.#emit('end', '')
    return this.#tokens
  }

  #emit(kind: TokenKind, text: string, line = this.#line): void {
    this.#tokens.push({ kind, text, line })
  }

  #count(from: number, to: number): void {
    for (let i = this.#text.indexOf('\n', from); i >= 0 && i < to; i = this.#text.indexOf('\n', i + 1)) this.#line++
  }

  #fail(message: string, line = this.#line): never {
    throw new TemplateError({ name: this.#name, line }, message)
  }

  /** Skips a comment; true when it ends with a trim marker. */
  #comment(): boolean {
    const close = this.#text.indexOf('*/', this.#at)
    if (close < 0) this.#fail('unclosed comment')
    const end = /^(?:[ \t\r\n](-))?\}\}/.exec(this.#text.slice(close + 2, close + 6))
    if (!end) this.#fail('comment ends before closing delimiter')
    const after = close + 2 + end[0].length
    this.#count(this.#at, after)
    this.#at = after
    return end[1] !== undefined
  }

  /** Reads the tokens of one action; true when it ends with a trim marker. */
  #action(): boolean {
    const started = this.#line
    this.#emit('open', '{{')
    let depth = 0
    for (;;) {
      const close = /^(?:[ \t\r\n]-)?\}\}/.exec(this.#text.slice(this.#at, this.#at + 4))
      if (close) {
        if (depth > 0) this.#fail('unclosed left paren')
        this.#count(this.#at, this.#at + close[0].length)
        this.#at += close[0].length
        this.#emit('close', '}}')
        return close[0].length > 2
      }
      if (this.#at >= this.#text.length) this.#fail('unclosed action', started)
      const kind = this.#token()
      if (kind === '(') depth++
      if (kind === ')' && --depth < 0) this.#fail('unexpected right paren')
    }
  }

  #token(): TokenKind {
    const c = this.#text[this.#at] as string
    if (white.test(c)) return this.#spaces()
    if (c === '"' || c === '`' || c === "'") return this.#quoted(c)
    const next = this.#text[this.#at + 1] ?? ''
    if (/[0-9+-]/.test(c) || (c === '.' && /[0-9]/.test(next))) return this.#number()
    if (c === '.' || c === '$' || /[\p{L}_]/u.test(this.#rune())) return this.#word(c)
    const simple: Readonly<Record<string, TokenKind>> = { '=': 'assign', '|': 'pipe', ',': 'comma', '(': '(', ')': ')' }
    if (c === ':' && next === '=') return this.#take('declare', 2)
    const kind = simple[c]
    if (kind) return this.#take(kind, 1)
    return this.#fail(`unexpected ${JSON.stringify(this.#rune())} in an action`)
  }

  #rune(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
  }

  #take(kind: TokenKind, length: number): TokenKind {
    this.#emit(kind, this.#text.slice(this.#at, this.#at + length))
    this.#at += length
    return kind
  }

  #spaces(): TokenKind {
    let end = this.#at
    // A blank that belongs to a closing trim marker is left for it.
    while (white.test(this.#text[end] ?? '') && !this.#text.startsWith('-}}', end + 1)) end++
    if (end === this.#at) return this.#fail('unexpected trim marker')
    this.#emit('space', ' ')
    this.#count(this.#at, end)
    this.#at = end
    return 'space'
  }

  #word(first: string): TokenKind {
    const match = /^[.$]?[\p{L}\p{Nd}_]*/u.exec(this.#text.slice(this.#at))
    const word = match?.[0] ?? ''
    const kind: TokenKind =
      first === '.'
        ? word === '.'
          ? 'dot'
          : 'field'
        : first === '$'
          ? 'variable'
          : keywords.has(word)
            ? 'keyword'
            : 'identifier'
    this.#take(kind, word.length)
    const after = this.#text[this.#at] ?? ''
    if (after !== '' && !white.test(after) && !/[.,|:()=]/.test(after) && !this.#text.startsWith('}}', this.#at))
      this.#fail(`bad character ${JSON.stringify(this.#rune())} after ${word}`)
    return kind
  }

  #number(): TokenKind {
    const text = this.#text.slice(this.#at)
    const match =
      /^[+-]?(?:0[xX][\da-fA-F_]+(?:\.[\da-fA-F_]*)?(?:[pP][+-]?\d+)?|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/.exec(
        text,
      )
    const digits = match?.[0] ?? ''
    if (digits === '' || /^[\p{L}\p{Nd}_]/u.test(text.slice(digits.length)))
      return this.#fail(`bad number syntax: ${JSON.stringify(/^\S{1,20}/.exec(text)?.[0] ?? '')}`)
    return this.#take('number', digits.length)
  }

  #quoted(quote: string): TokenKind {
    const line = this.#line
    const kind = quote === "'" ? 'character' : 'string'
    let end = this.#at + 1
    while (this.#text[end] !== quote) {
      const c = this.#text[end]
      if (c === undefined || (c === '\n' && quote !== '`')) this.#fail(`unterminated ${kind}`, line)
      end += c === '\\' && quote !== '`' ? 2 : 1
    }
    const written = this.#text.slice(this.#at, end + 1)
    this.#emit(
      kind,
      quote === '`' ? written.slice(1, -1).replaceAll('\r', '') : this.#unquote(written.slice(1, -1), quote),
    )
    this.#count(this.#at, end)
    this.#at = end + 1
    return kind
  }

  /** Decodes the escapes of a Go string. `\xNN` and octal bytes beyond ASCII are joined as UTF-8. */
  #unquote(body: string, quote: string): string {
    const simple: Readonly<Record<string, string>> = {
      a: '\x07',
      b: '\b',
      f: '\f',
      n: '\n',
      r: '\r',
      t: '\t',
      v: '\v',
      '\\': '\\',
      [quote]: quote,
    }
    const parts: Buffer[] = []
    const pattern = /\\(?:x([\da-fA-F]{2})|([0-7]{3})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))|[^\\]+/g
    let used = 0
    for (const match of body.matchAll(pattern)) {
      const [all, hex, octal, short, long, letter] = match
      used += all.length
      const byte = hex ?? octal
      const point = short ?? long
      if (byte !== undefined) parts.push(Buffer.from([Number.parseInt(byte, hex ? 16 : 8) & 0xff]))
      else if (point !== undefined && Number.parseInt(point, 16) <= 0x10ffff)
        parts.push(Buffer.from(String.fromCodePoint(Number.parseInt(point, 16))))
      else if (letter === undefined) parts.push(Buffer.from(all))
      else parts.push(Buffer.from(simple[letter] ?? this.#fail(`unknown escape sequence \\${letter}`)))
    }
    if (used !== body.length) this.#fail('malformed string constant')
    return Buffer.concat(parts).toString()
  }
}
