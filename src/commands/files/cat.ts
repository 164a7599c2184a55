import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { Faults } from '../../operations/faults.ts'
import { walk } from '../../operations/walk.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { defineOptions, option, type Values } from '../../schema/option.ts'
import { bool, int, string } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'

const catOptions = defineOptions('cat', {
  head: option(int, 0, 'Only the first N bytes of each file'),
  tail: option(int, 0, 'Only the last N bytes of each file'),
  offset: option(int, 0, 'Begin at this byte; from the end when negative'),
  count: option(int, -1, 'Only so many bytes'),
  discard: option(bool, false, 'Read, but print nothing'),
  separator: option(string, '', 'Print this between files'),
})

/** The bytes that the flags ask for: from where, negative = from the end, and how many. */
function window(options: Values<typeof catOptions>): { offset: number; count: number } {
  const { head, tail, offset, count } = options
  const used = [offset > 0 || count >= 0 || offset < 0, head > 0, tail > 0].filter(Boolean).length
  if (used > 1) throw new AppError('usage', 'use one of --head, --tail, or --offset with --count')
  if (head > 0) return { offset: 0, count: head }
  return tail > 0 ? { offset: -tail, count: -1 } : { offset, count }
}

async function print(io: CommandIo, ctx: Context, remote: Remote, file: FileEntry): Promise<void> {
  const { offset, count } = window(io.get(catOptions))
  const start = offset < 0 ? Math.max(0, file.size + offset) : offset
  const end = count < 0 ? Infinity : start + count
  const transfer = ctx.stats.transfer(file.path, file.size)
  try {
    for await (const chunk of transfer.account(await remote.open(ctx, file, { start, end }), () => ctx.signal))
      if (!io.get(catOptions).discard) await io.stdout(chunk)
    transfer.done()
  } catch (error) {
    transfer.done(error as Error)
    throw error
  }
}

export const catCommand: Command = {
  name: 'cat',
  usage: 'REMOTE:PATH',
  summary: 'Print files, one after the other',
  help: 'A folder is printed with all files in it, in order.',
  examples: [['sluice cat --tail 1000 nas:log/app.log', 'the end of a file']],
  options: [catOptions],
  args: [1, 1],
  run(io) {
    window(io.get(catOptions))
    return attempts(io, { name: 'cat', retry: false, stats: false }, async (ctx) => {
      const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
      const faults = new Faults(ctx)
      const failed = (error: Error, dir: string) => faults.log(dir, 'error listing: ', error)
      const { separator, discard } = io.get(catOptions)
      let first = true
      for await (const entry of walk(ctx, remote, { failed })) {
        if (entry.kind !== 'file') continue
        if (!first && !discard && separator !== '') await io.stdout(separator)
        first = false
        await print(io, ctx, remote, entry).catch((error: unknown) =>
          faults.log(entry.path, 'Failed to open: ', error, { counted: true }),
        )
      }
      faults.throw()
    })
  },
}
