import { AppError } from '../base/error.ts'
import type { FileEntry } from '../remote/remote.ts'

/** The rule of `--order-by` as for `sort`; undefined for the order of the walk. Throws `usage`. */
export function orderOf(text: string): ((a: FileEntry, b: FileEntry) => number) | undefined {
  if (text === '') return undefined
  const [field = '', direction = 'asc', ...rest] = text.split(',')
  const sign = { asc: 1, ascending: 1, desc: -1, descending: -1 }[direction]
  const by = rules[field]
  if (!by || rest.length > 0 || sign === undefined)
    throw new AppError('usage', `bad --order-by ${JSON.stringify(text)}: use size, name or modtime, and ,asc or ,desc`)
  return (a, b) => sign * by(a, b)
}

const rules: Readonly<Record<string, (a: FileEntry, b: FileEntry) => number>> = {
  size: (a, b) => a.size - b.size,
  name: (a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
  modtime: (a, b) => (a.modTime < b.modTime ? -1 : a.modTime > b.modTime ? 1 : 0),
}
