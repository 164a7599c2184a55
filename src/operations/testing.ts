import { bodyOf, collect } from '../base/body.ts'
import { AppContext } from '../core/app-context.ts'
import type { Filter } from '../core/filter.ts'
import { nothingExcluded } from '../core/filter.ts'
import { Groups } from '../core/groups.ts'
import { mainOptions } from '../core/options.ts'
import { recordingLogger } from '../core/testing.ts'
import { localBackend } from '../backends/local/index.ts'
import { memoryBackend } from '../backends/memory/index.ts'
import { Remotes } from '../layers/open.ts'
import type { Remote } from '../remote/remote.ts'
import { OptionSet } from '../schema/options.ts'
import { type CopyOptions, copyOptions } from './options.ts'

/** A place to try operations in: a context with flags, its log, and memory and disk to open remotes in. */
export interface Bench {
  readonly ctx: AppContext
  readonly lines: string[]
  readonly remotes: Remotes
  /** The numbers of `core/stats`. */
  stats(): Readonly<Record<string, unknown>>
}

/** Makes one, with flags set. */
export function bench(
  flags: Partial<CopyOptions> = {},
  { filter = nothingExcluded, retries = 3 }: { filter?: Filter; retries?: number } = {},
): Bench {
  const backends = [memoryBackend(), localBackend()]
  const options = new OptionSet([copyOptions, mainOptions, ...backends.map((backend) => backend.options)])
  for (const [key, value] of Object.entries(flags)) options.set(copyOptions, key, value, 'flag')
  options.set(mainOptions, 'lowLevelRetries', retries, 'flag')
  const log = recordingLogger()
  const signal = new AbortController().signal
  const ctx = new AppContext({ signal, log, stats: new Groups().get('test'), filter, options })
  const remotes = new Remotes({ ctx, backends, options, env: {}, config: async () => ({ get: () => undefined }) })
  return {
    ctx,
    lines: log.lines,
    remotes,
    stats: () => ctx.stats.snapshot() as Readonly<Record<string, unknown>>,
  }
}

/** Files to write: content, or content and time in ms. A path with a slash at its end is a folder. */
export type Tree = Readonly<Record<string, string | readonly [content: string, ms: number]>>

/** Writes a tree into a remote; files without a time are from 2020. */
export async function plant({ ctx }: Bench, remote: Remote, tree: Tree): Promise<void> {
  for (const [path, value] of Object.entries(tree)) {
    if (path.endsWith('/')) {
      await remote.mkdir(ctx, path.slice(0, -1))
      continue
    }
    const [content, ms] = typeof value === 'string' ? [value, Date.UTC(2020, 0, 1)] : value
    await remote.put(ctx, path, bodyOf(content), { modTime: BigInt(ms) * 1_000_000n })
  }
}

/** What a remote holds: path → content, folders with a slash at the end and no content. */
export async function harvest({ ctx }: Bench, remote: Remote): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const open = ['']
  for (let dir = open.pop(); dir !== undefined; dir = open.pop())
    for await (const entry of remote.list(ctx, dir)) {
      if (entry.kind === 'directory') {
        found[`${entry.path}/`] = ''
        open.push(entry.path)
      } else found[entry.path] = Buffer.from(await collect(await remote.open(ctx, entry))).toString()
    }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}
