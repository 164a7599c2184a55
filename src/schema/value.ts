import type { Json } from '../base/json.ts'

/** How one kind of value is read and written everywhere: flags, environment, config file, rc JSON and docs. */
export interface ValueType<T> {
  /** Name shown in `--help`, `config/providers` and the docs: "Duration", "SizeSuffix", "bool" ... */
  readonly name: string
  /** Text from a flag, an environment variable, a config file or a form field. Throws an Error that says what is wrong. */
  parse(text: string): T
  format(value: T): string
  /** JSON from an rc call; accepts what existing clients send. Throws an Error that says what is wrong. */
  decode(json: unknown): T
  encode(value: T): Json
  /** The closed set of texts, when there is one: for completion and docs. */
  readonly choices?: readonly string[]
  /** A flag of this type may be given several times; each use is parsed alone and the results are joined. */
  readonly repeatable?: boolean
  /** A flag of this type needs no argument; its value is then this text. */
  readonly implied?: string
}
