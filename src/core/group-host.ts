import type { Pass } from './bandwidth.ts'
import type { Events } from './events.ts'
import type { Outcomes } from './outcomes.ts'

/** What groups need from their app. All parts are optional, so that a test can do without. */
export interface GroupHost {
  /** Milliseconds since 1970. */
  readonly now?: () => number
  readonly bandwidth?: {
    readonly unlimited: boolean
    pass(direction: 'tx' | 'rx', signal: () => AbortSignal): Pass
  }
  readonly signal?: AbortSignal
  readonly events?: Events
  readonly outcomes?: Outcomes
}
