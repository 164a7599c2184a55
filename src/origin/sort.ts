import { nameOf } from '../base/path.ts'
import type { Entry } from '../remote/remote.ts'

export const sortKeys = ['namedirfirst', 'name', 'size', 'time'] as const
export type SortKey = (typeof sortKeys)[number]

export interface Order {
  readonly key: SortKey
  readonly descending: boolean
}

/** The order that a query asks for: unknown keys mean `namedirfirst`, any order but `desc` is ascending. */
export function orderOf(query: URLSearchParams): Order {
  const asked = query.get('sort')
  return { key: sortKeys.find((key) => key === asked) ?? 'namedirfirst', descending: query.get('order') === 'desc' }
}

interface Keyed {
  readonly entry: Entry
  readonly name: string
}

/** The entries in order. Names compare by code points in lower case; descending is the exact reverse of ascending. */
export function sortEntries(entries: readonly Entry[], { key, descending }: Order): Entry[] {
  const keyed = entries.map((entry) => ({ entry, name: nameOf(entry.path).toLowerCase() }))
  // Code units and code points differ in order only where surrogates meet the characters above them.
  const byName = keyed.some(({ name }) => /[\ud800-\udfff]/.test(name)) ? byCodePoint : byCodeUnit
  keyed.sort((a, b) => first(key, a.entry, b.entry) || byName(a.name, b.name))
  if (descending) keyed.reverse()
  return keyed.map(({ entry }) => entry)
}

function first(key: SortKey, a: Entry, b: Entry): number {
  if (key === 'name') return 0
  if (key === 'time') return a.modTime < b.modTime ? -1 : a.modTime > b.modTime ? 1 : 0
  if (a.kind !== b.kind) return a.kind === 'directory' ? -1 : 1
  return key === 'size' && a.kind === 'file' && b.kind === 'file' ? a.size - b.size : 0
}

type Compare = (a: Keyed['name'], b: Keyed['name']) => number

const byCodeUnit: Compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

const byCodePoint: Compare = (a, b) => {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  // Within a pair that differs in its second half both first halves are equal: the halves decide as the points would.
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1)
}
