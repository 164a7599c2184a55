import { defineOptions, option } from '../schema/option.ts'
import { bool, commaList, duration, int, size } from '../schema/values.ts'

const group = { group: 'Compatibility' }
const KIB = 1024
const MIB = 1024 * KIB

/** Flags that scripts for rclone may hold and that have nothing to do here: they are taken, so that the scripts go on working. */
export const compatOptions = defineOptions('compat', {
  fastList: option(bool, false, 'Taken for compatibility: many folders are always listed at once', {
    rc: 'UseListR',
    ...group,
  }),
  inplace: option(bool, false, 'Taken for compatibility: a file has its name once it is whole', group),
  serverSideAcrossConfigs: option(
    bool,
    false,
    'Taken for compatibility: storage copies by itself within one remote',
    group,
  ),
  disable: option(commaList, [], 'Taken for compatibility: what a storage can do is used', {
    rc: false, // clients know a text there, or nothing
    ...group,
  }),
  streamingUploadCutoff: option(
    size,
    100 * KIB,
    'Taken for compatibility: uploads of unknown size are streamed from their first byte',
    group,
  ),
  multiThreadChunkSize: option(size, 64 * MIB, 'Taken for compatibility: pieces have the size that fits', group),
  multiThreadWriteBufferSize: option(
    size,
    128 * KIB,
    'Taken for compatibility: buffers have the size that fits',
    group,
  ),
  listCutoff: option(int, 1_000_000, 'Taken for compatibility: folders are sorted in memory', group),
  maxBufferMemory: option(size, -1, 'Taken for compatibility: buffers are bounded by --buffer-size', group),
  maxStatsGroups: option(int, 1000, 'Taken for compatibility: so many groups are always kept', group),
  noUpdateDirModtime: option(bool, false, 'Taken for compatibility: times of folders are left alone', {
    rc: 'NoUpdateDirModTime',
    ...group,
  }),
  progressTerminalTitle: option(bool, false, 'Taken for compatibility: the title is left alone', group),
  kvLockTime: option(duration, 1000, 'Taken for compatibility: databases are waited for as long as needed', group),
  useCookies: option(bool, false, 'Taken for compatibility: cookies are not kept', { rc: 'Cookie', ...group }),
  expectContinueTimeout: option(duration, 1000, 'Taken for compatibility: uploads are sent at once', group),
  disableHttpKeepAlives: option(bool, false, 'Taken for compatibility: idle connections are closed by themselves', {
    rc: 'DisableHTTPKeepAlives',
    ...group,
  }),
  useMmap: option(bool, false, 'Taken for compatibility: memory is managed by Node.js', group),
  noConsole: option(bool, false, 'Taken for compatibility: for Windows only', group),
  disableHttp2: option(bool, false, 'Taken for compatibility: remotes are asked over HTTP/1.1', {
    flag: 'disable-http2',
    rc: 'DisableHTTP2',
    ...group,
  }),
  noGzipEncoding: option(bool, false, 'Taken for compatibility: remotes are never asked for compressed data', {
    rc: 'NoGzip',
    ...group,
  }),
  fsCacheExpireInterval: option(
    duration,
    60_000,
    'Taken for compatibility: remotes are closed when they are due',
    group,
  ),
  localNounc: option(bool, false, 'Taken for compatibility: for Windows only', { rc: false, ...group }),
  localNoPreallocate: option(bool, false, 'Taken for compatibility: no disk space is set aside beforehand', {
    rc: false,
    ...group,
  }),
  localZeroSizeLinks: option(bool, false, 'Taken for compatibility: links are always read', { rc: false, ...group }),
})
