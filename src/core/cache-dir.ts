import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where caches on disk are (`--cache-dir`): rclone's place, so that both have the same. */
export function cacheDirOf(cacheDir: string, env: Readonly<Record<string, string | undefined>>): string {
  return cacheDir || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'rclone')
}
