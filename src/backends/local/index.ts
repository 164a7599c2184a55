import { once } from '../../base/once.ts'
import { type Backend, type CommandInfo, defineBackend } from '../../remote/backend.ts'
import { encodingOption } from '../../remote/encoding.ts'
import { hashKinds } from '../../remote/hash.ts'
import { defineOptions, option, type Values } from '../../schema/option.ts'
import { bool, commaList, oneOf } from '../../schema/values.ts'
import { localMetadata } from './metadata.ts'

/** The encoding of a disk on which names may be anything but `.`, `..` and what has a slash. */
export const AS_THEY_ARE = 'Slash,Dot'

/** Options of the local disk (rclone's names), and three of our own: `copy_links_outside`, `durability` and `no_sendfile`. */
export const localOptions = defineOptions('local', {
  copyLinks: option(bool, false, 'Follow symbolic links that lead to something inside the root', {
    flag: 'copy-links',
    short: 'L',
    advanced: true,
  }),
  copyLinksOutside: option(bool, false, 'With --copy-links, follow links that lead out of the root as well', {
    flag: 'copy-links-outside',
    advanced: true,
  }),
  links: option(
    bool,
    false,
    "Show symbolic links as small text files with the ending '.rclonelink', and make links of such",
    {
      flag: 'links',
      short: 'l',
      advanced: true,
    },
  ),
  skipLinks: option(bool, false, 'Say nothing about symbolic links that are left out', {
    flag: 'skip-links',
    advanced: true,
  }),
  oneFileSystem: option(bool, false, "Don't cross file system boundaries", {
    flag: 'one-file-system',
    short: 'x',
    advanced: true,
  }),
  noCheckUpdated: option(bool, false, "Don't check whether a file has changed since it was looked up", {
    flag: 'local-no-check-updated',
    advanced: true,
  }),
  noSparse: option(bool, false, "Don't make files sparse when they are written in several places at once", {
    flag: 'local-no-sparse',
    advanced: true,
  }),
  noSendfile: option(bool, false, "Don't have the system send files to plain HTTP connections by itself (sendfile)", {
    flag: 'local-no-sendfile',
    advanced: true,
  }),
  noSetModtime: option(bool, false, "Don't set modification times", { flag: 'local-no-set-modtime', advanced: true }),
  caseSensitive: option(bool, false, 'Treat the file system as case sensitive', {
    flag: 'local-case-sensitive',
    advanced: true,
  }),
  caseInsensitive: option(bool, false, 'Treat the file system as case insensitive', {
    flag: 'local-case-insensitive',
    advanced: true,
  }),
  hashes: option(commaList, [], `Checksums to offer, all when empty: ${hashKinds.join(',')}`, {
    flag: 'local-hashes',
    advanced: true,
  }),
  timeType: option(
    oneOf('mtime', 'atime', 'btime', 'ctime'),
    'mtime',
    'Which time of a file is its modification time',
    {
      flag: 'local-time-type',
      advanced: true,
    },
  ),
  durability: option(
    oneOf('auto', 'full', 'rename'),
    'auto',
    'When a written file counts as stored: "full" = once its bytes and its name are on the disk (fsync), "rename" = once it has its name; "auto" = "rename" for the copies that copy and sync make, "full" for all else',
    { flag: 'local-durability', advanced: true },
  ),
  encoding: encodingOption('local-encoding', AS_THEY_ARE),
  unicodeNormalization: option(bool, false, 'Show names in Unicode form NFC, whatever form they have on the disk', {
    flag: 'local-unicode-normalization',
    advanced: true,
  }),
})

const localCommands: readonly CommandInfo[] = [
  {
    name: 'noop',
    summary: 'Do nothing, to try out how backend commands are called',
    usage: '[ARGUMENT]...',
    options: { echo: 'Give back the arguments and options', error: 'Fail with this text' },
  },
]

export type LocalOptions = Values<typeof localOptions>

/** Files of this machine. What looks at very many of them is shared by all remotes. */
export function localBackend(): Backend<typeof localOptions> {
  const looks = once(async () => new (await import('./looks.ts')).Looks())
  return defineBackend({
    name: 'local',
    description: 'Local disk',
    options: localOptions,
    metadata: localMetadata,
    commands: localCommands,
    async open(ctx, args) {
      const { openLocal } = await import('./open.ts')
      return openLocal(ctx, args, await looks())
    },
  })
}
