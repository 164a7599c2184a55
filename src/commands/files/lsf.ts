import { AppError } from '../../base/error.ts'
import { formatCsv } from '../../base/csv.ts'
import { jsonText } from '../../base/json.ts'
import { nameOf } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import { hashOf } from '../../operations/compare.ts'
import { hashKind } from '../../operations/hashsum.ts'
import { storedPathOf } from '../../operations/stored-path.ts'
import { walk } from '../../operations/walk.ts'
import { metadataOf } from '../../remote/metadata.ts'
import type { Entry, Remote } from '../../remote/remote.ts'
import { defineOptions, option, type Values } from '../../schema/option.ts'
import { bool, string } from '../../schema/values.ts'
import type { Command } from '../command.ts'
import { printing } from './listing.ts'
import { timeFormat } from './time-format.ts'

const lsfOptions = defineOptions('lsf', {
  format: option(
    string,
    'p',
    'What to show of each entry, a letter each: p path, s size, t time, h checksum, i id, o original id, m type, e encrypted name, T tier, M metadata',
    {
      short: 'F',
    },
  ),
  timeFormat: option(
    string,
    '',
    'How to write times: a layout of Go such as "2006-01-02", its name such as RFC3339, max, unix or unixnano',
    { short: 't' },
  ),
  separator: option(string, ';', 'What stands between the fields', { short: 's' }),
  dirSlash: option(bool, true, 'End the names of folders with a slash', { short: 'd' }),
  hash: option(string, 'md5', 'Kind of checksum for h'),
  filesOnly: option(bool, false, 'List files only'),
  dirsOnly: option(bool, false, 'List folders only'),
  csv: option(bool, false, 'Write CSV'),
  absolute: option(bool, false, 'Begin paths with a slash'),
  recursive: option(bool, false, 'Go down into folders', { short: 'R' }),
})

type LsfOptions = Values<typeof lsfOptions>
type Mark = (entry: Entry) => string
type Field = (entry: Entry) => string | Promise<string>

/** The functions that give the fields of a format. Throws `usage` for a letter that means nothing. */
function fieldsOf(ctx: Context, remote: Remote, options: LsfOptions): readonly Field[] {
  const kind = hashKind(options.hash)
  const time = timeFormat(options.timeFormat, remote.info)
  const slash: Mark = ({ kind }) => (kind === 'directory' && options.dirSlash ? '/' : '')
  const fields: Readonly<Record<string, Field>> = {
    p: (entry) => `${options.absolute ? '/' : ''}${entry.path}${slash(entry)}`,
    s: (entry) => String(entry.kind === 'file' ? entry.size : -1),
    t: ({ modTime }) => time(modTime),
    h: (entry) => (entry.kind === 'file' ? hashOf(ctx, { remote, file: entry }, kind) : ''),
    i: ({ id }) => id ?? '',
    o: ({ id }) => id ?? '', // what wraps a storage shows its ids
    e: options.format.includes('e') ? storedNames(remote, slash) : () => '',
    m: async (entry) => {
      const { octetStream, typeByName } = await import('../../base/mime.ts')
      return entry.kind === 'file' ? (entry.contentType ?? typeByName(entry.path) ?? octetStream) : 'inode/directory'
    },
    T: (entry) => (entry.kind === 'file' ? (entry.tier ?? '') : ''),
    M: async (entry) => jsonText((await metadataOf(ctx, remote, entry)) ?? {}),
  }
  return Array.from(options.format, (letter) => {
    const field = fields[letter]
    if (field) return field
    throw new AppError('usage', `unknown format character '${letter}': use p s t h i o m e T M`)
  })
}

/** The names under which entries are stored, without their folders. */
function storedNames(remote: Remote, slash: Mark): Mark {
  const storedPath = storedPathOf(remote)
  return (entry) => nameOf(storedPath(entry)) + slash(entry)
}

export const lsfCommand: Command = {
  name: 'lsf',
  usage: 'REMOTE:PATH',
  summary: 'List a path for scripts, one entry a line',
  help: 'Only the folder that is named, in order, folders with a slash at the end. -R goes down.',
  examples: [
    ['sluice lsf -R --files-only nas:films', 'the path of every file'],
    ["sluice lsf --format 'tsp' nas:films", 'time;size;path'],
  ],
  options: [lsfOptions],
  args: [1, 1],
  run: (io) =>
    printing(io, 'lsf', async ({ ctx, out, failed }) => {
      const options = io.get(lsfOptions)
      const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
      const fields = fieldsOf(ctx, remote, options)
      const { filesOnly, dirsOnly, csv, separator } = options
      for await (const entry of walk(ctx, remote, {
        failed,
        recurse: options.recursive,
        times: options.format.includes('t'),
      })) {
        if (entry.kind === 'file' ? dirsOnly && !filesOnly : filesOnly && !dirsOnly) continue
        const values = await Promise.all(fields.map(async (field) => await field(entry)))
        await out.write(`${csv ? formatCsv(values) : values.join(separator)}\n`)
      }
    }),
}
