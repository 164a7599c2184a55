import { formatSize } from '../../base/size.ts'
import type { Context } from '../../core/context.ts'
import { localTime } from '../../base/local-time.ts'
import { copyOptions } from '../../operations/options.ts'
import { walk } from '../../operations/walk.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import type { Command } from '../command.ts'
import { printing } from './listing.ts'

const lsdOptions = defineOptions('lsd', {
  recursive: option(bool, false, 'Go down into folders', { short: 'R' }),
})

/** A count of bytes, right-aligned; short with --human-readable. */
function sized(ctx: Context, bytes: number, width: number): string {
  const text = ctx.get(copyOptions).humanReadable ? formatSize(bytes) : String(bytes)
  return (bytes < 0 ? '-1' : text).padStart(width)
}

/** `ls`, `lsl` and `lsd`: the listings for people. */
export const lsCommands: readonly Command[] = [
  {
    name: 'ls',
    usage: 'REMOTE:PATH',
    summary: 'List the files of a path with their sizes',
    help: 'Goes down into all folders; --max-depth 1 stays in the one that is named. lsf and lsjson are made for scripts.',
    args: [1, 1],
    run: (io) =>
      printing(io, 'ls', async ({ ctx, out, failed }) => {
        const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
        for await (const entry of walk(ctx, remote, { failed }))
          if (entry.kind === 'file') await out.write(`${sized(ctx, entry.size, 9)} ${entry.path}\n`)
      }),
  },
  {
    name: 'lsl',
    usage: 'REMOTE:PATH',
    summary: 'List the files of a path with sizes and times',
    args: [1, 1],
    run: (io) =>
      printing(io, 'lsl', async ({ ctx, out, failed }) => {
        const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
        for await (const entry of walk(ctx, remote, { failed, times: true }))
          if (entry.kind === 'file')
            await out.write(`${sized(ctx, entry.size, 9)} ${localTime(entry.modTime)} ${entry.path}\n`)
      }),
  },
  {
    name: 'lsd',
    usage: 'REMOTE:PATH',
    summary: 'List the folders of a path',
    options: [lsdOptions],
    args: [1, 1],
    run: (io) =>
      printing(io, 'lsd', async ({ ctx, out, failed }) => {
        const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
        for await (const entry of walk(ctx, remote, { failed, recurse: io.get(lsdOptions).recursive }))
          if (entry.kind === 'directory') {
            const [wide, narrow] = ctx.get(copyOptions).humanReadable ? [9, 8] : [12, 9]
            const count = String(entry.items ?? -1).padStart(narrow)
            await out.write(`${'-1'.padStart(wide)} ${localTime(entry.modTime, 0)} ${count} ${entry.path}\n`)
          }
      }),
  },
]
