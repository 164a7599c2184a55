import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { AppError } from '../base/error.ts'
import { Semaphore } from '../base/semaphore.ts'
import type { Context } from '../core/context.ts'
import type { Credentials } from './credentials.ts'
import type { UserFile } from './users.ts'
import { decoyOf, sameText, verifyPassword } from './verify.ts'

/** Checks at once (each may cost 50 ms of a core), and how many may wait: beyond that the client is asked to come back. */
const AT_ONCE = 2
const IN_LINE = 64
/** Nobody waits longer than about this (ms): on a slow machine the line is shorter. */
const LONGEST_WAIT_MS = 3000
/** How long a right password is known without checking it again, in ms. */
const REMEMBER_MS = 5 * 60_000

/** Checks passwords, against a file or one login, and remembers right ones for a while: clients send theirs on each request. */
export class Passwords {
  readonly #file: UserFile | undefined
  readonly #single: Credentials | undefined
  readonly #slots = new Semaphore(AT_ONCE)
  readonly #key = randomBytes(32)
  readonly #right = new LRUCache<string, number>({ max: 1000, ttl: REMEMBER_MS })
  #waiting = 0
  /** How long the last check took. */
  #checkMs = 0

  constructor(source: { readonly file: UserFile } | { readonly single: Credentials }) {
    this.#file = 'file' in source ? source.file : undefined
    this.#single = 'single' in source ? source.single : undefined
  }

  get by(): 'htpasswd' | 'basic' {
    return this.#file ? 'htpasswd' : 'basic'
  }

  /** True when these were found right a short while ago, and the file has not changed since. */
  known(credentials: Credentials): boolean {
    return this.#right.get(this.#token(credentials)) === this.#generation
  }

  /** Checks a password; takes the same time for a user that does not exist. Throws `rate-limited` when too many wait. */
  async check(ctx: Context, credentials: Credentials): Promise<boolean> {
    if (this.#single) return this.#checkSingle(this.#single, credentials)
    if (this.#waiting >= IN_LINE || (this.#waiting * this.#checkMs) / AT_ONCE > LONGEST_WAIT_MS)
      throw new AppError('rate-limited', 'too many logins at once', { retry: { afterMs: 1000 } })
    this.#waiting++
    try {
      return await this.#slots.run(ctx.signal, () => this.#checkFile(credentials))
    } finally {
      this.#waiting--
    }
  }

  #checkSingle(single: Credentials, given: Credentials): boolean {
    const [user, pass] = [sameText(single.user, given.user), sameText(single.pass, given.pass)]
    return this.#remember(given, user && pass, 0)
  }

  async #checkFile(given: Credentials): Promise<boolean> {
    const users = this.#file?.value
    // It may change while the password is checked: what was right by the old one is then not remembered for the new one.
    const generation = this.#file?.generation ?? 0
    const hash = users?.hashOf(given.user)
    const begun = performance.now()
    const right = await verifyPassword(hash ?? decoyOf(users?.slowest) ?? '', given.pass)
    this.#checkMs = performance.now() - begun
    return this.#remember(given, hash !== undefined && right, generation)
  }

  #remember(credentials: Credentials, right: boolean, generation: number): boolean {
    if (right) this.#right.set(this.#token(credentials), generation)
    return right
  }

  /** The version of the file, as it is now. */
  get #generation(): number {
    if (!this.#file) return 0
    void this.#file.value
    return this.#file.generation
  }

  /** What is kept of right credentials: nobody who reads the memory later gets a password from it. */
  #token({ user, pass }: Credentials): string {
    return createHmac('sha256', this.#key).update(`${user}\0${pass}`).digest('latin1')
  }
}
