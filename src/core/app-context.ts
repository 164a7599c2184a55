import type { OptionBlock, Values } from '../schema/option.ts'
import type { OptionSet } from '../schema/options.ts'
import type { Context, ContextChange } from './context.ts'
import type { Filter } from './filter.ts'
import type { Logger } from './log.ts'
import type { StatsGroup } from './stats.ts'

/** The context of an app; `with` derives those of jobs and requests. */
export class AppContext implements Context {
  readonly signal: AbortSignal
  readonly log: Logger
  readonly stats: StatsGroup
  readonly filter: Filter
  readonly #options: OptionSet

  constructor(parts: Required<ContextChange> & { options: OptionSet }) {
    this.signal = parts.signal
    this.log = parts.log
    this.stats = parts.stats
    this.filter = parts.filter
    this.#options = parts.options
  }

  get<B extends OptionBlock>(block: B): Values<B> {
    return this.#options.get(block)
  }

  with(change: ContextChange): AppContext {
    return new AppContext({
      signal: change.signal ?? this.signal,
      log: change.log ?? this.log,
      stats: change.stats ?? this.stats,
      filter: change.filter ?? this.filter,
      options: this.#options,
    })
  }
}
