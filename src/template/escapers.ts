import { isHarmlessAttribute } from './context.ts'
import { plain } from './print.ts'
import { Native, isList, isMap } from './value.ts'
import type { Value } from './value.ts'

/** What stands where an unsafe value would have stood. */
const refused = 'ZgotmplZ'

/** Nil prints as nothing, unlike in plain text templates. */
function text(value: Value): string {
  return value === null || value === undefined ? '' : plain(value)
}

const markup: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '+': '&#43;',
  '<': '&lt;',
  '>': '&gt;',
}

function html(value: Value): string {
  const string = text(value)
  return /["&'<>+\0]/.test(string) ? string.replace(/["&'<>+\0]/g, (c) => markup[c] as string) : string
}

/** For values without quotes. An empty one would let the next word become the value. */
function unquoted(value: Value): string {
  const string = text(value)
  if (string === '') return refused
  return string.replace(/[\0\t\n\v\f\r "&'+<=>`]/g, (c) =>
    c === '\0' ? '&#xfffd;' : '&<>'.includes(c) ? (markup[c] as string) : `&#${c.charCodeAt(0)};`,
  )
}

/** Only http, https and mailto may be named as a scheme; anything before a slash is a path. */
function urlFilter(value: Value): string {
  const url = text(value)
  const scheme = /^([^:/]*):/.exec(url)?.[1]
  return scheme === undefined || /^(?:https?|mailto)$/i.test(scheme) ? url : `#${refused}`
}

function percent(bytes: string): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[^]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** Keeps a URL a URL: what may not stand in one is encoded, what is encoded stays so. */
function urlNormalizer(value: Value): string {
  return text(value)
    .toWellFormed()
    .replace(/%(?![\da-fA-F]{2})|[^\w\-.~!#$&*+,/:;=?@[\]%]+/g, percent)
}

/** Makes data of a value in a query: everything with a meaning of its own is encoded. */
function urlEscaper(value: Value): string {
  return text(value)
    .toWellFormed()
    .replace(/[^\w\-.~]+/g, percent)
}

/** Each candidate of an image set: a URL that is filtered, and a size. */
function srcset(value: Value): string {
  return text(value)
    .split(',')
    .map((candidate) => {
      const [, lead = '', url = '', size = ''] = /^([ \t\n\f\r]*)([^ \t\n\f\r]*)([^]*)$/.exec(candidate) ?? []
      const safe = urlFilter(url) === url && /^[ \t\n\f\r\w.]*$/.test(size)
      return safe ? lead + urlNormalizer(url) + size : `#${refused}`
    })
    .join(',')
}

function unicode(c: string): string {
  return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The value as a literal of a script: JSON that can neither end the element nor a comment. */
function scriptValue(value: Value): string {
  const json = JSON.stringify(toJson(value)).replace(/[<>&\u2028\u2029]/g, unicode)
  // A word or a number must not melt into what stands beside it.
  const pad = (c: string | undefined) => (/[\w$]/.test(c ?? '') ? ' ' : '')
  return `${pad(json[0])}${json}${pad(json.at(-1))}`
}

type Plain = null | boolean | string | number | Plain[] | { [key: string]: Plain }

function toJson(value: Value): Plain {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object') return value
  if (value instanceof Native) return value.toJSON()
  if (isList(value)) return value.map(toJson)
  const entries = isMap(value) ? [...value] : Object.entries(value)
  return Object.fromEntries(entries.map(([key, item]) => [key, toJson(item)]))
}

const inString: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '\\': '\\\\',
  '/': '\\/',
}

function scriptString(value: Value): string {
  // oxlint-disable-next-line no-control-regex -- control characters end or break a script
  return text(value).replace(/[\u0000-\u001f\u007f"'`&+/<>\\\u2028\u2029]/g, (c) => inString[c] ?? unicode(c))
}

function scriptRegexp(value: Value): string {
  // oxlint-disable-next-line no-control-regex -- control characters end or break a script
  const pattern = text(value).replace(/[\u0000-\u001f\u007f"'`&+/<>\\\u2028\u2029$()*\-.?[\]^{|}]/g, (c) =>
    '$()*-.?[]^{|}'.includes(c) ? `\\${c}` : (inString[c] ?? unicode(c)),
  )
  // An empty one would begin a comment.
  return pattern === '' ? '(?:)' : pattern
}

function styleString(value: Value): string {
  const string = text(value)
  // oxlint-disable-next-line no-control-regex -- control characters end or break a style
  return string.replace(/[\u0000\t\n\f\r"&'()+/:;<>{}\\]/g, (c, at: number) => {
    if (c === '\\') return '\\\\'
    // A blank ends an escape; it is needed where what follows would be taken for a part of it.
    return `\\${c.charCodeAt(0).toString(16)}${/^[\da-fA-F \t\n\f\r]|^$/.test(string.charAt(at + 1)) ? ' ' : ''}`
  })
}

/** Lets words, numbers, colours and lists of them pass, nothing that could begin or end anything. */
function styleValue(value: Value): string {
  const string = text(value)
  if (/[\0"'()/;@[\\\]`{}<>]|--|<!/.test(string)) return refused
  const word = string.toLowerCase().replace(/[^a-z]/g, '')
  return word.includes('expression') || word.includes('mozbinding') ? refused : string
}

function attributeName(value: Value): string {
  const name = text(value).toLowerCase()
  return /^[a-z\d]+$/.test(name) && isHarmlessAttribute(name) ? name : refused
}

/** The functions that the contextual escaper puts behind actions, by the kind of place they are for. */
export const escapers: Readonly<Record<string, (value: Value) => string>> = {
  html,
  unquoted,
  'url-filter': urlFilter,
  'url-normal': urlNormalizer,
  'url-data': urlEscaper,
  srcset,
  'js-value': scriptValue,
  'js-string': scriptString,
  'js-regexp': scriptRegexp,
  'css-string': styleString,
  'css-value': styleValue,
  'attribute-name': attributeName,
  nothing: () => '',
}
