import type { Context } from '../../core/context.ts'
import { Faults } from '../../operations/faults.ts'
import { attempts } from '../attempts.ts'
import type { CommandIo } from '../command.ts'
import { Output } from './output.ts'

/** What a listing has to work with. */
export interface Listing {
  readonly ctx: Context
  readonly out: Output
  /** Notes a folder that could not be listed; the listing goes on and fails at the end. */
  readonly failed: (error: Error, dir: string) => void
}

/** Runs a command that prints entries: what was found is printed, whatever else fails. */
export async function printing(
  io: CommandIo,
  name: string,
  work: (listing: Listing) => Promise<void>,
): Promise<number> {
  return await attempts(io, { name, retry: false, stats: false }, async (ctx) => {
    const out = new Output(io)
    const faults = new Faults(ctx)
    const failed = (error: Error, dir: string) => faults.log(dir, 'error listing: ', error)
    try {
      await work({ ctx, out, failed })
    } finally {
      await out.flush()
    }
    faults.throw()
  })
}
