/** The query of a request as radio software writes it: bytes of the charset that it names, or of any other. */
export class IcyQuery {
  readonly #values = new Map<string, string>()

  constructor(query: string) {
    const pairs = query.split('&').map((pair) => pair.split(/=(.*)/s, 2))
    const charset = pairs.find(([name]) => name === 'charset')?.[1] ?? ''
    const latin = /^(?:iso-?8859-?1|latin-?1|windows-?1252)$/i.test(charset)
    for (const [name = '', value = ''] of pairs) this.#values.set(name, decoded(value, latin))
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }
}

/** Percent escapes are bytes: UTF-8 unless they can't be. Control characters become blanks. */
function decoded(text: string, latin: boolean): string {
  const bytes = Buffer.from(
    text
      .replaceAll('+', ' ')
      .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
  const utf8 = latin ? undefined : bytes.toString('utf8')
  const value = utf8 === undefined || utf8.includes('\ufffd') ? bytes.toString('latin1') : utf8
  return value.replace(/[\u0000-\u001f\u007f]/g, ' ')
}
