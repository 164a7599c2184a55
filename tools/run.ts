import { spawnSync } from 'node:child_process'

/** Runs a command with our terminal. Gives true when it succeeded. */
export function run(command: string, ...args: string[]): boolean {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error) console.error(`${command}: ${error.message}`)
  return status === 0
}
