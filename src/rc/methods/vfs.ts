import { toNanoseconds, formatDuration, parseDuration } from '../../base/duration.ts'
import { AppError, messageOf } from '../../base/error.ts'
import { ordered } from '../../base/json.ts'
import { join } from '../../base/path.ts'
import { optional, type Params, type ParamType, required } from '../../schema/field.ts'
import { any, bool, float, int, listOf, mapOf, object, string } from '../../schema/params.ts'
import { type OptionBlock, rcName } from '../../schema/option.ts'
import { vfsOptions } from '../../vfs/options.ts'
import type { Vfs } from '../../vfs/vfs.ts'
import { Answer, method } from '../method.ts'

const fs = {
  fs: optional(string, 'Name of the tree, as `vfs/list` has it; may be left out while there is only one'),
}

/** A duration as text, or whole nanoseconds. */
const interval: ParamType<number> = {
  schema: { type: ['string', 'integer'] },
  read(key, value) {
    if (typeof value === 'number' && Number.isInteger(value)) return value / 1e6
    if (typeof value !== 'string') throw wrongValue(key, value)
    try {
      return parseDuration(value)
    } catch (error) {
      throw new AppError('invalid', `parse duration: ${messageOf(error)}`, { cause: error })
    }
  },
}

export const vfsMethods = [
  method({
    path: 'vfs/forget',
    title: 'Forget files or directories in the directory cache',
    help: 'They are looked up anew when they are next asked for. Each parameter whose name begins with `file` or `dir` (`file`, `file2`, `dir=some/path`) names one; without any everything is forgotten.',
    input: { ...fs, file: optional(any, 'Path of a file'), dir: optional(any, 'Path of a directory') },
    output: { forgotten: required(listOf(string), 'The paths that were named') },
    run({ services, raw }, { fs: name }) {
      const { vfs } = services.vfses.find(name)
      const paths = Object.entries(raw).flatMap(([key, value]) => {
        if (key === 'fs') return []
        if (!/^(?:file|dir)/.test(key)) throw unknownKey(key)
        return [pathOf(key, value)]
      })
      if (paths.length === 0) vfs.forget()
      for (const path of paths) vfs.forget(path)
      return { forgotten: paths }
    },
  }),
  method({
    path: 'vfs/refresh',
    title: 'Refresh the directory cache',
    help: 'Reads directories anew. Each parameter whose name begins with `dir` (`dir`, `dir2=some/path`) names one; without any it is the root.',
    input: {
      ...fs,
      dir: optional(any, 'Path of a directory'),
      recursive: optional(any, 'true: with all directories below'),
    },
    output: { result: required(mapOf(string), 'For each path OK, or what is wrong with it') },
    async run({ ctx, services, raw }, { fs: name }) {
      const { vfs } = services.vfses.find(name)
      const recursive = recursiveOf(raw)
      const paths = Object.entries(raw).flatMap(([key, value]) => {
        if (key === 'fs' || key === 'recursive') return []
        if (!key.startsWith('dir')) throw unknownKey(key)
        return [{ path: pathOf(key, value), name: value as string }]
      })
      const result: Record<string, string> = Object.create(null) as Record<string, string>
      for (const { path, name: given } of paths.length === 0 ? [{ path: '', name: '' }] : paths) {
        const all = await vfs.refresh(ctx, path, recursive)
        // What lies below a directory that was named is told only when it is wrong.
        for (const [dir, said] of Object.entries(all))
          if (dir === path || said !== 'OK') result[dir === path ? given : dir] = said
      }
      return { result }
    },
  }),
  method({
    path: 'vfs/poll-interval',
    title: 'Get the status or update the value of the poll-interval option',
    help: 'How often a storage that can tell is asked for what changed in it. Without `interval` it only tells.',
    input: {
      ...fs,
      interval: optional(interval, 'Time between two looks, `1m`; 0 turns them off'),
      timeout: optional(interval, 'Longest time to wait for the change; it takes effect at once'),
    },
    output: {
      enabled: required(bool, 'It looks for changes'),
      supported: required(bool, 'The storage can tell what changed'),
      interval: required(object, 'raw (nanoseconds), seconds, string'),
      timeout: optional(bool, 'The change did not take effect in time'),
    },
    run({ services, raw }, { fs: name, interval: every }) {
      const { vfs } = services.vfses.find(name)
      const other = Object.entries(raw).find(([key]) => !['fs', 'interval', 'timeout'].includes(key))
      if (other) throw new AppError('invalid', `invalid parameter: ${other[0]}=${textOf(other[1])}`)
      if (every !== undefined && every < 0) throw new AppError('invalid', 'interval must be >= 0')
      if (!vfs.canPoll) throw new AppError('invalid', 'poll-interval is not supported by this remote')
      if (every === undefined) return pollStatus(vfs)
      vfs.poll(every === Infinity ? 0 : every)
      return { ...pollStatus(vfs), timeout: false }
    },
  }),
  method({
    path: 'vfs/list',
    title: 'List active VFSes',
    help: 'The trees that servers show, by their remotes; several of one remote have a number behind them: `nas:films[0]`.',
    open: true,
    input: { fs: optional(string, 'Only the trees of this remote') },
    output: { vfses: required(listOf(string), 'Names') },
    run: ({ services: { vfses } }, { fs: only }) => ({
      vfses: vfses.names.filter((name) => only === undefined || name === only || name.startsWith(`${only}[`)),
    }),
  }),
  method({
    path: 'vfs/stats',
    title: 'Stats for a VFS',
    open: true,
    input: fs,
    output: {
      fs: required(string, 'Its remote'),
      inUse: required(int, 'How many use it'),
      metadataCache: required(mapOf(int), 'dirs and files in the directory cache'),
      opt: required(object, 'Its options, as `options/get` names them, with numbers for words'),
      diskCache: optional(object, 'The file cache: bytesUsed, files, uploadsInProgress, uploadsQueued, path ...'),
    },
    async run({ services }, { fs: name }) {
      const found = services.vfses.find(name)
      const { dirs, entries } = found.vfs.held
      const [cached] = found.caches
      await cached?.cache.ready
      return new Answer({
        ...(cached ? { diskCache: cached.cache.stats } : {}),
        fs: found.name.replace(/\[\d+\]$/, ''),
        inUse: 1,
        metadataCache: { dirs, files: entries },
        opt: wireValues(vfsOptions, { ...found.vfs.options, pollInterval: found.vfs.pollInterval }),
      })
    },
  }),
  method({
    path: 'vfs/queue',
    title: 'Queue info for a VFS',
    help: 'What waits to be uploaded; `{}` without a file cache.',
    open: true,
    input: fs,
    output: { queue: optional(listOf(object), 'name, id, size, expiry, tries, delay, uploading') },
    async run({ services }, { fs: name }) {
      const { caches } = services.vfses.find(name)
      if (caches.length === 0) return {}
      // It would seem empty while the files of an earlier run are being found.
      for (const { cache } of caches) await cache.ready
      const queue = caches.flatMap(({ cache, at }) =>
        cache.queue.map((one) => ordered({ ...one, name: join(at, one.name) })),
      )
      return { queue }
    },
  }),
  method({
    path: 'vfs/queue-set-expiry',
    title: 'Set the expiry time for an item queued for upload',
    input: {
      ...fs,
      // The tree is looked at first, so that they are not missed where they would mean nothing.
      id: optional(any, 'Number of the item, from `vfs/queue`; needed'),
      expiry: optional(float, 'Seconds until it is uploaded; needed'),
      relative: optional(bool, 'The seconds are added to the time that is set'),
    },
    output: {},
    run({ services }, { fs: name, id, expiry, relative = false }) {
      const { caches } = services.vfses.find(name)
      if (caches.length === 0) throw new AppError('usage', "can't call this unless using the VFS cache")
      const wanted = int.read('id', needed('id', id))
      const seconds = needed('expiry', expiry)
      const cache = caches.find(({ cache: one }) => one.queue.some((waiting) => waiting.id === wanted))
      if (!cache) throw new AppError('invalid', 'id not found in queue')
      cache.cache.setExpiry(wanted, seconds, relative)
      return {}
    },
  }),
] as const

function pathOf(key: string, value: unknown): string {
  if (typeof value !== 'string') throw wrongValue(key, value)
  return value.replace(/^\/+|\/+$/g, '')
}

/** rclone takes only text here; a real boolean means the same. */
function recursiveOf({ recursive = false }: Params): boolean {
  if (typeof recursive === 'boolean') return recursive
  if (typeof recursive !== 'string') throw wrongValue('recursive', recursive)
  try {
    return bool.read('recursive', recursive)
  } catch (error) {
    throw new AppError('invalid', `invalid value "recursive"=${recursive}`, { cause: error })
  }
}

function needed<T>(key: string, value: T | undefined): T {
  if (value === undefined) throw new AppError('usage', `Didn't find key ${JSON.stringify(key)} in input`)
  return value
}

function unknownKey(key: string): AppError {
  return new AppError('invalid', `unknown key ${JSON.stringify(key)}`)
}

function wrongValue(key: string, value: unknown): AppError {
  return new AppError('invalid', `value must be string ${JSON.stringify(key)}=${textOf(value)}`)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function pollStatus(vfs: Vfs) {
  const ms = vfs.pollInterval
  return {
    enabled: ms > 0,
    supported: vfs.canPoll,
    interval: ordered({ raw: Number(toNanoseconds(ms)), seconds: ms / 1000, string: formatDuration(ms) }),
  }
}

/** The values of a block under the names of `options/get`; one of a set of words is its number. */
function wireValues(block: OptionBlock, values: Readonly<Record<string, unknown>>): object {
  return ordered(
    Object.fromEntries(
      Object.entries(block.options).map(([key, option]) => {
        const value = values[key]
        const index = typeof value === 'string' ? (option.type.choices?.indexOf(value) ?? -1) : -1
        return [rcName(key, option), index >= 0 ? index : option.type.encode(value)]
      }),
    ),
  )
}
