import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { check, type CheckMark, type CheckResult } from '../../operations/check.ts'
import type { Remote } from '../../remote/remote.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, string } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
import { Output } from './output.ts'

const checkOptions = defineOptions('check', {
  download: option(bool, false, 'Read both files and compare their bytes'),
  oneWay: option(bool, false, 'Only look for what the source has'),
  combined: option(
    string,
    '',
    'Write a line for each file here, with = * + - or ! before its path; - is standard output',
  ),
  match: option(string, '', 'Write the paths of files that are the same here'),
  differ: option(string, '', 'Write the paths of files that differ here'),
  missingOnSrc: option(string, '', 'Write the paths of files that only the destination has here'),
  missingOnDst: option(string, '', 'Write the paths of files that only the source has here'),
  error: option(string, '', 'Write the paths of files that could not be read here'),
})

const flagOf = {
  '=': 'match',
  '*': 'differ',
  '-': 'missingOnSrc',
  '+': 'missingOnDst',
  '!': 'error',
} as const satisfies Record<CheckMark, keyof (typeof checkOptions)['options']>

/** The files and standard output that a check writes paths to. */
class Reports {
  readonly #files = new Map<string, WriteStream>()
  readonly #out: Output
  readonly #flags: Readonly<Record<string, unknown>>

  constructor(io: CommandIo) {
    this.#out = new Output(io)
    this.#flags = io.get(checkOptions)
  }

  /** Opens the files. Throws when one can't be made. */
  async open(): Promise<void> {
    for (const key of ['combined', ...Object.values(flagOf)]) {
      const path = String(this.#flags[key])
      if (path === '' || path === '-' || this.#files.has(path)) continue
      const stream = createWriteStream(path)
      this.#files.set(path, stream)
      await once(stream, 'open')
    }
  }

  tell(mark: CheckMark, path: string): void {
    this.#write(String(this.#flags.combined), `${mark} ${path}\n`)
    this.#write(String(this.#flags[flagOf[mark]]), `${path}\n`)
  }

  async close(): Promise<void> {
    await this.#out.flush()
    for (const stream of this.#files.values()) await finished(stream.end())
  }

  #write(to: string, line: string): void {
    if (to === '-') void this.#out.write(line)
    else this.#files.get(to)?.write(line)
  }
}

/** Logs the totals and throws when there were differences. */
function conclude(ctx: Context, source: Remote, target: Remote, result: CheckResult): void {
  const say = (remote: Remote, text: string) => ctx.log.notice(text, { object: remote.info.description })
  const { differences, missingOnSource, missingOnTarget, matches, unhashed } = result
  if (missingOnTarget > 0) say(target, `${missingOnTarget} files missing`)
  if (missingOnSource > 0) say(source, `${missingOnSource} files missing`)
  say(target, `${differences} differences found`)
  const { errors } = ctx.stats.snapshot() as { readonly errors: number }
  if (errors > 0) say(target, `${errors} errors while checking`)
  if (unhashed > 0) say(target, `${unhashed} hashes could not be checked`)
  if (matches > 0) say(target, `${matches} matching files`)
  if (differences > 0) throw new AppError('io', `${differences} differences found`)
}

export const checkCommand: Command = {
  name: 'check',
  usage: 'SOURCE:PATH DEST:PATH',
  summary: 'Compare two paths by size and checksum, and change nothing',
  help: 'Ends with status 1 when anything differs. --size-only leaves checksums out, --download compares the bytes themselves.',
  examples: [['sluice check ~/Music nas:music --combined -', 'a line for each file']],
  options: [checkOptions],
  args: [2, 2],
  run: (io) =>
    attempts(io, { name: 'check', retry: false, stats: true }, async (ctx) => {
      const remotes = await io.remotes()
      const [from = '', to = ''] = io.args
      const [source, target] = [await remotes.openAt(from), await remotes.open(to)]
      const { oneWay, download } = io.get(checkOptions)
      const reports = new Reports(io)
      await reports.open()
      try {
        const tell = (mark: CheckMark, path: string) => reports.tell(mark, path)
        // A source that is one file is compared with its namesake alone.
        const options = { oneWay: oneWay || source.file !== undefined, download, tell }
        const result = await check(ctx, source.remote, target, options)
        if (result.hashType) ctx.log.info(`Using ${result.hashType} for hash comparisons`)
        conclude(ctx, source.remote, target, result)
      } finally {
        await reports.close()
      }
    }),
}
