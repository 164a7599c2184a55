import type { ContextChange } from './context.ts'
import type { Logger } from './log.ts'
import { AppContext } from './app-context.ts'
import { nothingExcluded } from './filter.ts'
import { Groups } from './groups.ts'
import { OptionSet } from '../schema/options.ts'

/** A logger that keeps its lines as `level: object: message`, for tests that look at what was logged. */
export function recordingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const at = (level: string) => (message: string, fields?: { object?: string }) =>
    void lines.push(`${level}: ${fields?.object === undefined ? '' : `${fields.object}: `}${message}`)
  return {
    lines,
    error: at('error'),
    warn: at('warning'),
    notice: at('notice'),
    info: at('info'),
    debug: at('debug'),
    enabled: () => true,
  }
}

/** A context with default options that logs nothing: for tests and for embedding. */
export function testContext(change: ContextChange & { readonly options?: OptionSet } = {}): AppContext {
  return new AppContext({
    signal: change.signal ?? new AbortController().signal,
    log: change.log ?? recordingLogger(),
    stats: change.stats ?? new Groups().get('test'),
    filter: change.filter ?? nothingExcluded,
    options: change.options ?? new OptionSet([]),
  })
}
