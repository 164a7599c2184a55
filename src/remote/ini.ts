import { AppError } from '../base/error.ts'

type Line =
  | { readonly kind: 'section'; readonly text: string; readonly name: string }
  | {
      readonly kind: 'key'
      readonly text: string
      readonly section: string
      readonly key: string
      readonly value: string
    }
  | { readonly kind: 'other'; readonly text: string }

/** Keys before the first header belong to it. */
const FIRST = 'DEFAULT'

/**
 * The text of an rclone.conf (serve-http.md 3.7). A change touches the lines of that key or section alone: comments, order,
 * blanks and bytes that are no UTF-8 stay as they are.
 */
export class IniDocument {
  /** Texts are bytes as Latin-1, so that they can be written back unchanged. A final '' stands for the last line's end. */
  #lines: Line[]

  /** Throws `invalid` with rclone's sentence for a line that means nothing. */
  constructor(bytes: Uint8Array = new Uint8Array()) {
    let section = FIRST
    this.#lines = Buffer.from(bytes)
      .toString('latin1')
      .split('\n')
      .map((text, index) => {
        const line = readLine(text, section, index === 0)
        if (line.kind === 'section') section = line.name
        return line
      })
  }

  toBytes(): Buffer {
    return Buffer.from(this.#lines.map((line) => line.text).join('\n'), 'latin1')
  }

  /** The names of all sections, in order of the file. */
  sections(): string[] {
    const names = this.#lines.flatMap((line) => (line.kind === 'other' ? [] : [sectionOf(line)]))
    return [...new Set(names)]
  }

  /** The values of a section, undefined when there is none. Parts of one section are joined; of one key the last value counts. */
  get(section: string): Record<string, string> | undefined {
    if (!this.sections().includes(section)) return undefined
    return Object.fromEntries(
      this.#lines.flatMap((line) => (line.kind === 'key' && line.section === section ? [[line.key, line.value]] : [])),
    )
  }

  /** Adds an empty section at the end, unless it is there. Throws `invalid` for a name that cannot be written. */
  add(section: string): void {
    if (this.sections().includes(section)) return
    const header = this.#format(`[${checkText('section name', section)}]`)
    if (section !== trim(section) || section === '')
      throw new AppError(
        'invalid',
        `section name ${JSON.stringify(section)} must not be empty nor begin or end with blanks`,
      )
    const last = this.#lines.at(-1)
    if (last?.text === '') this.#lines.pop()
    if (this.#lines.length > 0 && bare(this.#lines.at(-1)) !== '') this.#lines.push(this.#blank())
    this.#lines.push({ kind: 'section', text: header, name: section }, { kind: 'other', text: '' })
  }

  /** Sets a value, adding key and section when they are missing. Throws `invalid` for what cannot be written in one line. */
  set(section: string, key: string, value: string): void {
    const text = this.#format(`${formatKey(key)} = ${formatValue(key, value)}`.trimEnd())
    this.add(section)
    const line: Line = { kind: 'key', text, section, key, value }
    const same = this.#lines.findLastIndex((l) => l.kind === 'key' && l.section === section && l.key === key)
    const old = this.#lines[same]
    if (old?.kind === 'key') {
      if (old.value !== value) this.#lines[same] = line
      return
    }
    const after = this.#lines.findLastIndex((l) => l.kind !== 'other' && sectionOf(l) === section)
    this.#lines.splice(after + 1, 0, line)
    // The file may have ended without a line end.
    if (after + 2 === this.#lines.length) this.#lines.push({ kind: 'other', text: '' })
  }

  /** Removes a key. Gives whether it was there. */
  unset(section: string, key: string): boolean {
    const before = this.#lines.length
    this.#lines = this.#lines.filter((l) => l.kind !== 'key' || l.section !== section || l.key !== key)
    return this.#lines.length < before
  }

  /** Removes a section with the comments inside of it; those before its header stay. Gives whether it was there. */
  remove(section: string): boolean {
    const kept: Line[] = []
    let removed = false
    for (let at = 0; at < this.#lines.length;) {
      const line = this.#lines[at] as Line
      if (line.kind === 'other' || sectionOf(line) !== section) {
        kept.push(line)
        at++
        continue
      }
      removed = true
      at = this.#endOf(section, at)
      const next = this.#lines[at]
      if (next?.kind === 'other' && bare(next) === '' && at < this.#lines.length - 1) at++
    }
    this.#lines = kept
    return removed
  }

  /** Where the part of a section that holds line `from` ends: behind its last key, or its header. */
  #endOf(section: string, from: number): number {
    let end = from + 1
    for (let at = end; at < this.#lines.length; at++) {
      const line = this.#lines[at] as Line
      if (line.kind === 'section') break
      if (line.kind === 'key' && line.section === section) end = at + 1
    }
    return end
  }

  /** Gives a section another name. Throws `not-found` and `exists`. */
  rename(from: string, to: string): void {
    if (!this.sections().includes(from)) throw new AppError('not-found', `there is no section ${JSON.stringify(from)}`)
    if (this.sections().includes(to)) throw new AppError('exists', `there is a section ${JSON.stringify(to)} already`)
    const text = this.#format(`[${checkText('section name', to)}]`)
    // Keys of the first section may stand without a header.
    if (!this.#lines.some((l) => l.kind === 'section' && l.name === from))
      this.#lines.unshift({ kind: 'section', text, name: from })
    this.#lines = this.#lines.map((line) => {
      if (line.kind === 'other' || sectionOf(line) !== from) return line
      return line.kind === 'section' ? { ...line, text, name: to } : { ...line, section: to }
    })
  }

  /** A line of this file as Latin-1, with the line end that the file uses. */
  #format(text: string): string {
    const carriage = this.#lines[0]?.text.endsWith('\r') ? '\r' : ''
    return Buffer.from(text).toString('latin1') + carriage
  }

  #blank(): Line {
    return { kind: 'other', text: this.#format('') }
  }
}

const sectionOf = (line: Exclude<Line, { kind: 'other' }>) => (line.kind === 'section' ? line.name : line.section)
const bare = (line: Line | undefined) => line?.text.trim()

function readLine(text: string, section: string, first: boolean): Line {
  const decoded = Buffer.from(text, 'latin1').toString('utf8')
  const line = trim(first ? decoded.replace(/^\uFEFF/, '') : decoded)
  if (line === '' || line.startsWith('#') || line.startsWith(';')) return { kind: 'other', text }
  if (line.startsWith('[') && line.endsWith(']')) return { kind: 'section', text, name: trim(line.slice(1, -1)) }
  if (section === '') throw new AppError('invalid', 'empty section name not allowed')
  const [key, rest] = readKey(line)
  const value = readValue(rest, line)
  // rclone passes over a key that is quoted but empty.
  return key === '' || key === ' ' ? { kind: 'other', text } : { kind: 'key', text, section, key, value }
}

/** A key may be quoted with `"`, `"""` or a backquote, and then hold `=` and `:`. */
function readKey(line: string): [key: string, rest: string] {
  const quote = /^(?:"""(?=.{3})|"|`)/s.exec(line)?.[0] ?? ''
  const close = quote === '' ? 0 : line.indexOf(quote, quote.length)
  const separator = close < 0 ? -1 : line.slice(close).search(/[=:]/)
  if (separator < 0) throw unparsable(line)
  const at = close + separator
  const key = quote === '' ? trim(line.slice(0, at)) : line.slice(quote.length, close)
  if (at === 0) throw unparsable(line)
  return [key, trim(line.slice(at + 1))]
}

/** A value in backquotes or `"""` is what stands between them; all other quotes belong to the value. */
function readValue(rest: string, line: string): string {
  const quote = rest.length >= 2 && rest.startsWith('`') ? '`' : rest.length >= 6 && rest.startsWith('"""') ? '"""' : ''
  if (quote === '') return rest
  const close = rest.slice(quote.length).lastIndexOf(quote)
  if (close < 0) throw unparsable(line)
  return rest.slice(quote.length, quote.length + close)
}

function formatKey(key: string): string {
  checkText('key', key)
  // rclone numbers keys that are a single dash.
  if (trim(key) === '' || key === '-' || key.startsWith('#'))
    throw new AppError('invalid', `${JSON.stringify(key)} cannot be a key of a configuration file`)
  if (!/[=:]|^[;["`]/.test(key) && key === trim(key)) return key
  if (key.includes('`')) throw new AppError('invalid', `key ${JSON.stringify(key)} must not hold a backquote`)
  return `\`${key}\``
}

function formatValue(key: string, value: string): string {
  checkText(`value of ${key}`, value, false)
  return value === trim(value) && !/^`|^"""/.test(value) ? value : `\`${value}\``
}

/** Throws for line ends and control characters: they would break the file, or hide in it. */
function checkText(what: string, text: string, show = true): string {
  if (!/\p{Cc}/u.test(text) && text.isWellFormed()) return text
  throw new AppError(
    'invalid',
    `${what}${show ? ` ${JSON.stringify(text)}` : ''} must not hold line ends or control characters`,
  )
}

/** Cuts what Go calls space, which is not quite what JavaScript does. */
function trim(text: string): string {
  return text.replace(spaceBefore, '').replace(spaceAfter, '')
}

const space = '[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const spaceBefore = new RegExp(`^${space}+`)
const spaceAfter = new RegExp(`(?<!${space})${space}+$`)

function unparsable(line: string): AppError {
  return new AppError('invalid', `could not parse line: ${line}`)
}
