import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../base/error.ts'
import { readIfThere, updateFile } from '../base/file-update.ts'
import type { Json } from '../base/json.ts'
import type { Logger } from './log.ts'

export type JournalEntry = { readonly [key: string]: Json }

/** Entries that come within this time (ms) are written together. */
const TOGETHER_MS = 100

/** The last entries of something, one JSON object a line of a file, kept over restarts. Several processes may share the file. */
export class Journal {
  readonly #path: string
  readonly #most: number
  readonly #log: Logger
  #waiting: JournalEntry[] = []
  #writing: Promise<void> | undefined

  /** Keeps the last `most` entries. The file and its directory are made with the first one. */
  constructor(path: string, most: number, log: Logger) {
    this.#path = path
    this.#most = most
    this.#log = log
  }

  /** Adds an entry, which is on the disk soon; `flush` waits for that. */
  add(entry: JournalEntry): void {
    if (this.#most <= 0) return
    this.#waiting.push(entry)
    if (this.#waiting.length > this.#most) this.#waiting.shift()
    this.#writing ??= this.#writeSoon()
  }

  /** The entries, the newest first. */
  async read(): Promise<JournalEntry[]> {
    await this.flush()
    const text = (await readIfThere(this.#path))?.toString('utf8') ?? ''
    return linesOf(text).flatMap(parsed).reverse()
  }

  /** Resolves when all entries are on the disk. */
  async flush(): Promise<void> {
    await this.#writing
  }

  async #writeSoon(): Promise<void> {
    while (this.#waiting.length > 0) {
      await sleep(TOGETHER_MS)
      const entries = this.#waiting
      this.#waiting = []
      await this.#write(entries).catch((error: unknown) =>
        this.#log.error(`the journal ${this.#path} was not written: ${messageOf(error)}`),
      )
    }
    this.#writing = undefined
  }

  async #write(entries: readonly JournalEntry[]): Promise<void> {
    const added = entries.map((entry) => JSON.stringify(entry))
    await updateFile(this.#path, (old) => {
      const lines = [...linesOf(old?.toString('utf8') ?? ''), ...added].slice(-this.#most)
      return Promise.resolve(Buffer.from(`${lines.join('\n')}\n`))
    })
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** A line that another program broke is left out. */
function parsed(line: string): JournalEntry[] {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null ? [value as JournalEntry] : []
  } catch {
    return []
  }
}
