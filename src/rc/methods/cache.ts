import { AppError } from '../../base/error.ts'
import { optional } from '../../schema/field.ts'
import { any, mapOf, object, string } from '../../schema/params.ts'
import { type Call, method, nothing } from '../method.ts'

/** The methods of rclone's deprecated cache storage. This program has none: its trees keep listings by themselves. */
export const cacheMethods = [
  method({
    path: 'cache/expire',
    title: 'Purge a remote from cache',
    help: 'Only for remotes of type cache, which this program does not have: `vfs/forget` forgets listings.',
    input: {
      remote: optional(string, 'Path in the remote'),
      withData: optional(any, 'When present: with the data of files'),
    },
    output: { status: optional(string, 'ok'), message: optional(string, 'What was done') },
    run(_call, { remote }) {
      if (remote === undefined) throw new AppError('invalid', 'remote is needed')
      throw noCache()
    },
  }),
  method({
    path: 'cache/fetch',
    title: 'Fetch file chunks',
    help: 'Only for remotes of type cache, which this program does not have.',
    input: { chunks: optional(string, 'Numbers of pieces: 0, 1:5, :5,-5:'), file: optional(string, 'Path of a file') },
    output: { status: optional(mapOf(object), 'What came of each file') },
    run: fetchChunks,
  }),
  method({
    path: 'cache/stats',
    title: 'Get cache stats',
    help: 'Only for remotes of type cache, which this program does not have.',
    open: true,
    input: nothing,
    output: { status: optional(string, 'ok'), stats: optional(object, 'Counts of files and pieces') },
    run() {
      throw noCache()
    },
  }),
] as const

function fetchChunks({ raw }: Call, { chunks }: { chunks?: string | undefined }): never {
  if (chunks === undefined) throw new AppError('invalid', 'missing chunks parameter')
  const wrong = chunks.split(',').find((range) => !/^(?:-?\d+|-?\d*:(?:-?\d+)?)$/.test(range))
  if (wrong !== undefined)
    throw new AppError('invalid', `invalid chunks parameter: invalid range: ${JSON.stringify(wrong)}`)
  for (const [key, value] of Object.entries(raw))
    if (key !== 'chunks' && !key.startsWith('file'))
      throw new AppError('invalid', `invalid parameter ${key}=${String(value)}`)
  throw noCache()
}

function noCache(): AppError {
  return new AppError('invalid', 'no remote of type cache is in use')
}
