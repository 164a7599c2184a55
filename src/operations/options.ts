import { defineOptions, option, type Values } from '../schema/option.ts'
import { bool, commaList, duration, int, oneOf, pairs, size, string, strings } from '../schema/values.ts'

const compare = { group: 'Copy' }
const sync = { group: 'Sync' }
const MIB = 1024 * 1024

/** Flags that every command for files has: what is compared, copied and deleted. rclone's names and defaults. */
export const copyOptions = defineOptions('copy', {
  dryRun: option(bool, false, 'Only say what would be done', { short: 'n', group: 'Important' }),
  interactive: option(bool, false, 'Ask before each change', { short: 'i', group: 'Important' }),
  checksum: option(bool, false, 'Compare size and checksum instead of size and time', {
    short: 'c',
    rc: 'CheckSum',
    ...compare,
  }),
  sizeOnly: option(bool, false, 'Compare the size alone', compare),
  ignoreSize: option(bool, false, "Don't compare sizes", compare),
  ignoreTimes: option(bool, false, 'Copy all files, whether they look the same or not', { short: 'I', ...compare }),
  ignoreExisting: option(bool, false, 'Leave alone all files that the destination has', compare),
  ignoreChecksum: option(bool, false, "Don't check checksums after a copy", compare),
  ignoreCaseSync: option(bool, false, 'Match names whatever their case', compare),
  fixCase: option(
    bool,
    false,
    "With names that match whatever their case: give those of the destination the source's case",
    compare,
  ),
  noUnicodeNormalization: option(bool, false, "Don't match names that differ in their Unicode form", compare),
  updateOlder: option(bool, false, 'Leave alone files that are newer at the destination', {
    flag: 'update',
    short: 'u',
    ...compare,
  }),
  immutable: option(bool, false, 'Never change a file that exists; fail if its source has changed', compare),
  modifyWindow: option(duration, 1e-6, 'Times that differ by less than this are the same', compare),
  refreshTimes: option(bool, false, 'Set times only, of files that have no checksum in common', compare),
  maxDepth: option(int, -1, 'Folders within folders to go down; -1 is unlimited', compare),
  noTraverse: option(
    bool,
    false,
    'Look files up one by one instead of listing the destination: for few files',
    compare,
  ),
  noCheckDest: option(bool, false, "Don't look at the destination, copy everything", compare),
  noUpdateModTime: option(bool, false, "Don't set times at the destination of files that are the same otherwise", {
    flag: 'no-update-modtime',
    ...compare,
  }),
  metadata: option(bool, false, 'Keep the metadata of files', { short: 'M', ...compare }),
  metadataSet: option(pairs, [], 'With --metadata: metadata that all copies get, as KEY=VALUE', compare),
  compareDest: option(strings, [], 'Leave out files that are the same in one of these places', compare),
  copyDest: option(strings, [], 'As --compare-dest, but copy the file from there to the destination', compare),
  orderBy: option(
    string,
    '',
    'What to copy first: size, name or modtime, then ",asc", ",desc" or ",mixed" with a percentage',
    compare,
  ),
  checkFirst: option(bool, false, 'Compare everything before the first copy', compare),
  maxBacklog: option(int, 10_000, 'Files that may wait to be copied', compare),
  multiThreadCutoff: option(size, 256 * MIB, 'Copy files from this size in several streams', compare),
  multiThreadStreams: option(int, 4, 'Streams for such files', compare),
  maxTransfer: option(size, -1, 'Stop after so many bytes', { group: 'Limits' }),
  cutoffMode: option(oneOf('HARD', 'SOFT', 'CAUTIOUS'), 'HARD', 'What --max-transfer does to copies that run', {
    group: 'Limits',
  }),
  maxDuration: option(duration, 0, 'Stop after this time', { group: 'Limits' }),
  errorOnNoTransfer: option(bool, false, 'End with status 9 when nothing was transferred', { group: 'Limits' }),
  deleteBefore: option(bool, false, 'Delete files at the destination before anything is copied', {
    rc: false,
    ...sync,
  }),
  deleteDuring: option(bool, false, 'Delete files at the destination folder by folder', { rc: false, ...sync }),
  deleteAfter: option(bool, false, 'Delete files at the destination when all is copied; so it is anyway', {
    rc: false,
    ...sync,
  }),
  maxDelete: option(int, -1, 'Delete no more files than this', sync),
  maxDeleteSize: option(size, -1, 'Delete no more bytes than this', sync),
  ignoreErrors: option(bool, false, 'Delete even when there were errors', sync),
  backupDir: option(string, '', 'Move files there that would be overwritten or deleted', sync),
  suffix: option(
    string,
    '',
    'Add this to the names of files that are kept by --backup-dir, or kept where they are',
    sync,
  ),
  suffixKeepExtension: option(bool, false, 'Put the suffix before the extension', sync),
  trackRenames: option(bool, false, 'Rename files at the destination that were renamed at the source', sync),
  trackRenamesStrategy: option(commaList, ['hash'], 'What tells a renamed file: hash, modtime, leaf', {
    asText: true,
    ...sync,
  }),
  humanReadable: option(bool, false, 'Write sizes as 1.5Ki', { group: 'Listing' }),
  progress: option(bool, false, 'Show the progress on the terminal', { short: 'P', group: 'Logging' }),
})

export type CopyOptions = Values<typeof copyOptions>
