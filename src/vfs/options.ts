import { defineOptions, option, type Values } from '../schema/option.ts'
import { bool, duration, fileMode, int, oneOf, size, string } from '../schema/values.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const MIB = 1024 * 1024
const mounts = 'for mounts, without effect over HTTP'

/** Octal; what is not octal is a decimal number, as the first releases of rclone read it. */
const umask: typeof fileMode = {
  ...fileMode,
  parse: (text) => (/^[0-9]{1,3}$/.test(text) && /[89]/.test(text) ? Number(text) : fileMode.parse(text)),
}

/** The virtual file system between a remote and what serves it (serve-http.md section 2.0). */
export const vfsOptions = defineOptions('vfs', {
  dirCacheTime: option(duration, 5 * MINUTE, 'Time to keep a directory listing before the remote is asked again', {
    live: true,
  }),
  dirCachePersist: option(bool, false, 'Keep directory listings on disk, so that a restart does not read them anew', {
    rc: false,
  }),
  pollInterval: option(
    duration,
    MINUTE,
    'Time between looks for changes on remotes that can tell; must be smaller than --dir-cache-time, 0 turns it off',
  ),
  noModtime: option(bool, false, "Don't show modification times in listings", { rc: 'NoModTime' }),
  noChecksum: option(bool, false, "Don't compare checksums after a file was read whole"),
  noSeek: option(bool, false, "Don't allow reading parts of files"),
  readOnly: option(bool, false, 'Allow no changes'),
  refresh: option(bool, false, 'Read all directories in the background at start', { flag: 'vfs-refresh' }),
  caseInsensitive: option(bool, false, 'When a name is not found, look for one that differs in case only', {
    flag: 'vfs-case-insensitive',
  }),
  noUnicodeNormalization: option(bool, false, "Don't look for other Unicode forms of a name that is not found"),
  blockNormDupes: option(bool, false, 'Hide names that differ from another one in case or Unicode form only', {
    flag: 'vfs-block-norm-dupes',
  }),
  chunkSize: option(size, 128 * MIB, 'Read files of remotes in pieces of this size; 0 or off reads in one piece', {
    flag: 'vfs-read-chunk-size',
  }),
  chunkSizeLimit: option(size, -1, 'Double the size of each piece up to this one; off is unlimited', {
    flag: 'vfs-read-chunk-size-limit',
  }),
  chunkStreams: option(int, 0, 'Read this many pieces at once, without doubling', { flag: 'vfs-read-chunk-streams' }),
  metadataExtension: option(string, '', 'Show the metadata of FILE as JSON under FILE and this ending', {
    flag: 'vfs-metadata-extension',
  }),
  cacheMode: option(oneOf('off', 'minimal', 'writes', 'full'), 'off', 'Keep files on disk: off|minimal|writes|full', {
    flag: 'vfs-cache-mode',
  }),
  cacheMaxAge: option(duration, 60 * MINUTE, 'Keep files on disk this long after they were last used', {
    flag: 'vfs-cache-max-age',
  }),
  cacheMaxSize: option(size, -1, 'Most bytes to keep on disk', { flag: 'vfs-cache-max-size' }),
  cacheMinFreeSpace: option(size, -1, 'Free space to leave on the disk of the cache', {
    flag: 'vfs-cache-min-free-space',
  }),
  cachePollInterval: option(duration, MINUTE, 'Time between looks for files to drop from the disk', {
    flag: 'vfs-cache-poll-interval',
  }),
  writeBack: option(duration, 5 * SECOND, 'Time to wait before a changed file is uploaded', {
    flag: 'vfs-write-back',
  }),
  readAhead: option(size, 0, 'Bytes to read ahead of a reader with --vfs-cache-mode full', {
    flag: 'vfs-read-ahead',
  }),
  readWait: option(duration, 20, `Time to wait for reads to come in order before seeking; ${mounts}`, {
    flag: 'vfs-read-wait',
  }),
  writeWait: option(duration, SECOND, `Time to wait for writes to come in order before failing; ${mounts}`, {
    flag: 'vfs-write-wait',
  }),
  handleCaching: option(duration, 5 * SECOND, 'Keep files of the cache open this long after their last use', {
    flag: 'vfs-handle-caching',
  }),
  fastFingerprint: option(bool, false, 'Recognise changed files by what costs no extra request', {
    flag: 'vfs-fast-fingerprint',
  }),
  usedIsSize: option(bool, false, `Take the size of all files for the used space; ${mounts}`, {
    flag: 'vfs-used-is-size',
  }),
  diskSpaceTotalSize: option(size, -1, `Total space to report; ${mounts}`, { flag: 'vfs-disk-space-total-size' }),
  links: option(bool, false, `Show links as links; ${mounts}`, { flag: 'vfs-links' }),
  dirPerms: option(fileMode, 0o777, `Permissions of directories; ${mounts}`),
  filePerms: option(fileMode, 0o666, `Permissions of files; ${mounts}`),
  linkPerms: option(fileMode, 0o666, `Permissions of links; ${mounts}`),
  uid: option(int, process.getuid?.() ?? 0, `Owner of files; ${mounts}`, { rc: 'UID' }),
  gid: option(int, process.getgid?.() ?? 0, `Group of files; ${mounts}`, { rc: 'GID' }),
  umask: option(umask, 0o002, `Permission bits to take away; ${mounts}`),
})

export type VfsOptions = Values<typeof vfsOptions>
