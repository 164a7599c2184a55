import { authOptions } from '../auth/options.ts'
import { compatOptions } from '../core/compat-options.ts'
import { filterOptions } from '../core/filter-options.ts'
import { logOptions, mainOptions, statsOptions } from '../core/options.ts'
import { httpOptions } from '../http/options.ts'
import { netOptions } from '../net/options.ts'
import { copyOptions } from '../operations/options.ts'
import { originOptions } from '../origin/options.ts'
import { vfsOptions } from '../vfs/options.ts'
import { type DeclaredBlock, indexed } from './block-values.ts'
import { compatHttp, compatLog, compatMain } from './compat-values.ts'
import { mountOptions } from './mount-options.ts'
import { metricsAuthOptions, metricsHttpOptions, rcAuthOptions, rcHttpOptions, rcOptions } from './options.ts'
import type { RcBlock } from './services.ts'

/** Names of a server's options up to rclone 1.60, and where they are now. */
const formerly: Readonly<Record<string, string>> = {
  ListenAddr: 'HTTP.ListenAddr.0',
  BaseURL: 'HTTP.BaseURL',
  ServerReadTimeout: 'HTTP.ServerReadTimeout',
  ServerWriteTimeout: 'HTTP.ServerWriteTimeout',
  MaxHeaderBytes: 'HTTP.MaxHeaderBytes',
  SslCert: 'HTTP.TLSCert',
  SslKey: 'HTTP.TLSKey',
  ClientCA: 'HTTP.ClientCA',
  MinTLSVersion: 'HTTP.MinTLSVersion',
  HtPasswd: 'Auth.HtPasswd',
  Realm: 'Auth.Realm',
  BasicUser: 'Auth.BasicUser',
  BasicPass: 'Auth.BasicPass',
}

const declared: readonly DeclaredBlock[] = [
  {
    name: 'main',
    blocks: [mainOptions, copyOptions, netOptions, statsOptions, logOptions, compatOptions],
    omit: ['file', 'format', 'systemd'],
    fixed: compatMain,
  },
  { name: 'filter', blocks: [filterOptions] },
  { name: 'log', blocks: [logOptions], omit: ['level', 'useJsonLog'], fixed: compatLog },
  { name: 'vfs', blocks: [vfsOptions] },
  { name: 'mount', blocks: [mountOptions] },
  {
    name: 'http',
    blocks: [originOptions],
    nested: { HTTP: httpOptions, Auth: authOptions },
    fixed: { HTTP: compatHttp },
    formerly,
    frozen: true,
  },
  {
    name: 'rc',
    blocks: [rcOptions],
    nested: {
      HTTP: rcHttpOptions,
      Auth: rcAuthOptions,
      MetricsHTTP: metricsHttpOptions,
      MetricsAuth: metricsAuthOptions,
    },
    fixed: { HTTP: compatHttp, MetricsHTTP: compatHttp },
    formerly: {
      AccessControlAllowOrigin: 'HTTP.AllowOrigin',
      'HTTPOptions.Template': 'Template.Path',
      ...Object.fromEntries(Object.entries(formerly).map(([old, now]) => [`HTTPOptions.${old}`, now])),
    },
    frozen: true,
  },
]

/** The option blocks under the names that rc clients know (rc.md 3.3). */
export const rcBlocks: readonly RcBlock[] = declared.map(indexed)
