import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The full path of a program, or undefined. */
export function find(program: string): string | undefined {
  for (const dir of `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter)) {
    const path = join(dir, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // not in this directory
    }
  }
  return undefined
}

/**
 * For `test(name, { skip: missing('rclone') }, ...)`: false when all programs are there, else why the test is skipped. In CI
 * a missing peer is a failure.
 */
export function missing(...programs: string[]): string | false {
  const absent = programs.filter((program) => !find(program))
  if (absent.length === 0) return false
  if (process.env.CI) throw new Error(`not installed: ${absent.join(', ')} (tools/peers.sh installs them)`)
  return `needs ${absent.join(', ')}`
}
