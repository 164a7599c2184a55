import { readFileSync, statSync } from 'node:fs'
import { AppError, messageOf } from '../base/error.ts'
import type { Logger } from '../core/log.ts'
import { costOf, isKnownHash } from './verify.ts'

/** A larger file is not a password file. */
const LARGEST = 64 * 1024 * 1024

/** A file of users and password hashes, read again when it changes. The last good content stays in use when it goes bad. */
export class Htpasswd {
  readonly #path: string
  readonly #log: Logger
  #users: ReadonlyMap<string, string> = new Map()
  #slowest: string | undefined
  #stamp = ''
  #complaint = ''
  /** Raised by each reload: what was derived from older content no longer holds. */
  generation = 0

  /** Throws `invalid` when the file cannot be read: a server must not start without its users. */
  constructor(path: string, log: Logger) {
    this.#path = path
    this.#log = log
    try {
      this.#stamp = stampOf(path)
      const bytes = readFileSync(path)
      this.#users = parse(bytes, path, log)
      if (this.#users.size === 0 && /[^\s#]/.test(bytes.toString('latin1').replace(/^\s*#.*$/gm, '')))
        throw new Error(`${path} has no user who can log in; make one with htpasswd -B`)
    } catch (error) {
      throw new AppError('invalid', `can't read the password file: ${messageOf(error)}`, { cause: error })
    }
  }

  /** The hash of a user, undefined when there is none. */
  hashOf(user: string): string | undefined {
    this.refresh()
    return this.#users.get(user)
  }

  /** The hash of the file that takes longest to check. */
  get slowest(): string | undefined {
    this.#slowest ??= slowestOf(this.#users)
    return this.#slowest
  }

  /** Reads the file again when it has changed. Asked for each request, so that who is taken out of it is out at once. */
  refresh(): void {
    try {
      const stamp = stampOf(this.#path)
      if (stamp === this.#stamp) return
      const bytes = readFileSync(this.#path)
      const users = parse(bytes, this.#path, this.#log)
      if (users.size === 0 && bytes.length > 0 && this.#users.size > 0)
        throw new Error(`${this.#path} has no user in it`)
      this.#stamp = stamp
      this.#users = users
      this.#slowest = undefined
      this.#complaint = ''
      this.generation++
      this.#log.info(`${users.size} users read from ${this.#path}`)
    } catch (error) {
      this.#complain(messageOf(error))
    }
  }

  #complain(problem: string): void {
    if (problem === this.#complaint) return
    this.#complaint = problem
    this.#log.error(`password file: ${problem}; the users read before stay in force`)
  }
}

function slowestOf(users: ReadonlyMap<string, string>): string | undefined {
  let slowest: string | undefined
  for (const hash of users.values()) if (slowest === undefined || costOf(hash) > costOf(slowest)) slowest = hash
  return slowest
}

function stampOf(path: string): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(path)
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`
}

function parse(bytes: Uint8Array, path: string, log: Logger): Map<string, string> {
  if (bytes.length > LARGEST) throw new Error(`${path} is too large for a password file`)
  const users = new Map<string, string>()
  let broken = 0
  let unknown = 0
  for (const line of new TextDecoder().decode(bytes).split(/\r?\n/)) {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    const [user = '', hash] = text.split(':')
    if (user === '' || hash === undefined) broken++
    else if (!isKnownHash(hash)) unknown++
    else users.set(user, hash)
  }
  if (broken > 0) log.error(`${path}: ${broken} lines without a user and a hash are left out`)
  if (unknown > 0) log.error(`${path}: ${unknown} users have no hash of a known kind and can't log in; use htpasswd -B`)
  return users
}
