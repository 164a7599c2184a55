import { randomBytes } from 'node:crypto'
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { AppError } from '../base/error.ts'
import type { CommandIo } from './command.ts'

/** The keys of a menu and what they mean. */
export type Choices = readonly (readonly [key: string, meaning: string])[]

/** The value of a numbered list that an answer means, by its text or its number; undefined = none. */
export function listed(answer: string, values: readonly string[]): string | undefined {
  if (values.includes(answer)) return answer
  return /^\d+$/.test(answer) ? values[Number(answer) - 1] : undefined
}

/** Asks a person questions, line by line; answers may also be piped in. Close it, or the program waits for more input. */
export class Prompt {
  readonly #io: Pick<CommandIo, 'stdin' | 'stderr'>
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>
  #hidden = false

  constructor(io: Pick<CommandIo, 'stdin' | 'stderr'>) {
    this.#io = io
    const echo = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.#hidden) io.stderr(chunk.toString())
        done()
      },
    })
    const terminal = io.stdin.isTTY === true
    this.#lines = createInterface({ input: io.stdin, terminal, ...(terminal ? { output: echo } : {}) })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  /** Says something. */
  say(text: string): void {
    this.#io.stderr(`${text}\n`)
  }

  /** One line without the blanks at its ends. Throws `usage` when the input has ended. */
  async ask(question: string): Promise<string> {
    return (await this.#line(question)).trim()
  }

  /** One line that the terminal does not show. Blanks count. */
  async askHidden(question: string): Promise<string> {
    this.#hidden = true
    try {
      const answer = await this.#line(question)
      if (this.#io.stdin.isTTY) this.#io.stderr('\n')
      return answer
    } finally {
      this.#hidden = false
    }
  }

  /** A new password, typed twice. */
  async askNewPassword(): Promise<string> {
    for (;;) {
      const first = await this.askHidden('password: ')
      if (first === '') this.say('The password must not be empty.')
      else if ((await this.askHidden('once more: ')) === first) return first
      else this.say('The two differ. Try again.')
    }
  }

  /**
   * A password to be stored: typed twice, or made here and shown once. Undefined = it is left as it is, which is the default
   * where that is allowed.
   */
  async choosePassword({ required, kept }: { required: boolean; kept: boolean }): Promise<string | undefined> {
    const choices: Choices = [
      ['y', 'Yes, type in my own password'],
      ['g', 'Generate a random password'],
    ]
    const none: Choices = required && !kept ? [] : [['n', kept ? 'No, keep the present one' : 'No, leave it empty']]
    const choice = await this.choose([...choices, ...none], none[0]?.[0])
    if (choice === 'n') return undefined
    return choice === 'y' ? await this.askNewPassword() : await this.#makePassword()
  }

  async #makePassword(): Promise<string> {
    for (;;) {
      const bits = Number((await this.ask('Strength in bits, 64 to 1024 (128)> ')) || 128)
      if (!(bits >= 64 && bits <= 1024)) continue
      const password = randomBytes(Math.ceil(bits / 8)).toString('base64url')
      this.say(`Your password is: ${password}\nKeep it in a safe place: only an obscured form of it is stored.`)
      if (await this.confirm('Use this password?', true)) return password
    }
  }

  /** One of some keys, asked again until it is one. An empty answer takes `initial`. */
  async choose(choices: Choices, initial?: string): Promise<string> {
    const keys = choices.map(([key]) => key)
    for (const [key, meaning] of choices) this.say(`${key}) ${meaning}${key === initial ? ' (default)' : ''}`)
    for (;;) {
      const answer = (await this.ask(`${keys.join('/')}> `)) || initial
      if (answer !== undefined && keys.includes(answer)) return answer
      this.say(`Choose one of ${keys.join(', ')}.`)
    }
  }

  async confirm(question: string, initial: boolean): Promise<boolean> {
    this.say(question)
    const yesNo: Choices = [
      ['y', 'Yes'],
      ['n', 'No'],
    ]
    return (await this.choose(yesNo, initial ? 'y' : 'n')) === 'y'
  }

  /** One of a list, by its number or its text. */
  async pick(question: string, values: readonly string[], shown: readonly string[] = values): Promise<string> {
    this.list(shown)
    for (;;) {
      const value = listed(await this.ask(question), values)
      if (value !== undefined) return value
      this.say('That is not in the list.')
    }
  }

  /** Says a list, numbered. */
  list(shown: readonly string[]): void {
    shown.forEach((text, i) => this.say(`${String(i + 1).padStart(2)} / ${text}`))
  }

  close(): void {
    this.#lines.close()
  }

  async #line(question: string): Promise<string> {
    this.#io.stderr(question)
    const { done, value } = await this.#answers.next()
    if (done) throw new AppError('usage', 'the input ended before all questions were answered')
    return value
  }
}
