import type { OptionBlock, Values } from '../schema/option.ts'
import type { Filter } from './filter.ts'
import type { Logger } from './log.ts'
import type { StatsGroup } from './stats.ts'

/** Everything that work of one request or job shares. Always the first parameter, never ambient. */
export interface Context {
  /** Aborts when the client left, the job was stopped or the app closes. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly stats: StatsGroup
  readonly filter: Filter
  /** The current values of a block; a frozen object, the same one until an option changes. */
  get<B extends OptionBlock>(block: B): Values<B>
  with(change: ContextChange): Context
}

export type ContextChange = Partial<Pick<Context, 'signal' | 'log' | 'stats' | 'filter'>>
