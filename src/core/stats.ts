import type { Body } from '../base/body.ts'
import type { Json } from '../base/json.ts'
import type { Outcome } from './outcomes.ts'

/** From where to where an object goes: places as a user writes them, and paths in them. */
export interface TransferEnds {
  readonly srcFs?: string
  readonly srcRemote?: string
  readonly dstFs?: string
  readonly dstRemote?: string
}

/** One object on its way. */
export interface Transfer {
  readonly name: string
  /** Bytes, -1 when unknown. */
  readonly size: number
  readonly bytes: number
  /**
   * Counts the bytes that pass and holds them to `--bwlimit`. A FileSlice stays a FileSlice. `signal` tells when nobody waits
   * for the bytes any more; without it that is the end of the app.
   */
  account(body: Body, signal?: () => AbortSignal): Body
  done(error?: Error): void
}

export type Countable =
  | 'checks'
  | 'deletes'
  | 'deletedDirs'
  | 'renames'
  | 'listed'
  | 'serverSideCopies'
  | 'serverSideCopyBytes'
  | 'serverSideMoves'
  | 'serverSideMoveBytes'

/** The counters of one job, one server or the whole process. */
export interface StatsGroup {
  readonly name: string
  transfer(name: string, size: number, kind?: 'transfer' | 'check', ends?: TransferEnds): Transfer
  /** Counts a whole small object that was sent at once; much cheaper than a Transfer. Only for when `unlimited` is true. */
  sent(bytes: number): void
  /** Counts a file that was copied at once, as a transfer that began and ended. As `sent`, for when `unlimited` is true. */
  whole(name: string, bytes: number): void
  /** Counts a file that is going to be transferred, so that totals and ETA know of it; gives what takes it off again when its turn comes. */
  queued(bytes: number): () => void
  /** Counts bytes of what has no end, such as live media: they belong to no transfer. */
  passed(bytes: number): void
  /** True when no bandwidth limit is in force, so that `sent` and `whole` may be used. */
  readonly unlimited: boolean
  count(what: Countable, n?: number): void
  error(reason: Error): void
  /** Notes what became of a file, for `job/report`. */
  tell(outcome: Outcome): void
  /** Forgets the errors before another attempt; all other counters stay. */
  resetErrors(): void
  /** The JSON of `core/stats`. */
  snapshot(): Json
  /** The JSON of `core/transferred`. */
  transferred(): Json
  reset(): void
}
