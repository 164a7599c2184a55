import type { CommandIo } from '../command.ts'

/** Lines for standard output are gathered up to about this many characters. */
const GATHERED = 64 * 1024

/** Writes lines to standard output, many at once. */
export class Output {
  readonly #io: Pick<CommandIo, 'stdout'>
  #waiting = ''

  constructor(io: Pick<CommandIo, 'stdout'>) {
    this.#io = io
  }

  /** Takes a piece of text; resolves when there is room for more. */
  write(text: string): Promise<void> | void {
    this.#waiting += text
    return this.#waiting.length < GATHERED ? undefined : this.flush()
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    const text = this.#waiting
    this.#waiting = ''
    if (text !== '') await this.#io.stdout(text)
  }
}
