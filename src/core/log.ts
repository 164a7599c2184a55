/** rclone's levels, most severe first. `notice` is the default threshold. */
export type Level = 'emergency' | 'alert' | 'critical' | 'error' | 'warning' | 'notice' | 'info' | 'debug'

/** What a line is about, shown before the message (`INFO  : sub/a.txt: Copied (new)`), plus fields for JSON output. */
export interface LogFields {
  readonly object?: string
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
