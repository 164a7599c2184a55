import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Mark } from '../../core/outcomes.ts'
import type { Tell } from '../../operations/teller.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { string } from '../../schema/values.ts'
import type { CommandIo } from '../command.ts'
import { Output } from './output.ts'

/** Files that tell what became of each file: of `check`, `copy`, `sync` and `move`. */
export const reportOptions = defineOptions('reports', {
  combined: option(
    string,
    '',
    'Write a line for each file here, with = * + - or ! before its path; - is standard output',
  ),
  match: option(string, '', 'Write the paths of files that are the same here'),
  differ: option(string, '', 'Write the paths of files that differ here'),
  missingOnSrc: option(string, '', 'Write the paths of files that only the destination has here'),
  missingOnDst: option(string, '', 'Write the paths of files that only the source has here'),
  error: option(string, '', 'Write the paths of files that could not be read or stored here'),
})

const flagOf = {
  '=': 'match',
  '*': 'differ',
  '-': 'missingOnSrc',
  '+': 'missingOnDst',
  '!': 'error',
} as const satisfies Record<Mark, keyof (typeof reportOptions)['options']>

/** Does work that tells what becomes of each file, and writes that to the files that the flags name. */
export async function withReports(io: CommandIo, work: (tell?: Tell) => Promise<void>): Promise<void> {
  const flags = io.get(reportOptions)
  if (Object.values(flags).every((path) => path === '')) return await work()
  const reports = new Reports(io)
  await reports.open()
  try {
    await work((mark, path) => reports.tell(mark, path))
  } finally {
    await reports.close()
  }
}

/** The files, and standard output, that paths are written to. */
class Reports {
  readonly #files = new Map<string, WriteStream>()
  readonly #out: Output
  readonly #flags: Readonly<Record<string, string>>

  constructor(io: CommandIo) {
    this.#out = new Output(io)
    this.#flags = io.get(reportOptions)
  }

  /** Opens the files. Throws when one can't be made. */
  async open(): Promise<void> {
    for (const path of Object.values(this.#flags)) {
      if (path === '' || path === '-' || this.#files.has(path)) continue
      const stream = createWriteStream(path)
      this.#files.set(path, stream)
      await once(stream, 'open')
    }
  }

  tell(mark: Mark, path: string): void {
    this.#write(this.#flags.combined, `${mark} ${path}\n`)
    this.#write(this.#flags[flagOf[mark]], `${path}\n`)
  }

  async close(): Promise<void> {
    await this.#out.flush()
    for (const stream of this.#files.values()) await finished(stream.end())
  }

  #write(to: string | undefined, line: string): void {
    if (to === '-') void this.#out.write(line)
    else this.#files.get(to ?? '')?.write(line)
  }
}
