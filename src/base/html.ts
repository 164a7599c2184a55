/** Text that is HTML already: `markup` puts it in as it is. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

const special = /["&'<>\0]/
const replacements: Readonly<Record<string, string>> = {
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
}

/** The text as HTML shows it, for element content and quoted attribute values. NUL, which HTML cannot carry, becomes U+FFFD. */
export function escapeHtml(text: string): string {
  return special.test(text) ? text.replace(/["&'<>\0]/g, (c) => replacements[c] as string) : text
}

type Part = string | number | Markup | readonly (string | Markup)[] | false | undefined

/**
 * Builds HTML from a template literal; values are escaped unless they are `Markup`. `false` and `undefined` give nothing. (A
 * tag named html would have formatters rearrange the text.)
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Part[]): Markup {
  let text = parts[0] as string
  for (const [i, value] of values.entries()) text += render(value) + (parts[i + 1] as string)
  return new Markup(text)
}

function render(value: Part): string {
  if (value === false || value === undefined) return ''
  if (typeof value === 'string') return escapeHtml(value)
  if (value instanceof Markup) return value.text
  if (typeof value === 'number') return String(value)
  return value.map(render).join('')
}

// oxlint-disable-next-line no-control-regex -- control characters are the point
const unprintable = /[\u0000-\u001f\u007f]/g

/** A file name for people: control characters as their pictures (␀ ␊ ␡), lone surrogates as U+FFFD. Not escaped. */
export function visibleName(name: string): string {
  return name
    .toWellFormed()
    .replace(unprintable, (c) => (c === '\x7f' ? '\u2421' : String.fromCharCode(0x2400 + c.charCodeAt(0))))
}
