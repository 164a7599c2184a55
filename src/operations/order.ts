import { AppError } from '../base/error.ts'
import type { FileEntry } from '../remote/remote.ts'

/** What is copied first. */
export interface Order {
  /** As for `sort`. */
  readonly compare: (a: FileEntry, b: FileEntry) => number
  /** It goes by the files' own times, which a listing may lack. */
  readonly times: boolean
  /** Of the transfers, the part that begins at this end while the others begin at the other one; 1 = all. */
  readonly share: number
}

/** The rule of `--order-by`; undefined for the order of the walk. Throws `usage`. */
export function orderOf(text: string): Order | undefined {
  if (text === '') return undefined
  const [field = '', direction = 'asc', percent = '50', ...rest] = text.split(',')
  const sign = { asc: 1, ascending: 1, desc: -1, descending: -1, mixed: 1 }[direction]
  const mixed = direction === 'mixed'
  const share = mixed ? Number(percent) / 100 : 1
  const by = rules[field]
  const tooMuch = rest.length > 0 || (!mixed && text.split(',').length > 2)
  if (!by || sign === undefined || tooMuch || !/^\d+$/.test(percent) || share > 1)
    throw new AppError(
      'usage',
      `bad --order-by ${JSON.stringify(text)}: use size, name or modtime, and ,asc or ,desc or ,mixed or ,mixed,PERCENT`,
    )
  return { compare: (a, b) => sign * by(a, b), share, times: field === 'modtime' }
}

const rules: Readonly<Record<string, (a: FileEntry, b: FileEntry) => number>> = {
  size: (a, b) => a.size - b.size,
  name: (a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
  modtime: (a, b) => (a.modTime < b.modTime ? -1 : a.modTime > b.modTime ? 1 : 0),
}
