import { lastCache } from '../../backends/cache/index.ts'
import type { ChunkCache } from '../../backends/cache/chunk-cache.ts'
import { AppError, messageOf } from '../../base/error.ts'
import { ordered } from '../../base/json.ts'
import { optional } from '../../schema/field.ts'
import { any, mapOf, object, string } from '../../schema/params.ts'
import { type Call, method, nothing } from '../method.ts'

/** The methods of remotes of type cache. They are about the one that was opened last. */
export const cacheMethods = [
  method({
    path: 'cache/expire',
    title: 'Purge a remote from cache',
    help: 'Forgets what a remote of type cache knows of a file or a directory with all below it.',
    input: {
      remote: optional(string, 'Path in the remote'),
      withData: optional(any, 'When present: with the data of files'),
    },
    output: { status: optional(string, 'ok'), message: optional(string, 'What was done') },
    async run({ services, raw }, { remote }) {
      if (remote === undefined) throw new AppError('invalid', 'remote is needed')
      const path = remote.replace(/^\/+|\/+$/g, '')
      const kind = await cacheOf(services).expire(path, 'withData' in raw)
      return { status: 'ok', message: `cached ${kind} cleared: ${path}` }
    },
  }),
  method({
    path: 'cache/fetch',
    title: 'Fetch file chunks',
    help: 'Has a remote of type cache fetch pieces of files. Each parameter whose name begins with `file` names a file.',
    input: { chunks: optional(string, 'Numbers of pieces: 0, 1:5, :5,-5:'), file: optional(string, 'Path of a file') },
    output: { status: optional(mapOf(object), 'What came of each file') },
    run: fetchChunks,
  }),
  method({
    path: 'cache/stats',
    title: 'Get cache stats',
    help: 'What a remote of type cache has.',
    open: true,
    input: nothing,
    output: { status: optional(string, 'ok'), stats: optional(object, 'Counts of files and pieces') },
    run({ services }) {
      const { chunks, files, directories, bytes } = cacheOf(services).stats
      const data = ordered({
        'oldest-ts': timeOf(chunks.oldestAt),
        'oldest-file': chunks.oldest,
        'newest-ts': timeOf(chunks.newestAt),
        'newest-file': chunks.newest,
        'total-chunks': chunks.count,
        'total-size': bytes,
      })
      const known = ordered({
        'oldest-ts': timeOf(files.oldestAt),
        'oldest-name': files.oldest,
        'newest-ts': timeOf(files.newestAt),
        'newest-name': files.newest,
        'total-files': files.count,
        'total-dir': directories,
      })
      return { status: 'ok', stats: ordered({ data, files: known }) }
    },
  }),
] as const

async function fetchChunks({ ctx, services, raw }: Call, { chunks }: { chunks?: string | undefined }) {
  if (chunks === undefined) throw new AppError('invalid', 'missing chunks parameter')
  const ranges = chunks.split(',')
  const wrong = ranges.find((range) => !/^(?:-?\d+|-?\d*:(?:-?\d+)?)$/.test(range))
  if (wrong !== undefined)
    throw new AppError('invalid', `invalid chunks parameter: invalid range: ${JSON.stringify(wrong)}`)
  const paths: string[] = []
  for (const [key, value] of Object.entries(raw))
    if (key.startsWith('file') && typeof value === 'string') paths.push(value)
    else if (key !== 'chunks') throw new AppError('invalid', `invalid parameter ${key}=${String(value)}`)
  const cache = cacheOf(services)
  const status: Record<string, object> = Object.create(null) as Record<string, object>
  for (const path of paths) {
    const numbers = (count: number) => ranges.flatMap((range) => numbersOf(range, count))
    status[path] = await cache.fetch(ctx, path.replace(/^\/+|\/+$/g, ''), numbers).then(
      (fetched) => ({ Error: '', FetchedChunks: fetched }),
      (error: unknown) => ({ Error: messageOf(error), FetchedChunks: 0 }),
    )
  }
  return { status }
}

/** The numbers of a slice as of Python: `0`, `1:5`, `:5`, `-5:`. */
function numbersOf(range: string, count: number): readonly number[] {
  const [from = '', to] = range.split(':')
  const at = (text: string, missing: number) => {
    if (text === '') return missing
    const number = Number(text)
    return number < 0 ? Math.max(0, count + number) : Math.min(count, number)
  }
  const start = at(from, 0)
  const end = to === undefined ? start + 1 : at(to, count)
  return Array.from({ length: Math.max(0, Math.min(end, count) - start) }, (_, i) => start + i)
}

function cacheOf({ backends }: Call['services']): ChunkCache {
  const cache = lastCache(backends)
  if (!cache) throw new AppError('invalid', 'no remote of type cache is in use')
  return cache
}

/** As rclone writes a time, also when there is none. */
function timeOf(ms: number): string {
  return Number.isNaN(ms) ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString()
}
