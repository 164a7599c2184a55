import { parseCsv } from '../base/csv.ts'
import { AppError } from '../base/error.ts'
import { type Env, fromEnv } from './config-path.ts'

/** Where the password of an encrypted configuration comes from. */
export interface PasswordSources {
  readonly env: Env
  /** `--password-command`: a program and its arguments, separated by blanks; it prints the password. */
  readonly command?: string
  /** Asks a person without showing the answer; absent = there is nobody to ask. */
  readonly ask?: ((question: string) => Promise<string>) | undefined
  /** Called with a sentence for the person. */
  readonly warn?: (message: string) => void
}

const ASK_TIMES = 3

/**
 * The passwords to try, in order: of the command alone when there is one, else of `SLUICE_CONFIG_PASS` or
 * `RCLONE_CONFIG_PASS`, then what a person answers, three times. Throws when the command fails.
 */
export async function* passwordsFrom(sources: PasswordSources): AsyncGenerator<string> {
  if (sources.command) {
    yield await fromCommand(sources.command)
    return
  }
  const held = fromEnv(sources.env, 'CONFIG_PASS')
  if (held) yield held
  for (let i = 0; sources.ask && i < ASK_TIMES; i++) {
    const answer = await sources.ask('Enter configuration password: ')
    if (answer !== answer.trim()) sources.warn?.('Your password contains leading or trailing blanks: they count')
    if (answer !== '') yield answer
  }
}

async function fromCommand(command: string): Promise<string> {
  const [program = '', ...args] = parseCsv(command.trim(), ' ').filter((word) => word !== '')
  const { runProgram } = await import('../base/program.ts')
  const output = await runProgram(program, args).catch((error: unknown) => {
    throw new AppError('denied', `password command failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  })
  const password = output.replaceAll(/^[\r\n]+|[\r\n]+$/g, '')
  if (password === '') throw new AppError('denied', 'password command returned empty string')
  return password
}
