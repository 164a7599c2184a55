import type { Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { fromMs } from '../../base/time.ts'
import { leaveOut } from '../../operations/leave-out.ts'
import { splitText } from '../../operations/bridge.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { int } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'

const rcatOptions = defineOptions('rcat', {
  size: option(int, -1, 'Bytes that will come; when fewer or more come, nothing is stored'),
})

export const rcatCommand: Command = {
  name: 'rcat',
  usage: 'REMOTE:PATH',
  summary: 'Store standard input in a file',
  examples: [['tar c . | sluice rcat nas:backup/all.tar', 'an archive that never touches this disk']],
  options: [rcatOptions],
  args: [1, 1],
  run: (io) =>
    attempts(io, { name: 'rcat', retry: false, stats: true }, async (ctx) => {
      if (io.stdin.isTTY) throw new AppError('usage', 'nothing to read from standard input (stdin)')
      const { parent, name } = splitText(io.args[0] ?? '')
      const remote = await (await io.remotes()).open(parent)
      if (await leaveOut(ctx, 'upload from pipe', { object: name })) return undefined
      const bytes = io.get(rcatOptions).size
      const transfer = ctx.stats.transfer(name, bytes)
      try {
        const body = transfer.account(io.stdin as Body)
        await remote.put(ctx, name, body, { modTime: fromMs(Date.now()), ...(bytes >= 0 ? { size: bytes } : {}) })
        return transfer.done()
      } catch (reason) {
        const error = toAppError(reason)
        transfer.done(error)
        throw error
      }
    }),
}
