import { parentOf } from '../base/path.ts'
import type { Nanoseconds } from '../base/time.ts'
import type { Context } from './context.ts'

/** What a filter may ask about a file beside its path. */
export interface FilterFacts {
  /** Bytes, -1 when unknown. */
  readonly size: number
  readonly modTime: Nanoseconds
  readonly metadata?: Readonly<Record<string, string>>
}

/** Decides what is seen of a remote. Paths are canonical, without a trailing slash. */
export interface Filter {
  /** True when nothing is excluded at all: callers may then skip every check. */
  readonly empty: boolean
  /** Judges a file by its own path (and facts); whether a walk gets there is for `includesDirectory` to say, parent by parent. */
  includes(path: string, file?: FilterFacts): boolean
  /** False when nothing below can be included, so that a walk need not enter. */
  includesDirectory(path: string): boolean
  /** True when it looks at the times of files. */
  readonly times?: boolean
  /** True when it looks at the metadata of files. */
  readonly metadata?: boolean
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

/** The same context without a filter: for what is meant whatever the rules say, and for paths that they are not about. */
export function unfiltered(ctx: Context): Context {
  return ctx.with({ filter: nothingExcluded })
}

/** What a filter shows of these files, and of all that lies in folders of these paths. */
export function narrowed(filter: Filter, paths: readonly string[]): Filter {
  const chosen = new Set(paths)
  const above = new Set<string>()
  for (const path of chosen)
    for (let at = path; at !== '';) {
      at = parentOf(at)
      above.add(at)
    }
  function within(path: string): boolean {
    for (let at = path; ; at = parentOf(at)) {
      if (chosen.has(at)) return true
      if (at === '') return false
    }
  }
  return {
    empty: false,
    times: filter.times === true,
    metadata: filter.metadata === true,
    markers: filter.markers,
    includes: (path, file) => within(path) && filter.includes(path, file),
    includesDirectory: (path) => (above.has(path) || within(path)) && filter.includesDirectory(path),
  }
}
