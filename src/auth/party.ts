import { type Groups, namesIn } from './users.ts'

const ALL = '$ALL'
const NONE = '$NONE'

/** Whoever a rule names: users, groups, everybody who can log in, or everybody at all. */
export class Party {
  readonly #users: ReadonlySet<string>
  readonly #groups: ReadonlySet<string>
  /** Everybody who can log in. */
  readonly #all: boolean
  /** No login is needed. */
  readonly open: boolean

  static readonly everybody = new Party([ALL], [], true)
  static readonly nobody = new Party([], [], true)

  private constructor(users: readonly string[], groups: readonly string[], open: boolean) {
    this.#all = [...users, ...groups].includes(ALL)
    this.open = open && this.#all
    this.#users = new Set(users.filter((name) => !name.startsWith('@')))
    this.#groups = new Set([...groups, ...users.filter((name) => name.startsWith('@')).map((name) => name.slice(1))])
  }

  /** `ru` and `rg` of a section; undefined when it has neither. `$ALL` is everybody who can log in. */
  static read(users: string | undefined, groups: string | undefined): Party | undefined {
    return users === undefined && groups === undefined ? undefined : new Party(names(users), names(groups), false)
  }

  /** `wu` and `wg`; `$ALL` is everybody, without a login. */
  static write(users: string | undefined, groups: string | undefined): Party | undefined {
    return users === undefined && groups === undefined ? undefined : new Party(names(users), names(groups), true)
  }

  get admitsSomebody(): boolean {
    return this.#all || this.#users.size > 0 || this.#groups.size > 0
  }

  /** True when only some who have logged in are admitted. */
  get needsLogin(): boolean {
    return this.admitsSomebody && !this.open
  }

  admits(user: string, groups: readonly Groups[]): boolean {
    if (this.#all || this.#users.has(user)) return true
    return [...this.#groups].some((name) => groups.some((file) => file.get(name)?.has(user)))
  }
}

/** `$NONE` is nobody, whoever else is named. */
function names(text: string | undefined): readonly string[] {
  const all = namesIn(text)
  return all.includes(NONE) ? [] : all
}
