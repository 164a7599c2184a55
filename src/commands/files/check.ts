import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { check, type CheckResult } from '../../operations/check.ts'
import type { Remote } from '../../remote/remote.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
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

async function compare(io: CommandIo, encrypted: boolean): Promise<number> {
  return await attempts(io, { name: encrypted ? 'cryptcheck' : 'check', retry: false, stats: true }, async (ctx) => {
    const remotes = await io.remotes()
    const [from = '', to = ''] = io.args
    const [source, target] = [await remotes.openAt(from), await remotes.open(to)]
    if (encrypted && !target.holds)
      throw new AppError('invalid', `${to} is not encrypted: cryptcheck compares with a crypt remote, check with any`)
    const { oneWay, download } = io.get(checkOptions)
    await withReports(io, async (tell) => {
      // A source that is one file is compared with its namesake alone.
      const how = { oneWay: oneWay || source.file !== undefined, download, encrypted }
      const result = await check(ctx, source.remote, target, { ...how, ...(tell ? { tell } : {}) })
      if (result.hashType) ctx.log.info(`Using ${result.hashType} for hash comparisons`)
      conclude(ctx, source.remote, target, result)
    })
  })
}

const checkCommand: Command = {
  name: 'check',
  usage: 'SOURCE:PATH DEST:PATH',
  summary: 'Compare two paths by size and checksum, and change nothing',
  help: 'Ends with status 1 when anything differs. --size-only leaves checksums out, --download compares the bytes themselves.',
  examples: [['sluice check ~/Music nas:music --combined -', 'a line for each file']],
  options: [checkOptions, reportOptions],
  args: [2, 2],
  run: (io) => compare(io, false),
}

const cryptcheckCommand: Command = {
  name: 'cryptcheck',
  usage: 'SOURCE:PATH CRYPT:PATH',
  summary: 'Compare a path with its encrypted copy, and change nothing',
  help: 'Reads the source and encrypts it as each file of the copy was, so that the checksums of the storage below tell whether they are the same: nothing but the first bytes of each file is fetched from there. Where the storage has no checksums, "check --download" compares the bytes.',
  examples: [['sluice cryptcheck ~/Music secret:music', 'is the copy whole?']],
  options: [checkOptions, reportOptions],
  args: [2, 2],
  run: (io) => compare(io, true),
}

export const checkCommands: readonly Command[] = [checkCommand, cryptcheckCommand]
