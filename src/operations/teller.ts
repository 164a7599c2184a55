import { toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { Mark } from '../core/outcomes.ts'

/** Called with what became of a file. */
export type Tell = (mark: Mark, path: string) => void

/** Says what became of a file: to the stats, which `job/report` reads, and to whoever wants to know at once. */
export type Teller = (mark: Mark, file: { readonly path: string; readonly size?: number }, reason?: unknown) => void

export function teller(ctx: Context, also?: Tell): Teller {
  return (mark, { path, size = -1 }, reason) => {
    const error = reason === undefined ? {} : { error: toAppError(reason).message }
    ctx.stats.tell({ mark, path, size, ...error })
    also?.(mark, path)
  }
}
