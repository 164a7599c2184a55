import type { Json } from '../base/json.ts'

/**
 * What became of a file, in the marks of rclone's reports: `+` it is new at the destination, `*` it was changed there, `=` it was
 * the same already, `-` it was deleted there, `!` it failed. Of a comparison, that changes nothing: what a sync would do.
 */
export type Mark = '+' | '*' | '=' | '-' | '!'

/** The words for marks, as `job/report` has them. */
export const markWords = { '+': 'new', '*': 'changed', '=': 'matched', '-': 'deleted', '!': 'failed' } as const

export type MarkWord = (typeof markWords)[Mark]

/** One file of a report. */
export interface Outcome {
  readonly mark: Mark
  readonly path: string
  /** Bytes; -1 when unknown. */
  readonly size: number
  /** What went wrong. */
  readonly error?: string
}

/** How many files, and bytes in those whose size is known. */
export interface Tally {
  readonly files: number
  readonly bytes: number
}

export interface OutcomePage {
  readonly counts: Readonly<Record<MarkWord, Tally>>
  readonly files: readonly Json[]
  /** How many files are in `counts` but no more in the lists. */
  readonly unlisted: number
}

interface Report {
  readonly files: Map<string, Outcome>
  readonly counts: Record<Mark, { files: number; bytes: number }>
  unlisted: number
}

/**
 * What became of each file, for each stats group: by path, so that another attempt replaces what the one before it said. Memory
 * is bounded: files beyond `most` in all groups are counted, but not listed; those of the oldest groups are given up first.
 */
export class Outcomes {
  /** Whether somebody may ever want to know: without that nothing is kept. */
  enabled = false
  readonly #most: number
  readonly #reports = new Map<string, Report>()
  #listed = 0

  constructor(most = 200_000) {
    this.#most = most
  }

  add(group: string, outcome: Outcome): void {
    if (!this.enabled) return
    const report = this.#reportOf(group)
    const { mark, path } = outcome
    const known = report.files.get(path)
    // Another attempt finds what the one before it has done.
    if (known && mark === '=' && (known.mark === '+' || known.mark === '*')) return
    count(report, outcome, 1)
    if (known) count(report, known, -1)
    else if (!this.#hasRoom(report, mark)) return void report.unlisted++
    else this.#listed++
    report.files.set(path, outcome)
  }

  /** A part of the list of a group, those with one mark or all, and the counts of all. */
  page(group: string, { mark, offset = 0, limit = Infinity }: PageOptions = {}): OutcomePage {
    const { files, counts, unlisted } = this.#reports.get(group) ?? emptyReport()
    const shown: Json[] = []
    let index = 0
    for (const outcome of files.values()) {
      if (mark !== undefined && outcome.mark !== mark) continue
      if (index >= offset + limit) break
      if (index++ >= offset) shown.push({ ...outcome, what: markWords[outcome.mark] })
    }
    const tallies = Object.entries(markWords).map(([key, word]) => [word, { ...counts[key as Mark] }])
    return { counts: Object.fromEntries(tallies) as OutcomePage['counts'], files: shown, unlisted }
  }

  /** The paths of all files of a group that failed; undefined when some of them are not known any more. */
  failed(group: string): string[] | undefined {
    const report = this.#reports.get(group)
    if (!report) return []
    const paths = [...report.files.values()].filter(({ mark }) => mark === '!').map(({ path }) => path)
    return paths.length === report.counts['!'].files ? paths : undefined
  }

  forget(group: string): void {
    this.#listed -= this.#reports.get(group)?.files.size ?? 0
    this.#reports.delete(group)
  }

  #reportOf(group: string): Report {
    let report = this.#reports.get(group)
    if (!report) this.#reports.set(group, (report = emptyReport()))
    return report
  }

  /** Makes room for one more file, of older groups. What failed may still be listed when nothing else is. */
  #hasRoom(report: Report, mark: Mark): boolean {
    const most = mark === '!' ? this.#most : this.#most * 0.9
    for (const oldest of this.#reports.values()) {
      if (this.#listed < most || oldest === report) break
      this.#listed -= oldest.files.size
      oldest.unlisted += oldest.files.size
      oldest.files.clear()
    }
    return this.#listed < most
  }
}

interface PageOptions {
  readonly mark?: Mark | undefined
  readonly offset?: number | undefined
  readonly limit?: number | undefined
}

function emptyReport(): Report {
  const none = () => ({ files: 0, bytes: 0 })
  return {
    files: new Map(),
    counts: { '+': none(), '*': none(), '=': none(), '-': none(), '!': none() },
    unlisted: 0,
  }
}

function count({ counts }: Report, { mark, size }: Outcome, by: 1 | -1): void {
  counts[mark].files += by
  counts[mark].bytes += by * Math.max(0, size)
}
