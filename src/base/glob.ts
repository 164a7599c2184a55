export interface GlobOptions {
  readonly ignoreCase?: boolean
  /**
   * `path` (the default): `*` and `?` stop at a slash, and a pattern without a leading slash may begin at any segment.
   * `text`: `*` is any text, and the pattern covers all of it.
   */
  readonly mode?: 'path' | 'text'
}

/**
 * Turns a glob of rclone's kind into the source of a `Regex`: `*`, `**`, `?`, `[a-z]`, `{a,b}` (may nest), `{{regex}}`, `\x`.
 * Throws an Error that quotes the glob.
 */
export function globToRegex(glob: string, options: GlobOptions = {}): string {
  return new Translator(glob, options).translate()
}

const stars = { path: ['', '[^/]*', '.*'], text: ['', '.*'] } as const

class Translator {
  readonly #glob: string
  readonly #mode: 'path' | 'text'
  readonly #fold: boolean
  #out = ''
  #brackets = 0
  #braces = 0
  /** Stars that were read and not written yet. */
  #stars = 0

  constructor(glob: string, options: GlobOptions) {
    this.#glob = glob
    this.#mode = options.mode ?? 'path'
    this.#fold = options.ignoreCase ?? false
  }

  translate(): string {
    const rooted = this.#mode === 'path' && this.#glob.startsWith('/')
    const begin = rooted || this.#mode === 'text' ? '^' : '(^|/)'
    for (let at = rooted ? 1 : 0; at < this.#glob.length;) at = this.#step(at)
    this.#flushStars()
    if (this.#brackets > 0) throw this.#mismatch('[', ']')
    if (this.#braces > 0) throw this.#mismatch('{', '}')
    return `${this.#fold ? '(?i)' : ''}${begin}${this.#out}$`
  }

  /** Takes what stands at `at`; gives where to go on. */
  #step(at: number): number {
    const char = this.#glob.charAt(at)
    if (char === '*' && this.#brackets === 0) {
      this.#stars++
      return at + 1
    }
    this.#flushStars()
    if (this.#brackets > 0) {
      this.#brackets += char === '[' ? 1 : char === ']' ? -1 : 0
      this.#out += char
      return at + 1
    }
    if (char === '\\') {
      this.#out += this.#glob.slice(at, at + 2)
      return at + 2
    }
    if (char === '{' && this.#glob[at + 1] === '{') return this.#regex(at + 2)
    this.#out += this.#plain(char)
    return at + 1
  }

  /** What one character outside of brackets becomes. */
  #plain(char: string): string {
    switch (char) {
      case '?':
        return this.#mode === 'path' ? '[^/]' : '.'
      case '[':
        this.#brackets++
        return '['
      case ']':
        throw new Error(`mismatched ']' in glob ${JSON.stringify(this.#glob)}`)
      case '{':
        this.#braces++
        return '('
      case '}':
        if (--this.#braces < 0) throw this.#mismatch('{', '}')
        return ')'
      case ',':
        return this.#braces > 0 ? '|' : ','
      default:
        return '.+()|^$'.includes(char) ? `\\${char}` : char
    }
  }

  /** `{{regex}}`; braces before the last two belong to the expression: `{{a{2}}}`. */
  #regex(from: number): number {
    let end = this.#glob.indexOf('}}', from)
    if (end < 0) throw this.#mismatch('{{', '}}')
    while (this.#glob[end + 2] === '}') end++
    this.#out += `(${this.#glob.slice(from, end)})`
    return end + 2
  }

  #flushStars(): void {
    const text = stars[this.#mode][this.#stars]
    if (text === undefined) throw new Error(`too many stars in ${JSON.stringify(this.#glob)}`)
    this.#out += text
    this.#stars = 0
  }

  #mismatch(open: string, close: string): Error {
    return new Error(`mismatched '${open}' and '${close}' in glob ${JSON.stringify(this.#glob)}`)
  }
}

/**
 * The globs (with a slash at the end) of all directories that may hold a file that `glob` matches. `/**` alone when that
 * cannot be told, `/` stands for the root.
 */
export function directoryGlobs(glob: string): string[] {
  if (isTooHard(glob)) return ['/**']
  const found: string[] = []
  for (let rest = glob.replaceAll(/\/{2,}/g, '/'); ;) {
    const slash = rest.lastIndexOf('/')
    const star = rest.lastIndexOf('**')
    const at = Math.max(slash, star)
    if (at < 0) break
    rest = rest.slice(0, at)
    const next = `${rest}${star > slash ? '**' : ''}/`
    if (found.at(-1) !== next) found.push(next)
  }
  return found.length === 0 ? ['/**'] : found
}

/** True when directories cannot be split off: a slash or `**` inside of braces or brackets, or an expression. */
function isTooHard(glob: string): boolean {
  if (glob.includes('{{') || glob.includes('}}')) return true
  // Innermost groups first; one without a slash counts as a plain character of the group around it.
  const group = /\{[^{}]*\}|\[[^[\]]*\]/
  for (let rest = glob, found = group.exec(rest); found; found = group.exec(rest)) {
    if (/\/|\*\*/.test(found[0])) return true
    rest = rest.replace(found[0], 'x')
  }
  return false
}
