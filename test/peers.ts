import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where the programs and packages are that come from npm. */
export const npmPeers = join(import.meta.dirname, '..', 'tools', 'peers', 'node_modules')

/** The full path of a program, or undefined. */
export function find(program: string): string | undefined {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', join(npmPeers, '.bin')]
  for (const dir of dirs) {
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

/** As `missing`, for a package that comes from npm. */
export function missingPackage(name: string): string | false {
  if (existsSync(join(npmPeers, name, 'package.json'))) return false
  if (process.env.CI) throw new Error(`not installed: ${name} (tools/peers.sh installs it)`)
  return `needs ${name}`
}
