import { messageOf } from '../base/error.ts'
import type { CommandIo } from './command.ts'

/** Has a server read its certificates again, and open its logs anew, at SIGHUP. What cannot be read stays as it was. */
export function onHangup({ signals, ctx }: Pick<CommandIo, 'signals' | 'ctx'>, refresh: () => Promise<void>): void {
  signals.onHangup(() => {
    refresh().catch((error: unknown) => ctx.log.error(`certificates were not read again: ${messageOf(error)}`))
  })
}
