import type { OptionBlock, Values } from '../schema/option.ts'
import type { OptionSet } from '../schema/options.ts'
import type { Confirm, Context, ContextChange, LeftOut, OwnValues } from './context.ts'
import type { Filter } from './filter.ts'
import type { Logger } from './log.ts'
import type { StatsGroup } from './stats.ts'

interface Parts {
  readonly signal: AbortSignal | (() => AbortSignal)
  readonly log: Logger
  readonly stats: StatsGroup | (() => StatsGroup)
  readonly filter: Filter
  readonly confirm?: Confirm | undefined
  readonly leftOut?: LeftOut | undefined
  readonly options: OptionSet
  readonly values?: OwnValues | undefined
}

/** The context of an app; `with` derives those of jobs and requests. */
export class AppContext implements Context {
  readonly #parts: Parts
  #signal: AbortSignal | undefined
  #stats: StatsGroup | undefined
  #own: Map<OptionBlock, { readonly from: object; readonly values: object }> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get signal(): AbortSignal {
    const { signal } = this.#parts
    return (this.#signal ??= typeof signal === 'function' ? signal() : signal)
  }

  get log(): Logger {
    return this.#parts.log
  }

  get stats(): StatsGroup {
    const { stats } = this.#parts
    return (this.#stats ??= typeof stats === 'function' ? stats() : stats)
  }

  get filter(): Filter {
    return this.#parts.filter
  }

  get confirm(): Confirm | undefined {
    return this.#parts.confirm
  }

  get leftOut(): LeftOut | undefined {
    return this.#parts.leftOut
  }

  get<B extends OptionBlock>(block: B): Values<B> {
    const values = this.#parts.options.get(block)
    const own = this.#parts.values?.get(block)
    if (!own) return values
    this.#own ??= new Map()
    let made = this.#own.get(block)
    if (made?.from !== values)
      this.#own.set(block, (made = { from: values, values: Object.freeze({ ...values, ...own }) }))
    return made.values as Values<B>
  }

  with(change: ContextChange): AppContext {
    const parts = this.#parts
    return new AppContext({
      signal: change.signal ?? parts.signal,
      log: change.log ?? parts.log,
      stats: change.stats ?? parts.stats,
      filter: change.filter ?? parts.filter,
      confirm: change.confirm ?? parts.confirm,
      leftOut: change.leftOut ?? parts.leftOut,
      options: parts.options,
      values: joined(parts.values, change.values),
    })
  }
}

/** The values of both; where both have a block, those of `later` win key by key. */
function joined(earlier: OwnValues | undefined, later: OwnValues | undefined): OwnValues | undefined {
  if (!earlier || !later) return later ?? earlier
  const all = new Map(earlier)
  for (const [block, values] of later) all.set(block, { ...all.get(block), ...values })
  return all
}
