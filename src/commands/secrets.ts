import { realpathSync } from 'node:fs'
import { relative, sep } from 'node:path'
import type { Remote } from '../remote/remote.ts'

/** Which of the server's own files lie inside a local root, as paths inside it: they are never served. */
export function secretsInside(remote: Remote, files: readonly string[]): ReadonlySet<string> {
  const { traits, root } = remote.info
  const inside = new Set<string>()
  if (!traits.isLocal) return inside
  for (const file of files) {
    const path = file === '' ? undefined : pathInside(root, file)
    if (path !== undefined) inside.add(path)
  }
  return inside
}

function pathInside(root: string, file: string): string | undefined {
  try {
    const path = relative(realpathSync(root), realpathSync(file))
    return path === '' || path.startsWith('..') ? undefined : path.split(sep).join('/')
  } catch {
    return undefined // what is not there cannot be served
  }
}
