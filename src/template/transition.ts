import { attributeKind, contentState, isScriptType, valueState } from './context.ts'
import type { Context, Element, State } from './context.ts'

/** The context after the first `length` characters of the text; the rest is still to be looked at. */
interface Step {
  readonly context: Context
  readonly length: number
}

type Transition = (c: Context, text: string) => Step

/** Reads a piece of literal text from a context on, at least one character of it. Throws an Error for what cannot be understood. */
export function step(c: Context, text: string): Step {
  if (c.delimiter !== 'none') return inAttribute(c, text)
  // The content of <script>, <style>, <title> and <textarea> ends at their end tag, whatever state it is in.
  const end = c.element !== 'none' && contentStates.has(c.state) ? endTagOf(c.element, text) : -1
  if (end === 0) return toTag(c, text)
  return transitions[c.state](c, end < 0 ? text : text.slice(0, end))
}

const contentStates: ReadonlySet<State> = new Set([
  'rcdata',
  'js',
  'js-double',
  'js-single',
  'js-template',
  'js-regexp',
  'js-block-comment',
  'js-line-comment',
  'css',
  'css-double',
  'css-single',
  'css-double-url',
  'css-single-url',
  'css-url',
  'css-block-comment',
  'css-line-comment',
])

function endTagOf(element: Element, text: string): number {
  return text.search(new RegExp(`</${element}(?:[ \\t\\n\\f/>]|$)`, 'i'))
}

function toTag(c: Context, text: string): Step {
  const name = /^<\/[a-z0-9]+/i.exec(text)?.[0] ?? ''
  return { context: { ...c, state: 'tag', element: 'none', slash: 'regexp', urlPart: 'start' }, length: name.length }
}

function all(context: Context, text: string): Step {
  return { context, length: text.length }
}

const tagStart = /<(\/?)([a-z][a-z0-9:-]*)|<!--/i

const inText: Transition = (c, text) => {
  const found = tagStart.exec(text)
  if (!found) return all(c, text)
  const length = found.index + found[0].length
  if (found[0] === '<!--') return { context: { ...c, state: 'html-comment' }, length }
  const name = (found[2] ?? '').toLowerCase()
  const special = name === 'script' || name === 'style' || name === 'textarea' || name === 'title'
  return { context: { ...c, state: 'tag', element: special && found[1] === '' ? name : 'none' }, length }
}

const inTag: Transition = (c, text) => {
  const blank = /^[ \t\n\f\r]*/.exec(text)?.[0].length ?? 0
  if (blank === text.length) return all(c, text)
  if (text[blank] === '>')
    return { context: { ...c, state: contentState[c.element], attribute: 'plain' }, length: blank + 1 }
  const name = /^[^ \t\n\f\r=>'"<]+/.exec(text.slice(blank))?.[0]
  if (name === undefined)
    throw new Error(
      `expected space, attr name, or end of tag, but got ${JSON.stringify(text.slice(blank, blank + 20))}`,
    )
  const length = blank + name.length
  if (/['"<]/.test(text[length] ?? ''))
    throw new Error(`${JSON.stringify(text[length])} in attribute name: ${JSON.stringify(name)}`)
  const attribute = attributeKind(name.toLowerCase(), c.element)
  return { context: { ...c, state: length === text.length ? 'attribute-name' : 'after-name', attribute }, length }
}

const inAttributeName: Transition = (c, text) => {
  const name = /^[^ \t\n\f\r=>'"<]*/.exec(text)?.[0] ?? ''
  if (/['"<]/.test(text[name.length] ?? '')) throw new Error(`${JSON.stringify(text[name.length])} in attribute name`)
  if (name.length === text.length) return all(c, text)
  return { context: { ...c, state: 'after-name' }, length: name.length }
}

const afterName: Transition = (c, text) => {
  const blank = /^[ \t\n\f\r]*/.exec(text)?.[0].length ?? 0
  if (blank === text.length) return all(c, text)
  if (text[blank] !== '=') return { context: { ...c, state: 'tag', attribute: 'plain' }, length: blank }
  return { context: { ...c, state: 'before-value' }, length: blank + 1 }
}

const beforeValue: Transition = (c, text) => {
  const blank = /^[ \t\n\f\r]*/.exec(text)?.[0].length ?? 0
  if (blank === text.length) return all(c, text)
  const quote = text[blank]
  const delimiter = quote === '"' ? 'double' : quote === "'" ? 'single' : 'blank'
  const context: Context = { ...c, state: valueState[c.attribute], delimiter }
  return { context, length: blank + (delimiter === 'blank' ? 0 : 1) }
}

/** Inside an attribute value: what counts is its text without character references; the delimiter ends it. */
function inAttribute(c: Context, text: string): Step {
  const end = text.search(c.delimiter === 'double' ? /"/ : c.delimiter === 'single' ? /'/ : /[ \t\n\f\r>]/)
  const value = end < 0 ? text : text.slice(0, end)
  if (c.delimiter === 'blank' && /["'<=`]/.test(value)) throw new Error(`${JSON.stringify(value)} in unquoted attr`)
  let inside: Context = { ...c, delimiter: 'none', element: 'none' }
  let rest = decodeReferences(value)
  while (rest !== '') {
    const next = transitions[inside.state](inside, rest)
    inside = next.context
    rest = rest.slice(next.length)
  }
  if (end < 0) return all({ ...inside, delimiter: c.delimiter, element: c.element }, text)
  let element = c.element
  if (c.attribute === 'script-type' && !isScriptType(value)) element = 'none'
  const after: Context = {
    state: 'tag',
    delimiter: 'none',
    urlPart: 'start',
    slash: 'regexp',
    attribute: 'plain',
    element,
  }
  return { context: after, length: c.delimiter === 'blank' ? end : end + 1 }
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  colon: ':',
  sol: '/',
}

/** Decodes the references that can change what a script, a style or a URL means. */
function decodeReferences(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#x([\da-f]+)|#(\d+)|([a-z]+));?/gi,
    (reference, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? reference
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd'
    },
  )
}

function until(mark: string, state: State): Transition {
  return (c, text) => {
    const end = text.indexOf(mark)
    return end < 0 ? all(c, text) : { context: { ...c, state }, length: end + mark.length }
  }
}

const inUrl: Transition = (c, text) => {
  if (/[#?]/.test(text)) return all({ ...c, urlPart: 'query' }, text)
  return all(c.urlPart === 'start' && text.trim() !== '' ? { ...c, urlPart: 'path' } : c, text)
}

const inScript: Transition = (c, text) => {
  const found = /["'`/]|<!--|-->|^#!/.exec(text)
  if (!found) return all({ ...c, slash: slashAfter(text, c.slash) }, text)
  const at = found.index
  const slash = slashAfter(text.slice(0, at), c.slash)
  const to = (state: State, length: number, next = slash): Step => ({
    context: { ...c, state, slash: next },
    length: at + length,
  })
  switch (found[0]) {
    case '"':
      return to('js-double', 1, 'regexp')
    case "'":
      return to('js-single', 1, 'regexp')
    case '`':
      return to('js-template', 1, 'regexp')
    case '/':
      if (text[at + 1] === '/') return to('js-line-comment', 2)
      if (text[at + 1] === '*') return to('js-block-comment', 2)
      if (slash === 'regexp') return to('js-regexp', 1)
      if (slash === 'division') return to('js', 1, 'regexp')
      throw new Error(`'/' could start a division or regexp: ${JSON.stringify(text.slice(at, at + 32))}`)
    default:
      return to('js-line-comment', found[0].length)
  }
}

const beforeRegexp =
  /(?:^|[^\w$])(?:break|case|continue|delete|do|else|finally|in|instanceof|return|throw|try|typeof|void)$/

/** What a slash means behind a piece of script: after a value it divides, after an operator or a keyword it begins a pattern. */
function slashAfter(text: string, before: Context['slash']): Context['slash'] {
  const code = text.replace(/[ \t\n\f\r\u2028\u2029]+$/, '')
  const last = code.at(-1)
  if (last === undefined) return before
  if (last === '+' || last === '-') return (/[+-]+$/.exec(code)?.[0].length ?? 1) % 2 === 1 ? 'regexp' : 'division'
  if (last === '.') return /\d\.$/.test(code) ? 'division' : 'regexp'
  if (',<>=*%&|^?!~([:;{}'.includes(last)) return 'regexp'
  return beforeRegexp.test(code) ? 'regexp' : 'division'
}

function scriptString(quote: string): Transition {
  return (c, text) => {
    const found = new RegExp(`^(?:[^\\\\${quote}]|\\\\[^])*`).exec(text)?.[0] ?? ''
    const next = text[found.length]
    if (next === undefined) return all(c, text)
    if (next === '\\') throw new Error(`unfinished escape sequence in JS string: ${JSON.stringify(text)}`)
    return { context: { ...c, state: 'js', slash: 'division' }, length: found.length + 1 }
  }
}

const inRegexp: Transition = (c, text) => {
  const found = /^(?:[^\\/[]|\\[^]|\[(?:[^\\\]]|\\[^])*\])*/.exec(text)?.[0] ?? ''
  const next = text[found.length]
  if (next === undefined) return all(c, text)
  if (next !== '/')
    throw new Error(
      `unfinished ${next === '[' ? 'JS regexp charset' : 'escape sequence in JS regexp'}: ${JSON.stringify(text)}`,
    )
  return { context: { ...c, state: 'js', slash: 'division' }, length: found.length + 1 }
}

const inLineComment: (state: State) => Transition = (state) => (c, text) => {
  const end = text.search(/[\n\r\u2028\u2029]/)
  return end < 0 ? all(c, text) : { context: { ...c, state }, length: end }
}

const inStyle: Transition = (c, text) => {
  const found = /url\([ \t\n\f\r]*["']?|["']|\/\/|\/\*/i.exec(text)
  if (!found) return all(c, text)
  const [mark] = found
  const length = found.index + mark.length
  const url = mark.length > 2
  const state: State = mark.endsWith('"')
    ? url
      ? 'css-double-url'
      : 'css-double'
    : mark.endsWith("'")
      ? url
        ? 'css-single-url'
        : 'css-single'
      : url
        ? 'css-url'
        : mark === '/*'
          ? 'css-block-comment'
          : 'css-line-comment'
  return { context: { ...c, state, urlPart: 'start' }, length }
}

/** A string or a URL in a style: it may become a URL, so its text also moves the part of the URL. */
function styleString(end: RegExp): Transition {
  return (c, text) => {
    const found = end.exec(text)
    if (text[found?.index ?? -1] === '\\' && (found?.index ?? 0) + 1 >= text.length)
      throw new Error(`unfinished escape sequence in CSS string: ${JSON.stringify(text)}`)
    if (!found) return inUrl(c, text)
    const length = found.index + found[0].length
    if (found[0].startsWith('\\')) return { context: inUrl(c, text.slice(0, length)).context, length }
    return { context: { ...c, state: 'css', urlPart: 'start' }, length }
  }
}

const transitions: Readonly<Record<State, Transition>> = {
  text: inText,
  tag: inTag,
  'attribute-name': inAttributeName,
  'after-name': afterName,
  'before-value': beforeValue,
  'html-comment': until('-->', 'text'),
  rcdata: all,
  attribute: all,
  url: inUrl,
  srcset: inUrl,
  js: inScript,
  'js-double': scriptString('"'),
  'js-single': scriptString("'"),
  'js-template': scriptString('`'),
  'js-regexp': inRegexp,
  'js-block-comment': until('*/', 'js'),
  'js-line-comment': inLineComment('js'),
  css: inStyle,
  'css-double': styleString(/"|\\[^]?/),
  'css-single': styleString(/'|\\[^]?/),
  'css-double-url': styleString(/"|\\[^]?/),
  'css-single-url': styleString(/'|\\[^]?/),
  'css-url': styleString(/[ \t\n\f\r)]|\\[^]?/),
  'css-block-comment': until('*/', 'css'),
  'css-line-comment': inLineComment('css'),
}
