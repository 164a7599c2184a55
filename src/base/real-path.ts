import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Where an absolute path of this machine leads with all links followed; what does not exist yet is taken as it is written. */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), basename(path))
  }
}
