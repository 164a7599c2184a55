import { type AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'

/** The errors of one piece of work that goes on after an error: counted in the stats, and the one to end with is kept. */
export class Faults {
  readonly #ctx: Context
  #worst: AppError | undefined

  constructor(ctx: Context) {
    this.#ctx = ctx
  }

  get any(): boolean {
    return this.#worst !== undefined
  }

  /** The error that says most about how it all ends: a fatal one, else one for which another attempt may help, else the last. */
  get worst(): AppError | undefined {
    return this.#worst
  }

  /** Notes an error; `counted` when a transfer that it ended has told the stats already. */
  add(reason: unknown, { counted = false } = {}): AppError {
    const error = toAppError(reason)
    if (!counted) this.#ctx.stats.error(error)
    if (!this.#worst || rank(error) >= rank(this.#worst)) this.#worst = error
    return error
  }

  /** Notes an error and logs it with what it is about. */
  log(object: string, message: string, reason: unknown, options: { counted?: boolean } = {}): void {
    const error = this.add(reason, options)
    if (error.code !== 'aborted' || error.stop) this.#ctx.log.error(`${message}${error.message}`, { object })
  }

  /** Throws when there was any error. */
  throw(): void {
    if (this.#worst) throw this.#worst
  }
}

function rank({ stop }: AppError): number {
  if (stop === undefined) return 1
  return stop === 'no-retry' ? 0 : 2
}
