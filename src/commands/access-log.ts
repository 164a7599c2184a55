import { Lines } from '../core/lines.ts'
import type { Logger } from '../core/log.ts'
import { accessLog } from '../http/access.ts'
import type { Middleware } from '../http/message.ts'
import type { HttpOptions } from '../http/options.ts'

/** The access log of a server: a middleware, and what signals do to its file. */
export interface AccessLog {
  readonly middleware: Middleware
  reopen(): void
  close(): void
}

/**
 * Opens the file of `--access-log`; `-` is standard output. Without one the lines go to the log of the program, as details
 * (-vv). Throws `usage` when the file cannot be opened.
 */
export function openAccessLog({ accessLog: path, accessLogFormat: format }: HttpOptions, log: Logger): AccessLog {
  if (path === '') return { middleware: details(log), reopen() {}, close() {} }
  const lines = new Lines(path === '-' ? 1 : path)
  return {
    middleware: accessLog({ format, write: (line) => lines.write(`${line}\n`) }),
    reopen: () => lines.reopen(),
    close: () => lines.close(),
  }
}

function details(log: Logger): Middleware {
  return log.enabled('debug') ? accessLog({ format: 'common', write: (line) => log.debug(line) }) : (next) => next
}
