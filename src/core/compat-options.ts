import { defineOptions, option } from '../schema/option.ts'
import { bool, duration } from '../schema/values.ts'

const group = { group: 'Compatibility' }

/** Flags that scripts for rclone may hold and that have nothing to do here: they are taken, so that the scripts go on working. */
export const compatOptions = defineOptions('compat', {
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
