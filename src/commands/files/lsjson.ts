import { jsonText } from '../../base/json.ts'
import type { ListOptions } from '../../operations/list.ts'
import { copyOptions } from '../../operations/options.ts'
import { directoryNotFound } from '../../operations/missing.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, strings } from '../../schema/values.ts'
import type { Command, CommandIo } from '../command.ts'
import { type Listing, printing } from './listing.ts'

const lsjsonOptions = defineOptions('lsjson', {
  recursive: option(bool, false, 'Go down into folders', { short: 'R' }),
  hash: option(bool, false, 'Show checksums'),
  hashType: option(strings, [], 'Kinds of checksum to show with --hash'),
  noModtime: option(bool, false, 'Leave out times', { flag: 'no-modtime' }),
  noMimetype: option(bool, false, 'Leave out types', { flag: 'no-mimetype' }),
  filesOnly: option(bool, false, 'List files only'),
  dirsOnly: option(bool, false, 'List folders only'),
  encrypted: option(bool, false, 'Show names as they are stored, of a remote that encrypts them'),
  original: option(bool, false, 'Show ids as the storage below has them'),
  stat: option(bool, false, 'Show the one entry that is named, not what is in it'),
})

function optionsOf(io: CommandIo): ListOptions {
  const { recursive, hash, hashType, noModtime, noMimetype, filesOnly, dirsOnly, encrypted, original } =
    io.get(lsjsonOptions)
  const { metadata } = io.get(copyOptions)
  return {
    recurse: recursive,
    showHash: hash || hashType.length > 0,
    hashTypes: hashType,
    noModTime: noModtime,
    noMimeType: noMimetype,
    filesOnly,
    dirsOnly,
    showEncrypted: encrypted,
    showOrigIDs: original,
    metadata,
  }
}

const lsjsonCommand: Command = {
  name: 'lsjson',
  usage: 'REMOTE:PATH',
  summary: 'List a path as JSON',
  help: 'An array with one object a line: Path, Name, Size (-1 for folders), MimeType, ModTime, IsDir and what else is asked for.',
  options: [lsjsonOptions],
  args: [1, 1],
  run: (io) =>
    printing(io, 'lsjson', async ({ ctx, out, failed }) => {
      const { list } = await import('../../operations/list.ts')
      const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
      const options = optionsOf(io)
      if (io.get(lsjsonOptions).stat) return await printOne(io, { ctx, out })
      await out.write('[\n')
      let first = true
      for await (const item of list(ctx, remote, '', { ...options, failed })) {
        await out.write(`${first ? '' : ',\n'}${jsonText(item)}`)
        first = false
      }
      return await out.write(first ? ']\n' : '\n]\n')
    }),
}

/** Prints the one entry that is named. */
async function printOne(io: CommandIo, { ctx, out }: Pick<Listing, 'ctx' | 'out'>): Promise<void> {
  const { listOne } = await import('../../operations/list.ts')
  const { remote, file } = await (await io.remotes()).openAt(io.args[0] ?? '')
  const item = await listOne(ctx, remote, file?.path ?? '', optionsOf(io))
  if (!item) throw directoryNotFound()
  await out.write(`${jsonText(item, '\t')}\n`)
}

const statCommand: Command = {
  name: 'stat',
  usage: 'REMOTE:PATH',
  summary: 'Show one file or folder as JSON',
  help: 'As lsjson --stat, with its flags.',
  examples: [['sluice stat --hash nas:films/a.mp4', 'with all checksums that the storage knows']],
  options: [lsjsonOptions],
  args: [1, 1],
  run: (io) => printing(io, 'stat', async (listing) => await printOne(io, listing)),
}

export const lsjsonCommands: readonly Command[] = [lsjsonCommand, statCommand]
