import { isComment, isSame, join, keyOf, settle, start } from './context.ts'
import type { Context } from './context.ts'
import { TemplateError } from './node.ts'
import type { ActionNode, BranchNode, CallNode, TemplateNode } from './node.ts'
import type { Templates } from './parse.ts'
import { step } from './transition.ts'

/**
 * Works out for each action in which place of the page it stands, and puts the right escapers behind it. Templates that are
 * called in several places get a copy for each. Text is cleaned of comments, as they could hide what a browser sees. Throws
 * a TemplateError where the place is not clear, for example when branches end in different places.
 */
export function escapeTemplates(templates: Templates, name: string): Templates {
  const escaper = new Escaper(templates, name)
  const end = escaper.template(name, start, 1)
  if (end.state !== 'text') throw new TemplateError({ name, line: 1 }, `ends in a non-text context: ${describe(end)}`)
  return escaper.escaped
}

interface Result {
  readonly nodes: readonly TemplateNode[]
  /** Undefined when the end is never reached, after `{{break}}`. */
  readonly end: Context | undefined
}

interface Loop {
  readonly leaving: Context[]
}

class Escaper {
  readonly escaped = new Map<string, readonly TemplateNode[]>()
  readonly #templates: Templates
  readonly #name: string
  /** The context in which each copy of a template ends; for one that is being worked on, what is supposed so far. */
  readonly #ends = new Map<string, Context>()
  readonly #loops: Loop[] = []

  constructor(templates: Templates, name: string) {
    this.#templates = templates
    this.#name = name
  }

  #fail(line: number, message: string): never {
    throw new TemplateError({ name: this.#name, line }, message)
  }

  /** Makes the copy of a template for a context; gives the context behind it. */
  template(name: string, c: Context, line: number): Context {
    const copy = copyName(name, c)
    const known = this.#ends.get(copy)
    if (known) return known
    const nodes = this.#templates.get(name)
    if (!nodes) return this.#fail(line, `no such template ${JSON.stringify(name)}`)
    // A template that calls itself most likely ends where it began; if not, where the first try ended.
    let supposed = c
    for (let round = 0; round < 2; round++) {
      this.#ends.set(copy, supposed)
      const result = this.#list(nodes, c)
      this.escaped.set(copy, result.nodes)
      const end = result.end ?? supposed
      if (isSame(end, supposed) || !callsItself(name, this.#templates)) {
        this.#ends.set(copy, end)
        return end
      }
      supposed = end
    }
    return this.#fail(line, `cannot compute output context for template ${name}`)
  }

  #list(nodes: readonly TemplateNode[], c: Context): Result {
    const out: TemplateNode[] = []
    let end: Context | undefined = c
    for (const node of nodes) {
      // What follows a {{break}} never runs; it is looked at all the same, from where the break stood.
      const from: Context = end ?? c
      const made = this.#node(node, from)
      out.push(...made.nodes)
      end = made.end
    }
    return { nodes: out, end }
  }

  #node(node: TemplateNode, c: Context): Result {
    switch (node.kind) {
      case 'text':
        return this.#text(node.text, node.line, c)
      case 'action':
        return this.#action(node, c)
      case 'template':
        return this.#call(node, c)
      case 'break':
      case 'continue':
        this.#loops.at(-1)?.leaving.push(c)
        return { nodes: [node], end: undefined }
      default:
        return this.#branch(node, c)
    }
  }

  #call(node: CallNode, c: Context): Result {
    const end = this.template(node.name, c, node.line)
    return { nodes: [{ ...node, name: copyName(node.name, c) }], end }
  }

  #branch(node: BranchNode, c: Context): Result {
    const loop: Loop = { leaving: [] }
    if (node.kind === 'range') this.#loops.push(loop)
    const body = this.#list(node.list, c)
    if (node.kind === 'range') {
      this.#loops.pop()
      // The body may run again from where it ended.
      for (const end of [body.end, ...loop.leaving]) {
        if (end === undefined) continue
        const again = this.#join(node, c, end, 'on range loop re-entry')
        this.#list(node.list, again)
      }
    }
    const otherwise = node.otherwise ? this.#list(node.otherwise, c) : { nodes: undefined, end: c }
    let end: Context | undefined
    for (const one of [body.end, otherwise.end, ...loop.leaving]) {
      if (one === undefined) continue
      end = end === undefined ? one : this.#join(node, end, one, `{{${node.kind}}} branches`)
    }
    return { nodes: [{ ...node, list: body.nodes, otherwise: otherwise.nodes }], end }
  }

  #join(node: BranchNode, a: Context, b: Context, where: string): Context {
    return join(a, b) ?? this.#fail(node.line, `${where} end in different contexts: ${describe(a)}, ${describe(b)}`)
  }

  #text(text: string, line: number, c: Context): Result {
    let context = c
    let rest = text
    let out = ''
    while (rest !== '') {
      let next: ReturnType<typeof step>
      try {
        next = step(context, rest)
      } catch (error) {
        return this.#fail(
          line + newlines(text.slice(0, -rest.length)),
          error instanceof Error ? error.message : String(error),
        )
      }
      // A step that moves nowhere only changes the state; it never does so twice in a row.
      out += clean(context, next.context, rest.slice(0, next.length))
      rest = rest.slice(next.length)
      context = next.context
    }
    return { nodes: out === '' ? [] : [{ kind: 'text', text: out, line }], end: context }
  }

  #action(node: ActionNode, c: Context): Result {
    if (node.pipe.variables.length > 0) return { nodes: [node], end: c }
    const place = settle(c)
    const escapers = this.#escapersFor(place, node.line)
    return { nodes: [{ ...node, escapers: this.#withoutOwn(node, escapers, place) }], end: behind(place) }
  }

  #escapersFor(c: Context, line: number): string[] {
    const names = this.#stateEscapers(c, line)
    if (c.delimiter === 'blank') names.push('unquoted')
    else if (c.delimiter !== 'none') names.push('html')
    return names
  }

  #stateEscapers(c: Context, line: number): string[] {
    switch (c.state) {
      case 'text':
      case 'rcdata':
        return ['html']
      case 'attribute':
        return []
      case 'attribute-name':
        return ['attribute-name']
      case 'srcset':
        return ['srcset']
      case 'js':
        return ['js-value']
      case 'js-double':
      case 'js-single':
        return ['js-string']
      case 'js-regexp':
        return ['js-regexp']
      case 'js-template':
        return this.#fail(line, 'an action appears in a JS template literal')
      case 'css':
        return ['css-value']
      case 'url':
      case 'css-url':
      case 'css-double':
      case 'css-single':
      case 'css-double-url':
      case 'css-single-url':
        return this.#urlEscapers(c, line)
      default:
        return ['nothing']
    }
  }

  /** A string in a style is treated as the URL that it may turn out to be. */
  #urlEscapers(c: Context, line: number): string[] {
    const plainString = c.state === 'css-double' || c.state === 'css-single'
    switch (c.urlPart) {
      case 'start':
        return ['url-filter', plainString ? 'css-string' : 'url-normal']
      case 'path':
        return [plainString ? 'css-string' : 'url-normal']
      case 'query':
        return ['url-data']
      default:
        return this.#fail(line, `an action appears in an ambiguous context within a URL: ${describe(c)}`)
    }
  }

  /** A page that escapes by hand, `{{.Name | html}}`, is not escaped twice; anywhere but at the end that cannot be right. */
  #withoutOwn(node: ActionNode, escapers: readonly string[], place: Context): readonly string[] {
    const { commands } = node.pipe
    const own = commands.map((command) => {
      const first = command.operands[0]
      return first?.kind === 'function' && (first.name === 'html' || first.name === 'urlquery') ? first.name : undefined
    })
    // Without quotes around it, text escaped for HTML is not safe.
    const early = own.find(
      (name, i) => name !== undefined && (i < own.length - 1 || (name === 'html' && place.delimiter === 'blank')),
    )
    if (early !== undefined) this.#fail(node.line, `predefined escaper ${JSON.stringify(early)} disallowed in template`)
    const covered = escapers.findIndex((e) =>
      own.at(-1) === 'html' ? e === 'html' : own.at(-1) === 'urlquery' && e.startsWith('url-'),
    )
    return covered < 0 ? escapers : escapers.toSpliced(covered, 1)
  }
}

/** The context behind a value. */
function behind(c: Context): Context {
  if (c.state === 'js') return { ...c, slash: 'division' }
  return c.urlPart === 'start' && usesUrlPart(c) ? { ...c, urlPart: 'path' } : c
}

function usesUrlPart(c: Context): boolean {
  return c.state === 'url' || (c.state.startsWith('css-') && !isComment(c.state))
}

/** Literal text as it is sent: without comments, and with every `<` that begins no tag written out. */
function clean(before: Context, after: Context, text: string): string {
  if (isComment(before.state)) {
    if (before.state === 'html-comment') return ''
    if (before.state === 'css-block-comment') return ' '
    if (before.state === 'js-block-comment') return /[\n\r\u2028\u2029]/.test(text) ? '\n' : ' '
    return ''
  }
  if (isComment(after.state)) return text.slice(0, -markOf(text, after.state))
  if (before.state !== 'text' && before.state !== 'rcdata') return text
  const tag = after.state === before.state ? text.length : Math.max(0, text.lastIndexOf('<'))
  return text.slice(0, tag).replace(/<(?!!doctype)/gi, '&lt;') + text.slice(tag)
}

/** The length of the mark that begins a comment at the end of the text. */
function markOf(text: string, state: string): number {
  if (state === 'html-comment') return 4
  return text.endsWith('<!--') ? 4 : text.endsWith('-->') ? 3 : 2
}

function describe(c: Context): string {
  const parts = [c.delimiter !== 'none' && `${c.delimiter}-quoted`, c.element !== 'none' && `in <${c.element}>`]
  return [c.state, ...parts.filter(Boolean)].join(' ')
}

function newlines(text: string): number {
  return text.split('\n').length - 1
}

function copyName(name: string, c: Context): string {
  return isSame(c, start) ? name : `${name} in ${keyOf(c)}`
}

/** Whether a template can come to call itself. */
function callsItself(name: string, templates: Templates): boolean {
  const seen = new Set<string>()
  const visit = (nodes: readonly TemplateNode[]): boolean =>
    nodes.some((node) => {
      if (node.kind === 'template') {
        if (node.name === name) return true
        if (seen.has(node.name)) return false
        seen.add(node.name)
        return visit(templates.get(node.name) ?? [])
      }
      return 'list' in node && (visit(node.list) || visit(node.otherwise ?? []))
    })
  return visit(templates.get(name) ?? [])
}
