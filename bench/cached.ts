import { join } from 'node:path'
import { type Contender, contenders, type Running } from './servers.ts'

/** Sluice and rclone over a web server, each with a file cache of its own. */
export function cachedContenders(storage: Running): readonly Contender[] {
  const remote = `:http,url='http://127.0.0.1:${storage.port}/':`
  return [contenders.sluice, contenders.rclone].map((contender) => ({
    name: contender.name,
    command(_root, port, scratch) {
      const cache = ['--vfs-cache-mode', 'full', '--cache-dir', join(scratch, `cache-${contender.name}-${port}`)]
      const line = contender.command(remote, port, scratch)
      return line && [...line, ...cache]
    },
  }))
}
