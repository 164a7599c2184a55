/**
 * Reads one line of separated values (RFC 4180 quoting): a field in double quotes may hold the separator, line breaks and
 * doubled quotes. The empty text is no field at all. Throws an Error for a quote in the wrong place.
 */
export function parseCsv(text: string, separator = ','): string[] {
  const fields: string[] = []
  if (text === '') return fields
  for (let at = 0; at <= text.length;) {
    const [field, next] = text[at] === '"' ? quotedField(text, at, separator) : bareField(text, at, separator)
    fields.push(field)
    at = next
  }
  return fields
}

function bareField(text: string, from: number, separator: string): [field: string, next: number] {
  const found = text.indexOf(separator, from)
  const end = found < 0 ? text.length : found
  const field = text.slice(from, end)
  if (field.includes('"')) throw new Error(`bare " in ${JSON.stringify(field)}: put the whole field in double quotes`)
  return [field, end + 1]
}

function quotedField(text: string, from: number, separator: string): [field: string, next: number] {
  let field = ''
  for (let at = from + 1; ;) {
    const quote = text.indexOf('"', at)
    if (quote < 0) throw new Error(`missing closing " in ${JSON.stringify(text)}`)
    field += text.slice(at, quote)
    const after = text[quote + 1]
    if (after === undefined || after === separator) return [field, quote + 2]
    if (after !== '"') throw new Error(`unexpected text after the closing " in ${JSON.stringify(text)}`)
    field += '"'
    at = quote + 2
  }
}

/** Writes fields so that `parseCsv` reads them back. No field at all is the empty text. */
export function formatCsv(fields: readonly string[], separator = ','): string {
  const special = (field: string) => field === '' || /["\r\n]|^\s/.test(field) || field.includes(separator)
  const quote = (field: string) => `"${field.replaceAll('"', '""')}"`
  return fields.map((field) => (special(field) ? quote(field) : field)).join(separator)
}
