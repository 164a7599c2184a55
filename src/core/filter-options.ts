import { defineOptions, option } from '../schema/option.ts'
import { bool, duration, size, string, strings } from '../schema/values.ts'

const FROM = 'from file (use - to read from stdin)'
const group = 'Filter'

/** What is seen of a remote: rclone's filter flags, in the order in which their rules are tried. */
export const filterOptions = defineOptions('filter', {
  include: option(strings, [], 'Include files matching pattern', { rc: 'IncludeRule', group }),
  includeFrom: option(strings, [], `Read file include patterns ${FROM}`, { group }),
  exclude: option(strings, [], 'Exclude files matching pattern', { rc: 'ExcludeRule', group }),
  excludeFrom: option(strings, [], `Read file exclude patterns ${FROM}`, { group }),
  filter: option(strings, [], 'Add a file filtering rule', { rc: 'FilterRule', short: 'f', group }),
  filterFrom: option(strings, [], `Read file filtering patterns ${FROM}`, { group }),
  filesFrom: option(strings, [], `Read list of source-file names ${FROM}`, { group }),
  filesFromRaw: option(strings, [], `Read list of source-file names without any processing of lines ${FROM}`, {
    group,
  }),
  filesFrom0: option(strings, [], `Read list of source-file names that end in a NUL byte ${FROM}`, { group }),
  minSize: option(size, -1, 'Only see files bigger than this in KiB or suffix B|K|M|G|T|P', { group }),
  maxSize: option(size, -1, 'Only see files smaller than this in KiB or suffix B|K|M|G|T|P', { group }),
  minAge: option(duration, Infinity, 'Only see files older than this in s or suffix ms|s|m|h|d|w|M|y', { group }),
  maxAge: option(duration, Infinity, 'Only see files younger than this in s or suffix ms|s|m|h|d|w|M|y', { group }),
  excludeIfPresent: option(strings, [], 'Exclude directories if filename is present', { rc: 'ExcludeFile', group }),
  ignoreCase: option(bool, false, 'Ignore case in filters (case insensitive)', { group }),
  hashFilter: option(string, '', 'Partition filenames by hash k/n or randomly @/n', { group }),
  deleteExcluded: option(bool, false, 'Delete files on dest excluded from sync', { group }),
  metadataInclude: option(strings, [], 'Include metadatas matching pattern', {
    rc: 'MetaRules.IncludeRule',
    group,
  }),
  metadataIncludeFrom: option(strings, [], `Read metadata include patterns ${FROM}`, {
    rc: 'MetaRules.IncludeFrom',
    group,
  }),
  metadataExclude: option(strings, [], 'Exclude metadatas matching pattern', {
    rc: 'MetaRules.ExcludeRule',
    group,
  }),
  metadataExcludeFrom: option(strings, [], `Read metadata exclude patterns ${FROM}`, {
    rc: 'MetaRules.ExcludeFrom',
    group,
  }),
  metadataFilter: option(strings, [], 'Add a metadata filtering rule', {
    rc: 'MetaRules.FilterRule',
    group,
  }),
  metadataFilterFrom: option(strings, [], `Read metadata filtering patterns ${FROM}`, {
    rc: 'MetaRules.FilterFrom',
    group,
  }),
})
