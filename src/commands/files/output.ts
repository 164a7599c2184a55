import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
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

/** Lets work write to the file at `path`, or to standard output when that is empty. Throws when the file can't be made. */
export async function writingTo(path: string, stdout: Output, work: (out: Output) => Promise<void>): Promise<void> {
  if (path === '') return await work(stdout)
  const file = createWriteStream(path)
  await once(file, 'open')
  const out = new Output({
    async stdout(data) {
      if (!file.write(data)) await once(file, 'drain')
    },
  })
  try {
    await work(out)
  } finally {
    await out.flush()
    await finished(file.end())
  }
}
