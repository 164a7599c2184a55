import { Lexer } from './lex.ts'
import type { Token, TokenKind } from './lex.ts'
import { TemplateError } from './node.ts'
import type { Command, Operand, Pipe, TemplateNode } from './node.ts'

/** The templates of one text by name; the text itself has the name it was parsed with. */
export type Templates = ReadonlyMap<string, readonly TemplateNode[]>

/**
 * Parses the template language of Go's text/template. Unknown functions, undeclared variables and every mistake of grammar
 * throw a TemplateError with the line.
 */
export function parse(name: string, text: string, functions: ReadonlySet<string>): Templates {
  return new Parser(name, new Lexer(name, text).run(), functions).run()
}

interface Block {
  readonly nodes: readonly TemplateNode[]
  /** What ended it: `{{end}}`, `{{else ...}}` (its further words are still to be read) or the end of the text. */
  readonly end: 'end' | 'else' | 'eof'
}

class Parser {
  readonly #name: string
  readonly #tokens: readonly Token[]
  readonly #functions: ReadonlySet<string>
  readonly #templates = new Map<string, readonly TemplateNode[]>()
  #at = 0
  #variables: string[] = ['$']
  #loops = 0

  constructor(name: string, tokens: readonly Token[], functions: ReadonlySet<string>) {
    this.#name = name
    this.#tokens = tokens
    this.#functions = functions
  }

  run(): Templates {
    const { nodes, end } = this.#block(true)
    if (end !== 'eof') this.#fail(`unexpected {{${end}}}`)
    this.#define(this.#name, nodes)
    return this.#templates
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token
  }

  #next(): Token {
    return this.#tokens[this.#at++] as Token
  }

  /** The next token that is not a blank. */
  #word(): Token {
    while (this.#peek().kind === 'space') this.#at++
    return this.#next()
  }

  #peekWord(): Token {
    let at = this.#at
    while (this.#tokens[at]?.kind === 'space') at++
    return this.#tokens[at] as Token
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#word()
    return token.kind === kind ? token : this.#unexpected(token, context)
  }

  #unexpected(token: Token, context: string): never {
    const what = token.kind === 'close' ? '}}' : token.kind === 'end' ? 'EOF' : token.text
    return this.#fail(`unexpected ${JSON.stringify(what)} in ${context}`, token.line)
  }

  #fail(message: string, line = this.#tokens[Math.max(0, this.#at - 1)]?.line ?? 1): never {
    throw new TemplateError({ name: this.#name, line }, message)
  }

  /** Adds a template. A blank one never replaces one with content; two with content are a mistake. */
  #define(name: string, nodes: readonly TemplateNode[]): void {
    const isBlank = (list: readonly TemplateNode[] | undefined) =>
      list?.every((n) => n.kind === 'text' && n.text.trim() === '') ?? true
    const present = this.#templates.get(name)
    if (isBlank(nodes) && present) return
    if (!isBlank(present)) this.#fail(`multiple definition of template ${JSON.stringify(name)}`)
    this.#templates.set(name, nodes)
  }

  /** Nodes up to `{{end}}`, `{{else` or the end of the text. */
  #block(top = false): Block {
    const nodes: TemplateNode[] = []
    for (;;) {
      const token = this.#next()
      if (token.kind === 'end') return top ? { nodes, end: 'eof' } : this.#fail('unexpected EOF: an {{end}} is missing')
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text, line: token.line })
        continue
      }
      const word = this.#peekWord()
      if (word.kind === 'keyword' && (word.text === 'end' || word.text === 'else')) {
        this.#word()
        if (word.text === 'end') this.#expect('close', 'end')
        return { nodes, end: word.text }
      }
      if (word.kind === 'keyword' && word.text === 'define') {
        if (!top) this.#unexpected(word, 'a block')
        this.#word()
        this.#definition()
        continue
      }
      nodes.push(this.#action(word))
    }
  }

  #action(word: Token): TemplateNode {
    if (word.kind === 'keyword')
      switch (word.text) {
        case 'if':
        case 'with':
        case 'range':
          this.#word()
          return this.#branch(word.text, word.line)
        case 'template':
          this.#word()
          return this.#call(word.line)
        case 'block':
          this.#word()
          return this.#blockDefinition(word.line)
        case 'break':
        case 'continue':
          this.#word()
          if (this.#loops === 0) this.#fail(`{{${word.text}}} outside {{range}}`)
          this.#expect('close', word.text)
          return { kind: word.text, line: word.line }
      }
    return { kind: 'action', line: word.line, pipe: this.#pipe('command', 'close') }
  }

  #branch(kind: 'if' | 'with' | 'range', line: number): TemplateNode {
    const scope = this.#variables.length
    const pipe = this.#pipe(kind, 'close')
    if (kind === 'range') this.#loops++
    const body = this.#block()
    let otherwise: readonly TemplateNode[] | undefined
    if (body.end === 'else') {
      // {{else if x}} is an {{if x}} in the else part that shares its {{end}}.
      const word = this.#peekWord()
      const chained = word.kind === 'keyword' && kind !== 'range' && word.text === kind
      if (chained) {
        this.#word()
        otherwise = [this.#branch(kind, word.line)]
      } else {
        this.#expect('close', 'else')
        const rest = this.#block()
        if (rest.end !== 'end') this.#fail(`expected end; found {{${rest.end}}}`)
        otherwise = rest.nodes
      }
    }
    if (kind === 'range') this.#loops--
    this.#variables.length = scope
    return { kind, line, pipe, list: body.nodes, otherwise }
  }

  #templateName(context: string): string {
    const token = this.#word()
    return token.kind === 'string' ? token.text : this.#unexpected(token, context)
  }

  #call(line: number): TemplateNode {
    const name = this.#templateName('template clause')
    if (this.#peekWord().kind === 'close') {
      this.#word()
      return { kind: 'template', line, name, pipe: undefined }
    }
    return { kind: 'template', line, name, pipe: this.#pipe('template clause', 'close') }
  }

  #definition(): void {
    const name = this.#templateName('define clause')
    this.#expect('close', 'define clause')
    this.#define(name, this.#separate('define'))
  }

  #blockDefinition(line: number): TemplateNode {
    const name = this.#templateName('block clause')
    const pipe = this.#pipe('block clause', 'close')
    this.#define(name, this.#separate('block'))
    return { kind: 'template', line, name, pipe }
  }

  /** The body of a template within the text: it sees no variables and no loops of its surroundings. */
  #separate(context: string): readonly TemplateNode[] {
    const [variables, loops] = [this.#variables, this.#loops]
    this.#variables = ['$']
    this.#loops = 0
    const { nodes, end } = this.#block()
    if (end !== 'end') this.#fail(`unexpected {{${end}}} in ${context} clause`)
    this.#variables = variables
    this.#loops = loops
    return nodes
  }

  #pipe(context: string, end: 'close' | ')'): Pipe {
    const line = this.#peekWord().line
    const { variables, assigns } = this.#declarations(context)
    const commands: Command[] = []
    for (;;) {
      const token = this.#peekWord()
      if (token.kind === end) {
        this.#word()
        break
      }
      if (token.kind === 'close' || token.kind === 'end') this.#unexpected(token, context)
      commands.push(this.#command(context, end))
    }
    if (commands.length === 0) this.#fail(`missing value for ${context}`)
    for (const [i, command] of commands.entries()) {
      const first = command.operands[0]?.kind
      if (i > 0 && (first === 'literal' || first === 'dot' || first === 'nil'))
        this.#fail(`non executable command in pipeline stage ${i + 1}`, command.line)
    }
    // The variables can be used from here on, not in their own pipeline.
    if (!assigns) this.#variables.push(...variables)
    return { line, variables, assigns, commands }
  }

  #declarations(context: string): { variables: string[]; assigns: boolean } {
    const start = this.#at
    const variables: string[] = []
    for (;;) {
      const token = this.#word()
      if (token.kind !== 'variable') break
      variables.push(token.text)
      const after = this.#word()
      if (after.kind === 'comma' && context === 'range' && variables.length === 1) continue
      if (after.kind !== 'assign' && after.kind !== 'declare') break
      if (after.kind === 'assign') for (const name of variables) this.#declared(name)
      return { variables, assigns: after.kind === 'assign' }
    }
    this.#at = start
    return { variables: [], assigns: false }
  }

  #declared(name: string): void {
    if (!this.#variables.includes(name)) this.#fail(`undefined variable ${JSON.stringify(name)}`)
  }

  #command(context: string, end: TokenKind): Command {
    const line = this.#peekWord().line
    const operands: Operand[] = []
    for (;;) {
      while (this.#peek().kind === 'space') this.#at++
      const token = this.#peek()
      if (token.kind === end) break
      if (token.kind === 'pipe') {
        this.#at++
        const after = this.#peekWord()
        if (after.kind === end || after.kind === 'pipe' || operands.length === 0)
          this.#fail(`missing value for ${context}`)
        break
      }
      operands.push(this.#operand(context))
      const next = this.#peek().kind
      if (next !== 'space' && next !== 'pipe' && next !== end) this.#unexpected(this.#peek(), 'operand')
    }
    if (operands.length === 0) this.#fail(`empty command in ${context}`)
    if (operands[0]?.kind === 'nil') this.#fail('nil is not a command')
    return { line, operands }
  }

  /** A term and the fields that follow it without a blank. */
  #operand(context: string): Operand {
    const term = this.#term(context)
    const names: string[] = []
    while (this.#peek().kind === 'field') names.push(this.#next().text.slice(1))
    if (names.length === 0) return term
    if (term.kind === 'field') return { kind: 'field', names: [...term.names, ...names] }
    if (term.kind === 'variable') return { ...term, names: [...term.names, ...names] }
    if (term.kind === 'literal' || term.kind === 'nil' || term.kind === 'dot')
      return this.#fail(`unexpected . after term ${JSON.stringify(term.kind === 'literal' ? term.text : term.kind)}`)
    return { kind: 'chain', of: term, names }
  }

  #term(context: string): Operand {
    const token = this.#next()
    switch (token.kind) {
      case 'identifier':
        if (!this.#functions.has(token.text))
          this.#fail(`function ${JSON.stringify(token.text)} not defined`, token.line)
        return { kind: 'function', name: token.text }
      case 'dot':
        return { kind: 'dot' }
      case 'field':
        return { kind: 'field', names: [token.text.slice(1)] }
      case 'variable':
        this.#declared(token.text)
        return { kind: 'variable', name: token.text, names: [] }
      case 'string':
        return { kind: 'literal', value: token.text, text: JSON.stringify(token.text) }
      case 'character':
        return { kind: 'literal', value: this.#character(token), text: `'${token.text}'` }
      case 'number':
        return { kind: 'literal', value: this.#number(token), text: token.text }
      case '(':
        return { kind: 'pipe', pipe: this.#pipe('parenthesized pipeline', ')') }
      case 'keyword':
        if (token.text === 'nil') return { kind: 'nil' }
        if (token.text === 'true' || token.text === 'false')
          return { kind: 'literal', value: token.text === 'true', text: token.text }
    }
    return this.#unexpected(token, context)
  }

  #character(token: Token): bigint {
    const [first, ...more] = token.text
    if (first === undefined || more.length > 0) this.#fail(`malformed character constant: '${token.text}'`, token.line)
    return BigInt(first.codePointAt(0) as number)
  }

  /** Integers are bigints, numbers with a point or an exponent are floats. */
  #number(token: Token): bigint | number {
    const text = token.text.replaceAll('_', '')
    const sign = text.startsWith('-') ? -1n : 1n
    const digits = text.replace(/^[+-]/, '')
    if (/^0[xX]/.test(digits) ? /[.pP]/.test(digits) : /[.eE]/.test(digits)) return Number(sign) * float(digits)
    const octal = /^0[0-7]+$/.test(digits)
    if (/^0\d/.test(digits) && !octal) this.#fail(`bad number syntax: ${JSON.stringify(token.text)}`, token.line)
    const value = sign * BigInt(octal ? `0o${digits.slice(1)}` : digits)
    if (value !== BigInt.asIntN(64, value)) this.#fail(`integer overflow: ${JSON.stringify(token.text)}`, token.line)
    return value
  }
}

function float(digits: string): number {
  const hex = /^0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)(?:[pP]([+-]?\d+))?$/.exec(digits)
  if (!hex) return Number(digits)
  const [, whole = '', fraction = '', exponent = '0'] = hex
  return Number.parseInt(`0${whole}${fraction}`, 16) * 2 ** (Number(exponent) - 4 * fraction.length)
}
