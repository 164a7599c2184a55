import type { JournalEntry } from '../core/journal.ts'
import { formatSpec, parseSpec } from '../remote/spec.ts'
import type { Job } from './jobs.ts'
import { wireTime } from './time.ts'

/** What the journal keeps of a job. */
export function journalEntry(job: Job, executeId: string): JournalEntry {
  const { id, path, group, startedAt, endedAt = startedAt, error } = job
  return {
    id,
    executeId,
    path,
    group,
    startTime: wireTime(startedAt),
    endTime: wireTime(endedAt),
    duration: (endedAt - startedAt) / 1000,
    success: error === undefined,
    error: error?.message ?? '',
    input: shownInput(job),
  }
}

/** The parameters that say what a job was about; what may hold secrets is left out. */
const shown = ['remote', 'srcRemote', 'dstRemote', 'path1', 'path2', 'command']
const remotes = ['fs', 'srcFs', 'dstFs']

function shownInput({ input }: Job): { [key: string]: string } {
  const texts = [...shown, ...remotes].flatMap((key) => {
    const value = input[key]
    return typeof value === 'string' ? [[key, remotes.includes(key) ? withoutSettings(value) : value] as const] : []
  })
  return Object.fromEntries(texts)
}

/** A remote's text without the values of its settings, which may be passwords. */
export function withoutSettings(text: string): string {
  try {
    const spec = parseSpec(text)
    if (spec.kind === 'local') return text
    return formatSpec({
      ...spec,
      overrides: Object.fromEntries(Object.keys(spec.overrides).map((key) => [key, '***'])),
    })
  } catch {
    return '***'
  }
}
