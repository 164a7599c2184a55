import { join } from 'node:path'
import { cacheDirOf } from '../../core/cache-dir.ts'
import { mainOptions } from '../../core/options.ts'
import { type Backend, defineBackend, findBackend } from '../../remote/backend.ts'
import { refuseNowhere, specBelow } from '../../remote/below.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, duration, int, size, string } from '../../schema/values.ts'
import type { ChunkCache } from './chunk-cache.ts'

const MIB = 1024 * 1024
const HOUR = 3_600_000

export const cacheOptions = defineOptions('cache', {
  remote: option(string, '', 'Remote to cache, such as "myremote:path/to/dir"', {
    flag: 'cache-remote',
    required: true,
  }),
  chunkSize: option(size, 5 * MIB, 'Size of the pieces in which files are fetched and kept', {
    flag: 'cache-chunk-size',
  }),
  infoAge: option(duration, 6 * HOUR, 'How long listings are kept before the remote is asked again', {
    flag: 'cache-info-age',
  }),
  chunkTotalSize: option(
    size,
    10 * 1024 * MIB,
    'Most bytes of pieces to keep on disk; what was used longest ago goes first',
    {
      flag: 'cache-chunk-total-size',
    },
  ),
  dbPath: option(string, '', 'Directory for the index of what is kept; by default below --cache-dir', {
    flag: 'cache-db-path',
    advanced: true,
  }),
  chunkPath: option(string, '', 'Directory for the pieces; by default below --cache-dir', {
    flag: 'cache-chunk-path',
    advanced: true,
  }),
  dbPurge: option(bool, false, 'Forget all that is kept when the remote is opened', {
    flag: 'cache-db-purge',
    advanced: true,
  }),
  workers: option(int, 4, 'Pieces that are fetched at once for one reader', { flag: 'cache-workers', advanced: true }),
})

/** The backend, and what of it is open: the last one is what `cache/*` of the remote control is about. */
export interface CacheBackend extends Backend<typeof cacheOptions> {
  readonly opened: Set<ChunkCache>
}

/** Keeps pieces of files and listings of another remote on disk, over restarts. */
export function cacheBackend(): CacheBackend {
  const opened = new Set<ChunkCache>()
  const backend = defineBackend({
    name: 'cache',
    description: 'Cache a remote',
    options: cacheOptions,
    wraps: true,
    async open(ctx, args) {
      const { remote, chunkPath, dbPath, ...config } = args.config
      refuseNowhere('cache', args.name, remote)
      const root = args.root.replace(/^\/+|\/+$/g, '')
      const inner = await args.openRemote(specBelow(remote, root))
      const { openChunkCache } = await import('./chunk-cache.ts')
      const dir = join(cacheDirOf(ctx.get(mainOptions).cacheDir, process.env), 'cache-backend')
      const cache = await openChunkCache(ctx, {
        ...config,
        inner,
        name: args.name,
        remote,
        root,
        chunkDir: chunkPath || dir,
        indexDir: dbPath || dir,
        closed: () => opened.delete(cache),
      })
      opened.add(cache)
      return cache.remote
    },
  })
  return { ...backend, opened }
}

/** The cache that was opened last, of those that are still open. */
export function lastCache(backends: readonly Backend[]): ChunkCache | undefined {
  const found = findBackend(backends, 'cache') as Partial<CacheBackend> | undefined
  return [...(found?.opened ?? [])].at(-1)
}
