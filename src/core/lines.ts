import { closeSync, openSync, writeSync } from 'node:fs'
import { AppError, messageOf } from '../base/error.ts'

/**
 * Writes lines to standard error or appends them to a file. Lines of one turn of the event loop go out in one write;
 * `flush` writes what waits, so that nothing is lost at the end of the process.
 */
export class Lines {
  readonly #path: string | undefined
  #fd: number
  #waiting = ''
  #scheduled = false

  /** A path, or 1 or 2 for standard output and error. Throws `usage` when the file cannot be opened. */
  constructor(target: string | 1 | 2) {
    this.#path = typeof target === 'string' ? target : undefined
    this.#fd = typeof target === 'string' ? open(target) : target
  }

  write(line: string): void {
    this.#waiting += line
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  flush(): void {
    this.#scheduled = false
    const bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    try {
      for (let at = 0; at < bytes.length;) at += writeSome(this.#fd, bytes, at)
    } catch {
      // a closed terminal or a full disk must not end the server
    }
  }

  /** Opens the file anew after it was moved away (SIGHUP). If that fails standard error says so, and the one before stays in use. */
  reopen(): void {
    if (this.#path === undefined) return
    this.flush()
    try {
      const fd = open(this.#path)
      closeSync(this.#fd)
      this.#fd = fd
    } catch (error) {
      process.stderr.write(`sluice: ${messageOf(error)}; the one that was open stays in use\n`)
    }
  }

  close(): void {
    this.flush()
    if (this.#path !== undefined) closeSync(this.#fd)
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (cause) {
    throw new AppError('usage', `cannot open the log file: ${messageOf(cause)}`, { cause })
  }
}

function writeSome(fd: number, bytes: Uint8Array, at: number): number {
  try {
    return writeSync(fd, bytes, at)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0 // a pipe whose reader is slow: try again
    throw error
  }
}
