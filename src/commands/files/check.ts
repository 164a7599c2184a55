import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { check, type CheckResult } from '../../operations/check.ts'
import type { Remote } from '../../remote/remote.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'
import { reportOptions, withReports } from './reports.ts'

const checkOptions = defineOptions('check', {
  download: option(bool, false, 'Read both files and compare their bytes'),
  oneWay: option(bool, false, 'Only look for what the source has'),
})

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
  options: [checkOptions, reportOptions],
  args: [2, 2],
  run: (io) =>
    attempts(io, { name: 'check', retry: false, stats: true }, async (ctx) => {
      const remotes = await io.remotes()
      const [from = '', to = ''] = io.args
      const [source, target] = [await remotes.openAt(from), await remotes.open(to)]
      const { oneWay, download } = io.get(checkOptions)
      await withReports(io, async (tell) => {
        // A source that is one file is compared with its namesake alone.
        const options = { oneWay: oneWay || source.file !== undefined, download, ...(tell ? { tell } : {}) }
        const result = await check(ctx, source.remote, target, options)
        if (result.hashType) ctx.log.info(`Using ${result.hashType} for hash comparisons`)
        conclude(ctx, source.remote, target, result)
      })
    }),
}
