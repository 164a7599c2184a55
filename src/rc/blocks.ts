import { authOptions } from '../auth/options.ts'
import { compatOptions } from '../core/compat-options.ts'
import { filterOptions } from '../core/filter-options.ts'
import { logOptions, mainOptions, statsOptions } from '../core/options.ts'
import { httpOptions } from '../http/options.ts'
import { netOptions } from '../net/options.ts'
import { copyOptions } from '../operations/options.ts'
import { originOptions } from '../origin/options.ts'
import { vfsOptions } from '../vfs/options.ts'
import { optionsByFlag, optionsByName } from './block-values.ts'
import { metricsAuthOptions, metricsHttpOptions, rcAuthOptions, rcHttpOptions, rcOptions } from './options.ts'
import type { RcBlock } from './services.ts'

const declared: readonly Omit<RcBlock, 'named' | 'flat'>[] = [
  { name: 'main', blocks: [mainOptions, copyOptions, netOptions, statsOptions, logOptions, compatOptions] },
  { name: 'filter', blocks: [filterOptions] },
  { name: 'log', blocks: [logOptions] },
  { name: 'vfs', blocks: [vfsOptions] },
  { name: 'http', blocks: [originOptions], nested: { HTTP: httpOptions, Auth: authOptions }, frozen: true },
  {
    name: 'rc',
    blocks: [rcOptions],
    nested: {
      HTTP: rcHttpOptions,
      Auth: rcAuthOptions,
      MetricsHTTP: metricsHttpOptions,
      MetricsAuth: metricsAuthOptions,
    },
    frozen: true,
  },
]

/** The option blocks under the names that rc clients know (rc.md 3.3). */
export const rcBlocks: readonly RcBlock[] = declared.map((block) => ({
  ...block,
  named: optionsByName(block.blocks),
  flat: optionsByFlag(block.blocks),
}))
