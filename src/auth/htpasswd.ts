import { readFileSync, statSync } from 'node:fs'
import { AppError, messageOf } from '../base/error.ts'
import type { Logger } from '../core/log.ts'
import { isKnownHash } from './verify.ts'

/** How often the file is looked at, in ms: at once for people, without a system call for every request. */
const LOOK_MS = 20
/** A larger file is not a password file. */
const LARGEST = 64 * 1024 * 1024

/** A file of users and password hashes, read again when it changes. The last good content stays in use when it goes bad. */
export class Htpasswd {
  readonly #path: string
  readonly #log: Logger
  readonly #now: () => number
  #users: ReadonlyMap<string, string> = new Map()
  #stamp = ''
  #lookedAt = -Infinity
  #complaint = ''
  /** Raised by each reload: what was derived from older content no longer holds. */
  generation = 0

  /** Throws `invalid` when the file cannot be read: a server must not start without its users. */
  constructor(path: string, log: Logger, now: () => number = () => performance.now()) {
    this.#path = path
    this.#log = log
    this.#now = now
    try {
      this.#stamp = stampOf(path)
      this.#users = parse(readFileSync(path), path, log)
    } catch (error) {
      throw new AppError('invalid', `can't read the password file: ${messageOf(error)}`, { cause: error })
    }
  }

  /** The hash of a user, undefined when there is none. */
  hashOf(user: string): string | undefined {
    this.refresh()
    return this.#users.get(user)
  }

  /** Any hash of the file: what a typical check costs. */
  get typical(): string | undefined {
    return this.#users.values().next().value
  }

  /** Reads the file again when it has changed. */
  refresh(): void {
    const now = this.#now()
    if (now - this.#lookedAt < LOOK_MS) return
    this.#lookedAt = now
    try {
      const stamp = stampOf(this.#path)
      if (stamp === this.#stamp) return
      const bytes = readFileSync(this.#path)
      const users = parse(bytes, this.#path, this.#log)
      if (users.size === 0 && bytes.length > 0 && this.#users.size > 0)
        throw new Error(`${this.#path} has no user in it`)
      this.#stamp = stamp
      this.#users = users
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
