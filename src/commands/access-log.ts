import { Lines } from '../core/lines.ts'
import { accessLog } from '../http/access.ts'
import type { Middleware } from '../http/message.ts'
import type { HttpOptions } from '../http/options.ts'

/** The access log of a server: a middleware, and what signals do to its file. */
export interface AccessLog {
  readonly middleware: Middleware
  reopen(): void
  close(): void
}

const none: AccessLog = { middleware: (next) => next, reopen() {}, close() {} }

/** Opens the file of `--access-log`; `-` is standard output. Throws `usage` when it cannot be opened. */
export function openAccessLog({ accessLog: path, accessLogFormat: format }: HttpOptions): AccessLog {
  if (path === '') return none
  const lines = new Lines(path === '-' ? 1 : path)
  return {
    middleware: accessLog({ format, write: (line) => lines.write(`${line}\n`) }),
    reopen: () => lines.reopen(),
    close: () => lines.close(),
  }
}
