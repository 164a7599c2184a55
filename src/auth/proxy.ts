import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { AppError, messageOf } from '../base/error.ts'
import type { Logger } from '../core/log.ts'
import type { Credentials } from './credentials.ts'

/** What the program answered: the options of a backend, its `type` and `_root` among them. */
export type ProxyAnswer = Readonly<Record<string, string>>

const REMEMBER_MS = 5 * 60_000
const PATIENCE_MS = 60_000
const LARGEST_ANSWER = 1024 * 1024
/** Programs that may run at a time. */
const AT_ONCE = 32

/**
 * Asks a program about each login: it gets `{"user","pass","client_ip"}` as JSON and answers the options of the backend to
 * serve, `type` and `_root` among them (serve-http.md 1.8). Answers are kept for five minutes.
 */
export class AuthProxy {
  readonly #command: readonly string[]
  readonly #log: Logger
  readonly #key = randomBytes(32)
  #running = 0
  readonly #answers = new LRUCache<string, Promise<ProxyAnswer>>({ max: 1000, ttl: REMEMBER_MS })

  /** The program and its arguments; no shell is involved. */
  constructor(command: readonly string[], log: Logger) {
    this.#command = command
    this.#log = log
  }

  /** The answer for a login, or undefined when the program refuses it. Throws `rate-limited` when too many are being asked for. */
  async lookup(credentials: Credentials, address: string): Promise<ProxyAnswer | undefined> {
    const key = createHmac('sha256', this.#key)
      .update(`${credentials.user}\0${credentials.pass}\0${address}`)
      .digest('latin1')
    let answer = this.#answers.get(key)
    if (!answer) {
      if (this.#running >= AT_ONCE)
        throw new AppError('rate-limited', 'too many logins at once', { retry: { afterMs: 1000 } })
      this.#running++
      answer = this.#ask(credentials, address).finally(() => this.#running--)
      this.#answers.set(key, answer)
    }
    try {
      return await answer
    } catch (error) {
      this.#answers.delete(key)
      this.#log.error(`Auth failed from ${credentials.user}: ${messageOf(error)}`)
      return undefined
    }
  }

  async #ask({ user, pass }: Credentials, address: string): Promise<ProxyAnswer> {
    const text = await run(this.#command, JSON.stringify({ user, pass, client_ip: address }))
    const answer = parseAnswer(text)
    if (answer.type === undefined) throw new AppError('invalid', 'the answer of --auth-proxy has no "type"')
    if (answer._root === undefined) throw new AppError('invalid', 'the answer of --auth-proxy has no "_root"')
    return answer
  }
}

function parseAnswer(text: string): ProxyAnswer {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid', 'the answer of --auth-proxy is no JSON', { cause })
  }
  if (typeof json !== 'object' || json === null)
    throw new AppError('invalid', 'the answer of --auth-proxy is no JSON object')
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
}

/** Runs a program with a text on its input and gives its output. A status other than 0 throws `denied`. */
async function run([program = '', ...args]: readonly string[], input: string): Promise<string> {
  const { spawn } = await import('node:child_process')
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      if (output.length > LARGEST_ANSWER) child.kill('SIGKILL')
    })
    child.stdin.on('error', () => {}) // it may answer without reading
    child.stdin.end(input)
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new AppError('denied', `${program} ended with status ${code}`))
    })
  })
}
