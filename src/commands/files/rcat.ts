import { setImmediate as nextTurn } from 'node:timers/promises'
import { throwIfAborted } from '../../base/abort.ts'
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

/** Ctrl-C ends a whole pipe: what came of a program that was interrupted together with this one is not all of it. */
async function* wholeOf(body: Body, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  yield* body
  // The signal came before the end, but may have come after the loop looked what there is: it is seen when that looks again.
  for (let turn = 0; turn < 2; turn++) await nextTurn()
  throwIfAborted(signal)
}

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
        const body = transfer.account(wholeOf(io.stdin as Body, ctx.signal))
        await remote.put(ctx, name, body, { modTime: fromMs(Date.now()), ...(bytes >= 0 ? { size: bytes } : {}) })
        return transfer.done()
      } catch (reason) {
        const error = toAppError(reason)
        transfer.done(error)
        throw error
      }
    }),
}
