import { AppError } from '../../base/error.ts'
import { defineBackend } from '../../remote/backend.ts'
import { specBelow } from '../../remote/below.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { int, oneOf, size, spaceList } from '../../schema/values.ts'
import { policies } from './policy.ts'
import { parseUpstream } from './upstream.ts'

const GiB = 1024 ** 3

export const unionOptions = defineOptions('union', {
  upstreams: option(
    spaceList,
    [],
    'Remotes to show as one: "remote1:dir remote2: /a/path". With :ro behind it one is never changed, with :nc nothing new is made in it, with :writeback files found elsewhere are copied to it',
    { flag: 'union-upstreams', required: true },
  ),
  actionPolicy: option(oneOf(...policies), 'epall', 'Which upstreams are changed, of those that have a file', {
    flag: 'union-action-policy',
  }),
  createPolicy: option(oneOf(...policies), 'epmfs', 'Which upstream gets a new file', { flag: 'union-create-policy' }),
  searchPolicy: option(oneOf(...policies), 'ff', 'Which upstream a file is read from', { flag: 'union-search-policy' }),
  cacheTime: option(int, 120, 'How long used and free space are remembered, seconds', { flag: 'union-cache-time' }),
  minFreeSpace: option(size, GiB, 'Free space below which lfs and eplfs leave an upstream alone', {
    flag: 'union-min-free-space',
    advanced: true,
  }),
})

/** Several remotes laid over each other: one tree with the files of all. */
export const unionBackend = defineBackend({
  name: 'union',
  description: 'Union merges the contents of several upstream fs',
  options: unionOptions,
  wraps: true,
  async open(_ctx, args) {
    const { upstreams } = args.config
    if (upstreams.length === 0)
      throw new AppError('invalid', "union can't point to an empty upstream - check the value of the upstreams setting")
    const root = args.root.replace(/^\/+|\/+$/g, '')
    const { openUnion } = await import('./remote.ts')
    return await openUnion(
      args,
      upstreams.map(parseUpstream).map(({ spec, mode }) => ({ spec: specBelow(spec, root), mode })),
    )
  },
})
