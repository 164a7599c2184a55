import { aroundLines, type Level, type Logger, printable } from '../core/log.ts'
import { statsOptions } from '../core/options.ts'
import { report } from '../core/report.ts'
import type { CommandIo } from './command.ts'

/** How often the block on a terminal is drawn anew. */
const REDRAW_MS = 500

export interface Progress {
  /** The same logger, which makes room for its lines above the block. */
  readonly log: Logger
  stop(): void
}

/** `--progress`: the summary, drawn over and over on a terminal; one line every `--stats` where there is none. */
export function progress(io: CommandIo, terminal: boolean = process.stdout.isTTY): Progress {
  const { oneLine, unit, fileNameLength, interval } = io.get(statsOptions)
  const { log } = io.ctx
  let drawn = 0
  const erase = () => {
    if (drawn > 0) process.stdout.write(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }
  const above = (write: () => void, level: Level) => {
    if (log.enabled(level)) erase()
    write()
  }
  const draw = () => {
    const nameLength = terminal ? roomForName(fileNameLength, process.stdout.columns) : fileNameLength
    const settings = { oneLine: oneLine || !terminal, unit, nameLength, bars: terminal }
    const all = report(io.ctx.stats.snapshot(), settings).map((line) => line.split('\t').map(printable).join('\t'))
    const lines = terminal ? fitting(all, process.stdout) : all
    if (terminal) erase()
    process.stdout.write(`${lines.join('\n')}\n`)
    if (terminal) drawn = lines.length
  }
  const every = terminal ? REDRAW_MS : Number.isFinite(interval) ? interval : 0
  const timer = every > 0 ? setInterval(draw, every) : undefined
  timer?.unref()
  return {
    log: terminal ? aroundLines(log, above) : log,
    stop() {
      clearInterval(timer)
      draw()
    },
  }
}

/** What stands beside the name of a file in its line: bar, size, speed and time left. */
const BESIDE = 66

/** Longest name that leaves room for the rest of its line. */
function roomForName(wanted: number, columns: number): number {
  const room = Math.max(10, (columns || 80) - BESIDE)
  return wanted > 0 ? Math.min(wanted, room) : room
}

/** What of a block a terminal can show: lines that wrap, or scroll away, could not be erased again. */
export function fitting(lines: readonly string[], terminal: { rows?: number; columns?: number }): string[] {
  // Some terminals don't know their size.
  const [rows, columns] = [terminal.rows || 24, terminal.columns || 80]
  const shown = lines.length < rows ? lines : [...lines.slice(0, Math.max(1, rows - 2)), ' ...']
  return shown.map((line) => line.replaceAll('\t', ' ').slice(0, Math.max(1, columns - 1)))
}
