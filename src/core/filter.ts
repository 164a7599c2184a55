import type { Nanoseconds } from '../base/time.ts'

/** Decides what is seen of a remote. Paths are canonical, without a trailing slash. */
export interface Filter {
  /** True when nothing is excluded at all: callers may then skip every check. */
  readonly empty: boolean
  includes(path: string, file?: { readonly size: number; readonly modTime: Nanoseconds }): boolean
  /** False when nothing below can be included, so that a walk need not enter. */
  includesDirectory(path: string): boolean
  /** Names of marker files (`--exclude-if-present`): a directory that holds one is excluded whole. */
  readonly markers: readonly string[]
}

/** The filter that shows everything. */
export const nothingExcluded: Filter = Object.freeze({
  empty: true,
  markers: Object.freeze([]),
  includes: () => true,
  includesDirectory: () => true,
})
