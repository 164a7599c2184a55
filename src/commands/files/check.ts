import { AppError } from '../../base/error.ts'
import { check } from '../../operations/check.ts'
import { hashKind } from '../../operations/hashsum.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, string } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
import { conclude } from './conclude.ts'
import { reportOptions, withReports } from './reports.ts'
import { compareSums } from './sum-list.ts'

const checkOptions = defineOptions('check', {
  download: option(bool, false, 'Read both files and compare their bytes'),
  oneWay: option(bool, false, 'Only look for what the source has'),
})

const listOptions = defineOptions('checkfile', {
  checkfile: option(string, '', 'The source is a file of checksums of this kind, as md5sum writes it', { short: 'C' }),
})

/** `checksum KIND LIST DEST`, `check --checkfile KIND LIST DEST`. */
async function compareList(io: CommandIo, name: string, [kind = '', list = '', text = '']: readonly string[]) {
  return await attempts(io, { name, retry: false, stats: true }, async (ctx) => {
    const { oneWay, download } = io.get(checkOptions)
    await withReports(io, (tell) =>
      compareSums(io, ctx, { kind: hashKind(kind), list, text }, { oneWay, download, ...(tell ? { tell } : {}) }),
    )
  })
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
      conclude(ctx, result, { source: source.remote.info.description, target: target.info.description })
    })
  })
}

const checkCommand: Command = {
  name: 'check',
  usage: 'SOURCE:PATH DEST:PATH',
  summary: 'Compare two paths by size and checksum, and change nothing',
  help: 'Ends with status 1 when anything differs. --size-only leaves checksums out, --download compares the bytes themselves.',
  examples: [
    ['sluice check ~/Music nas:music --combined -', 'a line for each file'],
    ['sluice check -C md5 music.md5 nas:music', 'with what md5sum has written'],
  ],
  options: [checkOptions, listOptions, reportOptions],
  args: [2, 2],
  run(io) {
    const { checkfile } = io.get(listOptions)
    return checkfile === '' ? compare(io, false) : compareList(io, 'check', [checkfile, ...io.args])
  },
}

const checksumCommand: Command = {
  name: 'checksum',
  usage: 'KIND SUMFILE DEST:PATH',
  summary: 'Compare a path with a file of checksums, as md5sum writes it',
  help: 'The same as check --checkfile KIND. The file of checksums may be on any remote.',
  examples: [['sluice checksum sha256 SHA256SUMS nas:iso', 'is what was downloaded whole?']],
  options: [checkOptions, reportOptions],
  args: [3, 3],
  run: (io) => compareList(io, 'checksum', io.args),
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

export const checkCommands: readonly Command[] = [checkCommand, checksumCommand, cryptcheckCommand]
