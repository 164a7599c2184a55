import { Regex } from '../base/regex.ts'

interface Rule {
  readonly include: boolean
  readonly regex: Regex
}

/** Include and exclude rules in order; the first that matches decides. */
export class RuleList {
  readonly #rules = new Map<string, Rule>()

  get length(): number {
    return this.#rules.size
  }

  /** Appends a rule, unless it is there already. Throws an Error for a source that is no expression. */
  add(include: boolean, source: string): void {
    const key = `${include ? '+' : '-'} ${source}`
    if (!this.#rules.has(key)) this.#rules.set(key, { include, regex: new Regex(source) })
  }

  clear(): void {
    this.#rules.clear()
  }

  /** True when the first matching rule includes, or none matches. */
  includes(text: string): boolean {
    for (const { include, regex } of this.#rules.values()) if (regex.test(text)) return include
    return true
  }

  /** Like `includes`, for a thing with several names: a rule matches when it matches any of them. */
  includesAny(texts: readonly string[]): boolean {
    for (const { include, regex } of this.#rules.values()) if (texts.some((text) => regex.test(text))) return include
    return true
  }

  /** One line a rule: `+ (^|/)[^/]*\.jpg$`. */
  lines(): string[] {
    return [...this.#rules.keys()]
  }
}
