import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { find } from '../test/peers.ts'
import type { Contender } from './servers.ts'

/** The remote control servers: ours as it is installed, and rclone's. */
export const rcContenders: readonly Contender[] = [
  {
    name: 'sluice',
    command: (_root, port, scratch) => [
      process.execPath,
      join(scratch, 'package/bin/sluice.js'),
      ...rcdArgs(port),
      '--cache-dir',
      join(scratch, 'cache'),
    ],
  },
  {
    name: 'rclone',
    command(_root, port) {
      const program = find('rclone')
      return program === undefined ? undefined : ['env', 'GOMAXPROCS=1', program, ...rcdArgs(port)]
    },
  },
]

function rcdArgs(port: number): string[] {
  return ['rcd', '--rc-no-auth', '--rc-addr', `127.0.0.1:${port}`]
}

/** A wrk script that makes one call over and over. */
export function callScript(scratch: string, name: string, input: object): string {
  const file = join(scratch, `${name}.lua`)
  writeFileSync(
    file,
    `wrk.method = 'POST'
     wrk.body = '${JSON.stringify(input)}'
     wrk.headers['Content-Type'] = 'application/json'`,
  )
  return file
}

/** A folder of `count` small files; gives its path. */
export function folderOf(root: string, count: number): string {
  const dir = join(root, `folder-${count}`)
  mkdirSync(dir, { recursive: true })
  for (let i = 0; i < count; i++) writeFileSync(join(dir, `file number ${i}.txt`), 'x'.repeat(100 + i))
  return dir
}
