const short: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
}

/** The text as a Go string literal: what does not print is escaped, on demand everything beyond ASCII. */
export function quote(text: string, ascii = false): string {
  return `"${escaped(text, '"', ascii)}"`
}

/** A character as a Go character literal. */
export function quoteCharacter(character: string, ascii = false): string {
  return `'${escaped(character, "'", ascii)}'`
}

function escaped(text: string, delimiter: string, ascii: boolean): string {
  return text.replace(ascii ? /[\\"']|[^ -~]/gu : /[\\"']|[\p{C}\p{Z}]/gu, (c) => {
    if (c === delimiter) return `\\${c}`
    if (c === ' ' || c === '"' || c === "'") return c
    const known = short[c]
    if (known !== undefined) return known
    const point = c.codePointAt(0) as number
    if (point < 0x80) return `\\x${point.toString(16).padStart(2, '0')}`
    return point < 0x10000 ? `\\u${point.toString(16).padStart(4, '0')}` : `\\U${point.toString(16).padStart(8, '0')}`
  })
}
