import { type Level, levels } from '../core/log.ts'
import { statsOptions } from '../core/options.ts'
import { report } from '../core/report.ts'
import { formatTime } from '../template/layout.ts'
import type { CommandIo } from './command.ts'

/** Logs a summary of the transfers every `--stats`, while there is something new to tell. */
export function statsTicker(io: CommandIo): { stop(): void } {
  const options = io.get(statsOptions)
  const level = options.logLevel.toLowerCase() as Level
  const interval = Number.isFinite(options.interval) ? options.interval : 0
  if (interval <= 0 || !io.ctx.log.enabled(level)) return { stop() {} }
  const dated = options.oneLineDate || options.oneLineDateFormat !== ''
  // Quotes around a layout are taken off: rclone's help asks for them.
  const layout = options.oneLineDateFormat.replace(/^"(.*)"$/s, '$1') || '2006/01/02 15:04:05 - '
  let last = ''
  const timer = setInterval(() => {
    const { bytes, transfers, errors, transferring } = io.ctx.stats.snapshot() as Record<string, unknown>
    const mark = JSON.stringify([bytes, transfers, errors, transferring !== undefined])
    if (mark === last) return
    last = mark
    logStats(io, level, dated ? formatTime(BigInt(Date.now()) * 1_000_000n, 'Local', layout) : '')
  }, interval)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/**
 * Logs a summary of the transfers as they are now: a block, unless the flags or a date before it ask for one line. In JSON it
 * has the numbers of `core/stats` as `stats`.
 */
export function logStats(io: CommandIo, level: Level, date = ''): void {
  const { oneLine, unit, fileNameLength } = io.get(statsOptions)
  const stats = io.ctx.stats.snapshot()
  const lines = report(stats, { oneLine: oneLine || date !== '', unit, nameLength: fileNameLength })
  const { log } = io.ctx
  const [message, fields] = lines.length === 1 ? [date + (lines[0] ?? ''), { stats }] : [date, { lines, stats }]
  if (levels.indexOf(level) <= levels.indexOf('error')) log.error(message, fields)
  else if (level === 'warning') log.warn(message, fields)
  else if (level === 'notice') log.notice(message, fields)
  else if (level === 'info') log.info(message, fields)
  else log.debug(message, fields)
}
