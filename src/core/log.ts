/** rclone's levels, most severe first. `notice` is the default threshold. */
export const levels = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const
export type Level = (typeof levels)[number]

/** What a line is about, shown before the message (`INFO  : sub/a.txt: Copied (new)`), plus fields for JSON output. */
export interface LogFields {
  readonly object?: string
  /** Further lines below the message, each of which is escaped by itself. */
  readonly lines?: readonly string[]
  readonly [key: string]: unknown
}

/** Writes lines for people (stderr) or machines. A message never carries a secret; `fields` are added in JSON output. */
export interface Logger {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  notice(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  /** True when lines of this level are written: ask before building a costly message. */
  enabled(level: Level): boolean
}

/** The same logger, with `line` called for each line: it calls `write` to have it written. */
export function aroundLines(
  log: Logger,
  line: (write: () => void, level: Level, message: string, fields: LogFields | undefined) => void,
): Logger {
  const at = (level: Level, name: Exclude<keyof Logger, 'enabled'>) => (message: string, fields?: LogFields) =>
    line(() => log[name](message, fields), level, message, fields)
  return {
    error: at('error', 'error'),
    warn: at('warning', 'warn'),
    notice: at('notice', 'notice'),
    info: at('info', 'info'),
    debug: at('debug', 'debug'),
    enabled: (level) => log.enabled(level),
  }
}

/** The parts of a text line, as in `--log-format`. */
export const logParts = [
  'date',
  'time',
  'microseconds',
  'UTC',
  'pid',
  'nolevel',
  'json',
  'longfile',
  'shortfile',
] as const
export type LogPart = (typeof logParts)[number]

export interface LogSettings {
  /** The least severe level that is written. */
  readonly level: Level
  readonly parts: ReadonlySet<LogPart>
  /** Prefix each line with its syslog priority, `<6>`, as journald reads it. */
  readonly systemd?: boolean
  readonly now?: () => Date
  /** Takes one whole line, newline included. */
  write(line: string): void
}

/** A logger whose threshold can be moved while it is in use. */
export interface AdjustableLogger extends Logger {
  setLevel(level: Level): void
}

/** A logger of rclone's text lines, `2006/01/02 15:04:05 INFO  : object: message`, or of one JSON object a line. */
export function createLogger(settings: LogSettings): AdjustableLogger {
  let threshold = levels.indexOf(settings.level)
  const now = settings.now ?? (() => new Date())
  const line = settings.parts.has('json') ? jsonLine : textLine

  function at(level: Level): (message: string, fields?: LogFields) => void {
    const rank = levels.indexOf(level)
    const prefix = settings.systemd ? `<${rank}>` : ''
    return (message, fields) => {
      if (rank <= threshold) settings.write(prefix + line(level, message, fields, now(), settings.parts))
    }
  }
  return {
    error: at('error'),
    warn: at('warning'),
    notice: at('notice'),
    info: at('info'),
    debug: at('debug'),
    enabled: (level) => levels.indexOf(level) <= threshold,
    setLevel: (level) => void (threshold = levels.indexOf(level)),
  }
}

function jsonLine(level: Level, message: string, fields: LogFields | undefined, time: Date): string {
  const { lines = [], ...others } = fields ?? {}
  const msg = [message, ...lines].join('\n')
  return `${JSON.stringify({ time: time.toISOString(), level, msg, ...others, source: undefined })}\n`
}

function textLine(
  level: Level,
  message: string,
  fields: LogFields | undefined,
  time: Date,
  parts: ReadonlySet<LogPart>,
): string {
  let out = timestamp(time, parts)
  if (parts.has('pid')) out += `[${process.pid}] `
  if (!parts.has('nolevel')) out += `${level.toUpperCase().padEnd(6)}: `
  if (fields?.object !== undefined) out += `${printable(fields.object)}: `
  out += `${printable(message)}\n`
  // Tabs in our own summaries stay.
  for (const line of fields?.lines ?? []) out += `${line.split('\t').map(printable).join('\t')}\n`
  return out
}

function timestamp(time: Date, parts: ReadonlySet<LogPart>): string {
  const shown = parts.has('UTC') ? time : new Date(time.getTime() - time.getTimezoneOffset() * 60_000)
  const [date = '', clock = ''] = shown.toISOString().split('T')
  let out = parts.has('date') ? `${date.replaceAll('-', '/')} ` : ''
  if (parts.has('microseconds')) out += `${clock.slice(0, 12)}000 `
  else if (parts.has('time')) out += `${clock.slice(0, 8)} `
  return out
}

const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Escapes control characters as `\xNN` (line breaks included), so that no name or header can forge a line or drive a terminal. */
export function printable(text: string): string {
  return text.replace(control, (c) => (c > '\xff' ? `\\u${hex(c, 4)}` : `\\x${hex(c, 2)}`))
}

function hex(c: string, digits: number): string {
  return c.charCodeAt(0).toString(16).padStart(digits, '0')
}
