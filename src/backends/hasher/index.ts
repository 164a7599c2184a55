import { type CommandInfo, defineBackend } from '../../remote/backend.ts'
import { refuseNowhere } from '../../remote/below.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { commaList, duration, size, string } from '../../schema/values.ts'

export const hasherOptions = defineOptions('hasher', {
  remote: option(string, '', 'Remote whose checksums are to be kept, such as "myremote:path"', {
    flag: 'hasher-remote',
    required: true,
  }),
  hashes: option(commaList, ['md5', 'sha1'], 'Checksums to keep, separated by commas', { flag: 'hasher-hashes' }),
  maxAge: option(duration, Infinity, 'How long a checksum is kept; off is for ever, 0 keeps none', {
    flag: 'hasher-max-age',
  }),
  autoSize: option(size, 0, 'Files up to this size are read when a checksum of them is asked for and not known', {
    flag: 'hasher-auto-size',
    advanced: true,
  }),
})

const hasherCommands: readonly CommandInfo[] = [
  { name: 'drop', summary: 'Forget all checksums that are kept' },
  { name: 'dump', summary: 'Show what is kept of the files below the path' },
  { name: 'fulldump', summary: 'Show all that is kept' },
  {
    name: 'import',
    summary: 'Take over a list of checksums, of files as they are now',
    usage: 'KIND REMOTE:FILE',
    help: 'The list is one that md5sum and its like make. Files that are not there are left out.',
  },
  {
    name: 'stickyimport',
    summary: 'Take over a list of checksums without looking at the files',
    usage: 'KIND REMOTE:FILE',
    help: 'The list is one that md5sum and its like make. What it says holds for any version of a file.',
  },
]

/** A remote that remembers the checksums of what goes through it, for storage that has none or makes them slowly. */
export const hasherBackend = defineBackend({
  name: 'hasher',
  description: 'Better checksums for other remotes',
  options: hasherOptions,
  commands: hasherCommands,
  wraps: true,
  async open(ctx, args) {
    refuseNowhere('hasher', args.name, args.config.remote)
    const { openHasher } = await import('./remote.ts')
    return await openHasher(ctx, args)
  },
})
