import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { Logger } from '../core/log.ts'

/** What scripts of GPAC find without importing it. */
export interface GpacGlobals {
  /** `print(text)` or `print(level, text)`: 1 = error, 2 = warning, 3 = info, 4 = debug. */
  print(...values: readonly unknown[]): void
  error_string(code: number): string
  readonly File: typeof GpacFile
  readonly GF_LOG_ERROR: 1
  readonly GF_LOG_WARNING: 2
  readonly GF_LOG_INFO: 3
  readonly GF_LOG_DEBUG: 4
}

export function globalsOf(log: Logger): GpacGlobals {
  return {
    print(...values) {
      const level = values.length > 1 && typeof values[0] === 'number' ? values[0] : undefined
      const text = (level === undefined ? values : values.slice(1)).map(String).join(' ')
      if (level === 1) log.error(text)
      else if (level === 2) log.warn(text)
      else if (level === 4) log.debug(text)
      else if (level === 3) log.info(text)
      else log.notice(text)
    },
    error_string: (code) => (code === 1 ? 'End Of Stream / File' : code === 0 ? 'No Error' : 'IO Error'),
    File: GpacFile,
    GF_LOG_ERROR: 1,
    GF_LOG_WARNING: 2,
    GF_LOG_INFO: 3,
    GF_LOG_DEBUG: 4,
  }
}

/** The module `gpaccore`, as much of it as scripts for httpout use. */
export function gpaccore(globals: GpacGlobals): object {
  const Sys = {
    clock_ms: () => Math.round(performance.now()),
    clock_us: () => Math.round(performance.now() * 1000),
    get_utc: () => Date.now(),
    ...globals,
  }
  return { ...globals, Sys }
}

/** A file, read and written in place. */
class GpacFile {
  readonly #fd: number
  pos = 0
  eof = false

  /** `mode` as for fopen: `rb`, `wb`, `ab`, `r+b`. */
  constructor(path: string, mode = 'rb') {
    this.#fd = openSync(path, mode.replace('b', ''))
  }

  get size(): number {
    return fstatSync(this.#fd).size
  }

  /** Fills a buffer and gives the count of bytes, 0 at the end. */
  read(into: ArrayBuffer): number {
    const count = readSync(this.#fd, new Uint8Array(into), 0, into.byteLength, this.pos)
    this.pos += count
    this.eof = count < into.byteLength
    return count
  }

  write(from: ArrayBuffer): number {
    const count = writeSync(this.#fd, new Uint8Array(from), 0, from.byteLength, this.pos)
    this.pos += count
    return count
  }

  seek(at: number): void {
    this.pos = at
    this.eof = false
  }

  close(): void {
    closeSync(this.#fd)
  }
}
