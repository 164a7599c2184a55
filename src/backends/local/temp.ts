import { createHash, randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { OsPath } from './names.ts'
import { joinDisk } from './names.ts'

const pattern = /^\.sluice-([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{16}[^0-9a-f/][^/]{0,15}$/u
/** A temporary file of another machine (a shared disk) is left alone for this long. */
const FOREIGN_AGE_MS = 24 * 3600 * 1000

/** True for the name of a file that is still being written: it is never shown, and cannot be asked for. */
export function isTempName(name: string): boolean {
  return name.startsWith('.sluice-') && pattern.test(name)
}

/**
 * Names of temporary files that tell who writes them: the boot and process namespace, the process, and when it started.
 * So the files of a process that was killed can be told from those of one that still writes.
 */
export class TempNames {
  readonly #prefix: string
  readonly #boot: string
  readonly #suffix: string
  /** Where the numbers begin nobody can guess, so that nobody takes a name beforehand. */
  #last = randomBytes(8).readBigUInt64BE()

  /** `suffix` ends all names. */
  constructor(suffix: string) {
    // What comes before it is hex: an ending that is as well would look like a part of that.
    this.#suffix = /^[0-9a-f]/.test(suffix) ? `.${suffix.slice(0, 15)}` : suffix
    this.#boot = bootId()
    this.#prefix = `.sluice-${this.#boot}-${process.pid}-${startOf(process.pid) ?? '0'}-`
  }

  next(): string {
    this.#last = BigInt.asUintN(64, this.#last + 1n)
    return `${this.#prefix}${this.#last.toString(16).padStart(16, '0')}${this.#suffix}`
  }

  /** True when the process that made this temporary file is gone. */
  isStale(name: string, ageMs: number): boolean {
    const [, boot, pid, start] = pattern.exec(name) ?? []
    if (boot === undefined) return false
    if (boot !== this.#boot) return ageMs > FOREIGN_AGE_MS
    return startOf(Number(pid)) !== start
  }

  /** Removes what killed processes left in a directory. Errors are ignored: the next one who writes here tries again. */
  async sweep(dir: OsPath): Promise<void> {
    try {
      let seen = 0
      for await (const { name } of await fs.promises.opendir(dir, { bufferSize: 256 })) {
        if (++seen % 256 === 0) await nextTurn()
        if (!isTempName(name)) continue
        const path = joinDisk(dir, name)
        const { mtimeMs } = await fs.promises.lstat(path)
        if (this.isStale(name, Date.now() - mtimeMs)) await fs.promises.unlink(path)
      }
    } catch {
      // the directory went away, or somebody else sweeps it
    }
  }
}

/** When a process started, in clock ticks since boot; undefined when there is none or the system cannot tell. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    try {
      process.kill(pid, 0)
      return '0'
    } catch {
      return undefined
    }
  }
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses and may hold blanks (proc(5)); the start is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function bootId(): string {
  let id = ''
  try {
    id = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1') + fs.readlinkSync('/proc/self/ns/pid')
  } catch {
    // not Linux: one id for all, the process number alone tells
  }
  return createHash('sha256').update(id).digest('hex').slice(0, 8)
}
