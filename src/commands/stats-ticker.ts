import { type Level, levels } from '../core/log.ts'
import { statsOptions } from '../core/options.ts'
import { report } from '../core/report.ts'
import type { CommandIo } from './command.ts'

/** Logs a summary of the transfers every `--stats`, while there is something new to tell. */
export function statsTicker(io: CommandIo): { stop(): void } {
  const options = io.get(statsOptions)
  const level = options.logLevel.toLowerCase() as Level
  const interval = Number.isFinite(options.interval) ? options.interval : 0
  if (interval <= 0 || !io.ctx.log.enabled(level)) return { stop() {} }
  const dated = options.oneLineDate || options.oneLineDateFormat !== ''
  const settings = { oneLine: options.oneLine || dated, unit: options.unit, nameLength: options.fileNameLength }
  let last = ''
  const timer = setInterval(() => {
    const snapshot = io.ctx.stats.snapshot()
    const { bytes, transfers, errors, transferring } = snapshot as Record<string, unknown>
    const mark = JSON.stringify([bytes, transfers, errors, transferring !== undefined])
    if (mark === last) return
    last = mark
    const date = dated ? `${new Date().toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/')} - ` : ''
    say(io, level, date + report(snapshot, settings))
  }, interval)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

function say(io: CommandIo, level: Level, text: string): void {
  const { log } = io.ctx
  if (levels.indexOf(level) <= levels.indexOf('error')) log.error(text)
  else if (level === 'warning') log.warn(text)
  else if (level === 'notice') log.notice(text)
  else if (level === 'info') log.info(text)
  else log.debug(text)
}
