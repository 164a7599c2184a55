import { homedir } from 'node:os'
import { join } from 'node:path'

/** The directory for caches: what `--cache-dir` says, else rclone's below XDG_CACHE_HOME or `~/.cache`. */
export function cacheDirOf(option: string, env: Readonly<Record<string, string | undefined>>): string {
  return option || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'rclone')
}
