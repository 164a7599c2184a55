// All texts here are the inside of a class of a JavaScript expression with the `v` flag.

const perl: Readonly<Record<string, string>> = {
  d: '0-9',
  s: '\\t\\n\\f\\r\\x20',
  w: '0-9A-Za-z_',
}

const posix: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t\\x20',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: '\\t\\n\\v\\f\\r\\x20',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

/** `d`, `s`, `w` and their opposites in capitals: ASCII only, unlike JavaScript's own. */
export function perlClass(letter: string): string {
  const inside = perl[letter.toLowerCase()] ?? ''
  return letter === letter.toLowerCase() ? inside : `[^${inside}]`
}

/** The class `[:name:]` or `[:^name:]`, undefined when there is none of that name. */
export function posixClass(name: string): string | undefined {
  const negated = name.startsWith('^')
  const inside = Object.entries(posix).find(([key]) => key === (negated ? name.slice(1) : name))?.[1]
  return inside !== undefined && negated ? `[^${inside}]` : inside
}

/** A general category (`L`, `Lu`), a script (`Greek`) or `Any`; undefined when Unicode has none of that name. */
export function unicodeClass(name: string, negated: boolean): string | undefined {
  const property = /^[A-Z][a-z]?$/.test(name) || name === 'Any' ? name : `Script=${name}`
  const source = `\\${negated ? 'P' : 'p'}{${property}}`
  try {
    return new RegExp(source, 'v').source
  } catch {
    return undefined
  }
}
