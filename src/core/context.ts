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
  /** Asks a person before a change (`--interactive`); absent when there is nobody to ask. */
  readonly confirm?: Confirm | undefined
  /** Is told of what a listing had to leave out although it was asked for; absent where the log is enough. */
  readonly leftOut?: LeftOut | undefined
  /** The current values of a block; a frozen object, the same one until an option changes. */
  get<B extends OptionBlock>(block: B): Values<B>
  with(change: ContextChange): Context
}

/** Whether `action` may be done to `object`. Throws when the person wants to end it all. */
export type Confirm = (action: string, object: string) => Promise<boolean>

export type LeftOut = (path: string, message: string) => void

/** What a derived context has of its own. */
export interface ContextChange extends Partial<Pick<Context, 'log' | 'filter' | 'confirm' | 'leftOut'>> {
  /** The signal, or what gives it when somebody looks at it for the first time. */
  readonly signal?: AbortSignal | (() => AbortSignal)
  /** The group, or what gives it when something is counted for the first time. */
  readonly stats?: StatsGroup | (() => StatsGroup)
  /** Values of options that hold for this work alone, by block. */
  readonly values?: OwnValues
}

export type OwnValues = ReadonlyMap<OptionBlock, Readonly<Record<string, unknown>>>
